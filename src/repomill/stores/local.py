"""A store in a folder of this machine.

An object is the file of its key's name, as other programs expect it. What a file cannot carry, its
content type and metadata, stands in a file of its own under ``_repomill/objects/``, written first
and bound to the object by its hash: where the two do not fit, the object counts as having none.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from repomill.errors import BadKeyError, StoreError
from repomill.stores.base import Head

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FACTS = "_repomill/objects"
_UNKNOWN = "application/octet-stream"
_MAX_PART_BYTES = 250
"""255 is what file systems take; the facts of an object are kept under a longer name."""


class LocalStore:
    """Objects as files below *root*, which is made with the first of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def probe(self) -> None:
        """Write and remove a trial file. Raises StoreError where the folder takes none."""
        trial = self.root / "_repomill" / f"probe-{uuid4().hex}"
        try:
            write_whole(trial, b"")
            trial.unlink()
        except OSError as error:
            raise StoreError(
                f"the folder {self.root} takes no files ({error.strerror}); name another with "
                "--store, or check its rights and the room on its disk"
            ) from error

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write *body* whole or not at all; a later put replaces it."""
        path = self._path(key)
        facts = {"sha256": _hash(body), "content_type": content_type, "metadata": dict(metadata)}
        try:
            write_whole(self._facts_path(key), json.dumps(facts, sort_keys=True).encode())
            write_whole(path, body)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written ({error.strerror}); check the folder, its rights and "
                "the room on its disk"
            ) from error

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none."""
        path = self._path(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{path} cannot be read ({error.strerror})") from error

    def head(self, key: str) -> Head | None:
        """Return what is known of the object, or None where there is none."""
        body = self.get(key)
        if body is None:
            return None
        facts = self._facts(key)
        if facts.get("sha256") != _hash(body):
            return Head(len(body), _UNKNOWN)
        return Head(len(body), facts.get("content_type", _UNKNOWN), facts.get("metadata", {}))

    def _facts(self, key: str) -> dict[str, Any]:
        try:
            value = json.loads(self._facts_path(key).read_bytes())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _facts_path(self, key: str) -> Path:
        return self.root / _FACTS / f"{key}.json"

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in {"", ".", ".."} for part in parts) or key.startswith(f"{_FACTS}/"):
            raise BadKeyError(f"{key!r} cannot be a key")
        if "\0" in key or any(len(_encoded(part)) > _MAX_PART_BYTES for part in parts):
            raise BadKeyError(f"{key!r} cannot be the name of a file")
        return self.root / key


def _encoded(part: str) -> bytes:
    """Return *part* as a file system keeps it. Raises BadKeyError."""
    try:
        return part.encode()
    except UnicodeEncodeError:
        raise BadKeyError(f"{part!r} cannot be the name of a file") from None


def write_whole(path: Path, body: bytes) -> None:
    """Write *body* to *path* so that a reader, or a crash, sees all of it or nothing.

    Folders above are made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with scratch.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        with suppress(OSError):
            scratch.unlink()
        raise


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
