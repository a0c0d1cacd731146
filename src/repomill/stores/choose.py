"""Find the store that the user means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from repomill.errors import UsageError
from repomill.stores import bucket
from repomill.stores.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.retry import Patience
    from repomill.stores.base import Store
    from repomill.stores.bucket import Bucket

DEFAULT_FOLDER = "digests"

_log = structlog.get_logger()


def choose(
    store: str | None,
    environ: Mapping[str, str],
    patience: Patience,
    *,
    connections: int = 10,
    expects_bucket: bool = False,
) -> Store:
    """Return the store that *store* names: a folder, or ``s3://BUCKET[/PREFIX]``.

    Without one, or with "": the bucket of the four variables for R2, or ``./digests``. Where a
    bucket is expected, or nothing named, a warning says that digests go to a folder. A bucket is
    good for as many threads as *connections*. Raises UsageError naming what is wrong or missing.
    """
    if store and store.startswith(bucket.SCHEME):
        return _open(bucket.from_url(store, environ), patience, connections)
    r2 = bucket.from_r2_variables(environ)
    if r2 and not store:
        return _open(r2, patience, connections)
    if store and "://" in store:
        raise UsageError("--store: it is neither a folder nor s3://BUCKET[/PREFIX]")
    folder = store or DEFAULT_FOLDER
    if expects_bucket or not store:
        _log.warning("No bucket is configured, digests go to a folder", folder=folder)
    return LocalStore(Path(folder))


def _open(where: Bucket, patience: Patience, connections: int) -> Store:
    from repomill.stores.s3 import S3Store  # noqa: PLC0415 boto3 takes long to import

    return S3Store(where, patience, connections=connections)
