"""Find the store that the user means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from repomill.errors import UsageError
from repomill.stores.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.stores.base import Store

DEFAULT_FOLDER = "digests"
R2_VARIABLES = ("R2_BUCKET", "R2_ENDPOINT", "R2_ACCESS_KEY", "R2_SECRET_KEY")

_log = structlog.get_logger()


def choose(store: str | None, environ: Mapping[str, str], *, expects_bucket: bool = False) -> Store:
    """Return the store that *store* names, a folder; without one, or with "", ``./digests``.

    Where a bucket is expected, or nothing named, a warning says where digests go.
    Raises UsageError where the variables for R2 are set, in part or all: the message names them.
    """
    present = [name for name in R2_VARIABLES if environ.get(name)]
    missing = [name for name in R2_VARIABLES if not environ.get(name)]
    if present and missing:
        raise UsageError(f"{', '.join(missing)} missing: set all four R2 variables, or none")
    if present and not store:
        raise UsageError("R2 is not supported yet; name a folder with --store")
    if store and "://" in store:
        raise UsageError("--store: only a folder is supported yet, no URL")
    folder = store or DEFAULT_FOLDER
    if expects_bucket or not store:
        _log.warning("No bucket is configured, digests go to a folder", folder=folder)
    return LocalStore(Path(folder))
