"""Read one commit of a repository on this disk: its entries and its blobs.

libgit2 reads objects and nothing else: no hook, no filter, no configured program runs, and a blob
that a filtered clone left out is missing instead of being fetched.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import ObjectType

from repomill.errors import (
    CorruptError,
    EmptyError,
    NotFoundError,
    TooLargeError,
    UnsupportedError,
)
from repomill.model import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_DEPTH = 100
"""Folders deeper than this are named, not entered: Python recurses over them later."""
MAX_ENTRIES = 1_000_000
MAX_PATH_BYTES = 256 << 20
"""All paths together. A few objects can spell billions of paths (a "git bomb")."""

# 2.06 GB of address space without a limit, 175 MB with this one, on a pack of 2.6 GB.
_MAPPED_BYTES = 128 << 20
pygit2.settings.mwindow_mapped_limit = _MAPPED_BYTES
# Nothing a repository configures is run, so one that belongs to another user is no danger.
pygit2.settings.owner_validation = False

# Git's own trees are read here as they are stored, at a tenth of what an object of libgit2 for each
# child costs: mode in octal, space, name, NUL, 20 bytes of SHA-1.
# https://git-scm.com/book/en/v2/Git-Internals-Git-Objects#_tree_objects
_CHILD = re.compile(rb"([0-7]{1,7}) ([^\0]+)\0(.{20})", re.DOTALL)
_TYPE_OF_MODE = 0o170000
_KINDS = {0o100000: Kind.FILE, 0o120000: Kind.LINK, 0o160000: Kind.SUBMODULE}


class Commit:
    """One commit of a repository, open for reading."""

    def __init__(self, repository: pygit2.Repository, commit: pygit2.Commit) -> None:
        self._repository = repository
        self._commit = commit
        self.sha = str(commit.id)
        # A git bomb spells its paths with few objects.
        self._children = lru_cache(maxsize=1024)(self._list)
        self._blob_size = lru_cache(maxsize=1 << 16)(self._find_size)

    @property
    def committed(self) -> datetime | None:
        """When it was committed, in UTC; None where the commit holds no possible date."""
        try:
            return datetime.fromtimestamp(self._commit.commit_time, UTC)
        except (OverflowError, ValueError, OSError):
            return None

    def origin(self) -> str | None:
        """Return the URL of the remote ``origin`` as configured, or None."""
        config = self._repository.config
        try:
            return config["remote.origin.url"] if "remote.origin.url" in config else None  # noqa: SIM401 no dict
        except UnicodeDecodeError:
            return None

    def entries(self) -> list[Entry]:
        """Return every path of the commit, sorted by its bytes.

        Raises TooLargeError past MAX_ENTRIES or MAX_PATH_BYTES, CorruptError for a broken tree.
        """
        entries: list[Entry] = []
        seen = path_bytes = 0
        stack = [(b"", 0, str(self._commit.tree_id))]
        while stack:
            prefix, depth, tree = stack.pop()
            for name, kind, oid in self._children(tree):
                path = prefix + name
                seen += 1
                path_bytes += len(path)
                if seen > MAX_ENTRIES or path_bytes > MAX_PATH_BYTES:
                    raise _too_large()
                if kind is Kind.FOLDER and depth < MAX_DEPTH:
                    stack.append((path + b"/", depth + 1, oid))
                else:
                    entries.append(Entry(path, kind, oid, self._size(oid, kind)))
        return sorted(entries, key=lambda entry: entry.path)

    def with_sizes(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return *entries*, with the sizes of blobs that have been fetched since."""
        return [
            replace(entry, size_bytes=self._find_size(entry.oid))
            if entry.kind is Kind.FILE and entry.size_bytes is None
            else entry
            for entry in entries
        ]

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of a file, or the target of a link."""
        try:
            kind, data = self._repository.odb.read(entry.oid)
        except (KeyError, pygit2.GitError) as error:
            raise CorruptError(f"object {entry.oid} cannot be read; run git fsck") from error
        if kind != ObjectType.BLOB:
            raise CorruptError(f"object {entry.oid} stands where a file should; run git fsck")
        return data

    def _list(self, oid: str) -> list[tuple[bytes, Kind, str]]:
        try:
            kind, data = self._repository.odb.read(oid)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise CorruptError(f"tree {oid} cannot be read; run git fsck") from error
        if kind != ObjectType.TREE:
            raise CorruptError(f"object {oid} stands where a tree should; run git fsck")
        children, end = [], 0
        for found in _CHILD.finditer(data):
            if found.start() != end:
                break
            end = found.end()
            mode, name, child = found.groups()
            children.append((name, _kind(int(mode, 8)), child.hex()))
        if end != len(data):
            raise CorruptError(f"tree {oid} cannot be read; run git fsck")
        return children

    def _size(self, oid: str, kind: Kind) -> int | None:
        return None if kind in {Kind.SUBMODULE, Kind.FOLDER} else self._blob_size(oid)

    def _find_size(self, oid: str) -> int | None:
        try:
            return self._repository.odb.read_header(oid)[1]
        except KeyError:
            return None
        except pygit2.GitError as error:
            raise CorruptError(f"object {oid} cannot be read; run git fsck") from error


def _kind(mode: int) -> Kind:
    return _KINDS.get(mode & _TYPE_OF_MODE, Kind.FOLDER)


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"the commit has more than {MAX_ENTRIES} files and folders, or {MAX_PATH_BYTES} bytes of "
        "paths; it cannot be digested"
    )


def open_commit(path: Path, revision: str = "HEAD") -> Commit:
    """Return the commit that *revision* (``HEAD`` or a full SHA) names in the repository at *path*.

    Raises NotFoundError where there is none, EmptyError where there is no commit yet,
    UnsupportedError for SHA-256 objects.
    """
    repository = _open(path)
    if revision == "HEAD" and repository.head_is_unborn:
        raise EmptyError("the repository holds no commit; commit something first")
    try:
        found = repository.revparse_single(revision).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        if revision == "HEAD" and isinstance(error, pygit2.GitError):
            raise CorruptError("the commit that HEAD names cannot be read; run git fsck") from error
        raise NotFoundError(f"{revision} is no commit of this repository") from error
    return Commit(repository, found)


def _open(path: Path) -> pygit2.Repository:
    try:
        return pygit2.Repository(str(path), pygit2.enums.RepositoryOpenFlag.NO_SEARCH)
    except pygit2.GitError as error:
        if "extension" in str(error) or "sha256" in str(error).lower():
            raise UnsupportedError(
                "the repository uses SHA-256 objects, or an extension, that cannot be read yet"
            ) from error
        raise NotFoundError(
            f"{path} is no git repository; name its top folder or its .git folder"
        ) from error
