"""A store in a folder of this machine.

An object is the file of its key's name, as other programs expect it. What a file cannot carry, its
content type and metadata, stands in a file of its own under ``_repomill/objects/``, written first
and bound to the object by its hash: where the two do not fit, the object counts as having none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from repomill.errors import BadKeyError, StoreError
from repomill.stores.base import UNKNOWN, Head, check_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FACTS = "_repomill/objects"
_SCRATCH = re.compile(r"\.[0-9a-f]{32}\.tmp")
_MISSING = (FileNotFoundError, NotADirectoryError)
_MAX_PART_BYTES = 250
"""255 is what file systems take; the facts of an object are kept under a longer name."""


class LocalStore:
    """Objects as files below *root*, which is made with the first of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """What tells the store from all others, on this machine."""
        return str(self.root.resolve())

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

    def check(self, key: str) -> None:
        """Raise BadKeyError for a key that cannot be the name of a file here."""
        self._path(key)

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write *body* whole or not at all; a later put replaces it."""
        path = self._path(key)
        with _refusing(path, "written"):
            write_whole(self._facts_path(key), _describe(body, content_type, metadata))
            write_whole(path, body)

    def refresh(self, key: str, *, content_type: str, metadata: Mapping[str, str]) -> bool:
        """Replace what is known of the object besides its bytes; return whether there is one."""
        body = self.get(key)
        if body is None:
            return False
        with _refusing(self._path(key), "written"):
            write_whole(self._facts_path(key), _describe(body, content_type, metadata))
        return True

    def create(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Write *body* whole, unless there is an object; return whether it was written."""
        path = self._path(key)
        with _refusing(path, "written"):
            try:
                write_whole(path, body, replace=False)
            except FileExistsError:
                return False
            # Afterwards: those of a writer who lost must not stand in their place.
            write_whole(self._facts_path(key), _describe(body, content_type, {}))
        return True

    def get(self, key: str, *, most_bytes: int | None = None) -> bytes | None:
        """Return the object's bytes, the first *most_bytes* of them; None where there is none."""
        path = self._path(key)
        with (
            _refusing(path, "read"),
            suppress(*_MISSING, IsADirectoryError),
            path.open("rb") as file,
        ):
            return file.read(most_bytes)
        return None

    def head(self, key: str) -> Head | None:
        """Return what is known of the object, or None where there is none."""
        body = self.get(key)
        if body is None:
            return None
        facts = self._facts(key)
        if facts.get("sha256") != _hash(body):
            return Head(len(body), UNKNOWN)
        return Head(len(body), facts.get("content_type", UNKNOWN), facts.get("metadata", {}))

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with *prefix*, in no order."""
        check_prefix(prefix)
        start = self.root / prefix.rpartition("/")[0]
        with _refusing(start, "listed"):
            for folder, _, names in os.walk(start, onerror=_unless_missing):
                for name in names:
                    key = os.path.relpath(f"{folder}/{name}", self.root)
                    if self._is_object(key, name) and key.startswith(prefix):
                        yield key

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        path = self._path(key)
        with _refusing(path, "removed"):
            for one in (path, self._facts_path(key)):
                with suppress(*_MISSING, IsADirectoryError):
                    one.unlink()

    @staticmethod
    def _is_object(key: str, name: str) -> bool:
        return not key.startswith(f"{_FACTS}/") and not _SCRATCH.fullmatch(name)

    def _facts(self, key: str) -> dict[str, Any]:
        try:
            value = json.loads(self._facts_path(key).read_bytes())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _facts_path(self, key: str) -> Path:
        return self.root / _FACTS / f"{key}.json"

    def _path(self, key: str) -> Path:
        parts = check_key(key)
        if key.startswith(f"{_FACTS}/"):
            raise BadKeyError(f"{key!r} cannot be a key: there the store keeps facts of its own")
        if any(len(part.encode()) > _MAX_PART_BYTES for part in parts):
            raise BadKeyError(f"{key!r} cannot be the name of a file: a part of it is too long")
        return self.root / key


@contextmanager
def _refusing(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be {done} ({error.strerror}); check the folder, its rights and "
            "the room on its disk"
        ) from error


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, _MISSING):
        raise error


def _describe(body: bytes, content_type: str, metadata: Mapping[str, str]) -> bytes:
    facts = {"sha256": _hash(body), "content_type": content_type, "metadata": dict(metadata)}
    return json.dumps(facts, sort_keys=True).encode()


def write_whole(path: Path, body: bytes | IO[bytes], *, replace: bool = True) -> None:
    """Write *body* to *path* so that a reader, or a crash, sees all of it or nothing.

    Folders above are made. Raises OSError; FileExistsError where a file is not to be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with scratch.open("xb") as file:
            copy(body, file)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            scratch.replace(path)
        else:
            path.hardlink_to(scratch)
    finally:
        with suppress(OSError):
            scratch.unlink()


def copy(body: bytes | IO[bytes], file: IO[bytes]) -> None:
    """Write *body*, or what is left of it to be read, to *file*."""
    if isinstance(body, bytes):
        file.write(body)
    else:
        shutil.copyfileobj(body, file)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
