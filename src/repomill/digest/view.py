"""A pathlib-like view of the chosen entries: what gitingest walks instead of a checkout.

It offers what ``gitingest.ingestion`` and ``gitingest.schemas.filesystem`` call on a path, and
hands out text that was decoded here. Names come out quoted, and sort as they are.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Self

from repomill.digest import names, text
from repomill.errors import RepoError
from repomill.model import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Reader = Callable[[Entry], bytes]

_NOT_UTF8 = b"\xff"
"""What gitingest's look at the first bytes has to see in order to say "[Binary file]"."""


class ShownName(str):
    """A quoted name that gitingest, which sorts by ``lower()``, sorts by the name itself."""

    __slots__ = ("_plain",)
    _plain: str

    def __new__(cls, plain: str) -> Self:
        """Quote *plain*."""
        self = super().__new__(cls, names.quote(plain))
        self._plain = plain
        return self

    def lower(self) -> str:
        """Return the plain name in lower case."""
        return self._plain.lower()

    @property
    def octets(self) -> bytes:
        """The plain name as git has it."""
        return self._plain.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Stat:
    st_size: int


class Node:
    """What folders, files and links have in common."""

    def __init__(self, name: str, path: str) -> None:
        self.name = ShownName(name)
        self._path = names.quote(path)

    def __str__(self) -> str:
        return self._path

    def relative_to(self, _root: Node) -> str:
        """Return the path as it is shown: every node knows its own, from the root."""
        return self._path

    def exists(self) -> bool:
        """Whether there is such a path: a view holds no others."""
        return True

    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return False

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return False

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return False


class Folder(Node):
    """A folder with its children, in the order of their plain names' bytes."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, path)
        self.children: list[Node] = []

    def __truediv__(self, subpath: str) -> Folder:
        """Return the folder itself for ``.``, the only path gitingest asks for."""
        if subpath != ".":
            raise ValueError(f"a view has only its root, not {subpath!r}")
        return self

    def iterdir(self) -> Iterable[Node]:
        """Return the children."""
        return self.children

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return True


class Leaf(Node):
    """A file or a link, read when it is asked for."""

    def __init__(self, name: str, path: str, entry: Entry, read: Reader) -> None:
        super().__init__(name, path)
        self._plain_name = name
        self.parent = path.rpartition("/")[0]
        self.entry = entry
        self._read = read
        self._text: str | None = None
        self._failure: RepoError | MemoryError | None = None

    @property
    def suffix(self) -> str:
        """The part of the name behind its last dot, as pathlib has it."""
        return PurePosixPath(self._plain_name).suffix

    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.entry.kind is Kind.FILE

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return self.entry.kind is Kind.LINK

    def stat(self) -> _Stat:
        """Return its size in bytes."""
        return _Stat(self.entry.size_bytes or 0)

    def readlink(self) -> str:
        """Return the target of a link."""
        return names.decode(self._data())

    def open(self, mode: str = "r", **_encoding: object) -> IO[bytes] | IO[str]:
        """Open it for reading: the text decoded, or just enough bytes to tell what it is.

        gitingest looks at some bytes first and then, where they are UTF-8, reads the text. The text
        is decoded once for both, and let go with the second.
        """
        if mode == "rb":
            self._text = text.decode(self._data())
            return io.BytesIO(_NOT_UTF8 if self._text is None else _beginning(self._text))
        decoded = text.decode(self._data()) if self._text is None else self._text
        self._text = None
        return io.StringIO(decoded or "", newline=None)

    def raise_failure(self) -> None:
        """Raise what reading it raised, where gitingest made a line of text of that."""
        if self._failure:
            raise self._failure

    def _data(self) -> bytes:
        try:
            return self._read(self.entry)
        except (RepoError, MemoryError) as error:
            self._failure = error
            raise


class Rest(Node):
    """The line of a folder that says how much of it is not shown."""

    def __init__(self, words: str, path: str) -> None:
        super().__init__(words, path)

    def is_file(self) -> bool:
        """Whether it is a regular file: to gitingest, so that it prints the line."""
        return True

    def stat(self) -> _Stat:
        """Return its size in bytes."""
        return _Stat(0)


def _beginning(decoded: str) -> bytes:
    """Return some bytes that end between two characters."""
    return decoded[:1].encode()


def build(
    root_name: str,
    entries: Iterable[Entry],
    read: Reader,
    rests: Mapping[str, str] | None = None,
) -> Folder:
    """Return the view of *entries*, sorted by path, under a root called *root_name*.

    *rests*: path of a folder, ``""`` for the root → what to say of what is not shown in it.
    """
    root = Folder(root_name, ".")
    folders = {"": root}
    for entry in entries:
        child = leaf(entry, read)
        _folder(folders, child.parent).children.append(child)
    for path, words in (rests or {}).items():
        folder = _folder(folders, path)
        folder.children.append(Rest(words, f"{path}/{words}"))
    if rests:  # folders of which nothing is shown came last
        for folder in folders.values():
            folder.children.sort(key=lambda child: child.name.octets)
    return root


def leaf(entry: Entry, read: Reader) -> Leaf:
    """Return the view of a single entry."""
    path = names.decode(entry.path)
    return Leaf(path.rpartition("/")[2], path, entry, read)


def _folder(folders: dict[str, Folder], path: str) -> Folder:
    """Return the folder at *path*, made with all above it."""
    missing = []
    while path not in folders:
        missing.append(path)
        path = path.rpartition("/")[0]
    folder = folders[path]
    for path in reversed(missing):
        name = path.rpartition("/")[2]
        child = folders[path] = Folder(name, path)
        folder.children.append(child)
        folder = child
    return folder
