"""Where the index of a ledger is kept, unless the user names a file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.shards import Shard

_log = structlog.get_logger()


def default_path(environ: Mapping[str, str], store: str, shard: Shard | None) -> Path | None:
    """Return the file in the user's cache for the *store* named so, and the *shard*.

    Its folder is made. None where there is none that can be written, as in many containers: an
    index may be anywhere, as it is made anew from the store. A store that is a folder is to be
    named by its absolute path.
    """
    path = path_in_cache(environ, store, shard)
    if path is None:
        _log.debug("No folder for the ledger's index", error="HOME is not set")
        return None
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.debug("No folder for the ledger's index", folder=str(folder), error=error.strerror)
        return None
    if not os.access(folder, os.W_OK | os.X_OK):
        _log.debug("No folder for the ledger's index", folder=str(folder), error="read-only")
        return None
    return path


def path_in_cache(environ: Mapping[str, str], store: str, shard: Shard | None) -> Path | None:
    """Return where the index would be, whether there is one or not; None without a cache.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    cache = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):  # noqa: PTH117 "" is no path
        home = environ.get("HOME", "")
        cache = f"{home}/.cache" if os.path.isabs(home) else ""  # noqa: PTH117
    if not cache:
        return None
    name = hashlib.sha256(f"{store}\n{shard or ''}".encode(errors="surrogateescape")).hexdigest()
    return Path(cache, "repomill", f"{name[:32]}.sqlite")
