"""Collapse the structure of a commit to so many bytes, so that a reader still understands it.

Shown first is what lies near the root, what is in the digest, and the first of what repeats itself:
of six hundred folders that hold the same names, a few are shown and the others counted.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from repomill.model import Entry

_TITLE = "Directory structure:\n"
_BRANCH_BYTES = len("├── ".encode())
_INDENT_BYTES = len("│   ".encode())
_ROOT_INDENT_BYTES = len("    ")
_MOST_QUOTED = 4
"""What a byte of a name becomes at the most: ``\\377``."""

# What a step down the tree costs: the cheapest paths are shown.
_STEP_TO_DIGEST = 1
_STEP_TO_FOLDER = 2
_STEP_TO_FILE = 4
_STEP_PER_DOUBLING = 2
_FREE_DOUBLINGS = 3
"""Of those alike, the eighth, the sixteenth, … of a family cost that much more each."""

_SHAPE_NAMES = 4
_DIGITS = re.compile(rb"\d+")
_path = attrgetter("path")


@dataclass(frozen=True, slots=True)
class Collapsed:
    """What is shown of a structure."""

    entries: list[Entry]
    """Sorted by path."""
    rests: dict[str, str]
    """Path of a folder, ``""`` for the root → what to say of what is not shown in it."""


@dataclass(slots=True)
class _Folder:
    """A folder: the entries from *start* to *end*, all below *prefix*."""

    prefix: bytes
    start: int
    end: int
    depth: int
    cost: int
    hidden_files: int
    hidden_folders: int = 0
    pending: int = 0
    """Children that are not shown."""
    rest_bytes: int = 0
    """Kept free for the line that says what is not shown."""


@dataclass(order=True, slots=True)
class _Child:
    """A line that could be shown."""

    cost: int
    path: bytes
    parent: _Folder = field(compare=False)
    start: int = field(compare=False)
    end: int = field(compare=False)

    @property
    def is_folder(self) -> bool:
        return self.path.endswith(b"/")


def least_bytes(entries: Iterable[Entry]) -> int:
    """Return the bytes that the whole structure of *entries* takes at the least."""
    return sum(_BRANCH_BYTES + len(e.path) - e.path.rfind(b"/") for e in entries)


def most_bytes(entries: Iterable[Entry], root_name: str) -> int:
    """Return the bytes that the whole structure of *entries*, sorted by path, takes at the most."""
    total = _root_bytes(root_name)
    folders: list[bytes] = []
    for entry in entries:
        *parents, name = entry.path.split(b"/")
        if parents != folders:
            same = _shared(parents, folders)
            for depth in range(same, len(parents)):
                total += _name_bytes(parents[depth], depth + 1) + 1
            folders = parents
        total += _name_bytes(name, len(parents) + 1)
        if entry.kind is Kind.LINK:
            total += _target_bytes(entry)
    return total


def collapse(
    entries: Sequence[Entry], root_name: str, room_bytes: int, *, wanted: AbstractSet[bytes]
) -> Collapsed | None:
    """Return what is shown of *entries*, sorted by path, in *room_bytes* of gitingest's tree.

    *wanted* are the paths of those that are in the digest. None where not even a root fits.
    """
    # Growing it line by line keeps room for lines that a whole structure does not have.
    if least_bytes(entries) <= room_bytes and most_bytes(entries, root_name) <= room_bytes:
        return Collapsed(list(entries), {})
    return _Collapse(entries, wanted).run(root_name, room_bytes)


class _Collapse:
    """Grows a structure from its root, always by the cheapest line, until its room is used up."""

    def __init__(self, entries: Sequence[Entry], wanted: AbstractSet[bytes]) -> None:
        self._entries = entries
        self._wanted = set(wanted) | {prefix for path in wanted for prefix in _folders_of(path)}
        self._shown: list[Entry] = []
        self._folders: list[_Folder] = []
        self._open: list[_Child] = []
        self._room = 0

    def run(self, root_name: str, room_bytes: int) -> Collapsed | None:
        root = _Folder(b"", 0, len(self._entries), 0, 0, len(self._entries))
        children = list(self._children(root))
        rest_bytes = self._enter(root, children)
        self._room = room_bytes - _root_bytes(root_name) - rest_bytes
        if self._room < 0:
            return None
        self._open = children
        heapify(self._open)
        while self._open:
            child = heappop(self._open)
            if not self._show(child):
                self._open.append(child)
                break
        for child in sorted(self._open):  # a line for "1 more file" says less than its name
            if child.parent.pending == 1 and not child.is_folder:
                self._show(child)
        self._shown.sort(key=_path)
        rests = {
            names.decode(folder.prefix).removesuffix("/"): rest(
                folder.hidden_files, folder.hidden_folders
            )
            for folder in self._folders
            if folder.pending
        }
        return Collapsed(self._shown, rests)

    def _show(self, child: _Child) -> bool:
        """Show a line, if there is room for it."""
        parent = child.parent
        below: list[_Child] = []
        needed = self._line_bytes(child)
        folder = None
        if child.is_folder:
            size = child.end - child.start
            depth = parent.depth + 1
            folder = _Folder(child.path, child.start, child.end, depth, child.cost, size)
            below = list(self._children(folder))
            needed += self._measure(folder, below)
        freed = parent.rest_bytes if parent.pending == 1 else 0
        if needed > self._room + freed:
            return False
        self._room += freed - needed
        parent.pending -= 1
        parent.hidden_files -= child.end - child.start
        if folder:
            parent.hidden_folders -= 1
            self._folders.append(folder)
            for one in below:
                heappush(self._open, one)
        else:
            self._shown.append(self._entries[child.start])
        return True

    def _enter(self, folder: _Folder, children: list[_Child]) -> int:
        self._folders.append(folder)
        return self._measure(folder, children)

    def _measure(self, folder: _Folder, children: list[_Child]) -> int:
        """Take note of a folder's children; return the bytes to be kept free for its rest."""
        folder.pending = len(children)
        folder.hidden_folders = sum(child.is_folder for child in children)
        if children:
            words = rest(folder.hidden_files, folder.hidden_folders)
            folder.rest_bytes = _lead_bytes(folder.depth + 1) + len(words.encode()) + 1
        return folder.rest_bytes

    def _children(self, folder: _Folder) -> Iterator[_Child]:
        """Yield the files and folders right below *folder*, each with what it costs."""
        seen = Counter[object]()
        for path, start, end in self._spans(folder):
            family = self._shape(path, start, end) if path.endswith(b"/") else _suffix(path)
            alike = seen[family]
            seen[family] += 1
            if path in self._wanted:
                step = _STEP_TO_DIGEST
            else:
                step = _STEP_TO_FOLDER if path.endswith(b"/") else _STEP_TO_FILE
                step += _STEP_PER_DOUBLING * max(0, alike.bit_length() - _FREE_DOUBLINGS)
            yield _Child(folder.cost + step, path, folder, start, end)

    def _spans(self, folder: _Folder) -> Iterator[tuple[bytes, int, int]]:
        """Yield each path right below *folder*, and which entries it stands for."""
        position, begin = folder.start, len(folder.prefix)
        while position < folder.end:
            path = self._entries[position].path
            slash = path.find(b"/", begin)
            end = position + 1
            if slash >= 0:
                path = path[: slash + 1]
                after = path[:-1] + b"0"  # what follows a slash
                end = bisect_left(self._entries, after, position, folder.end, key=_path)
            yield path, position, end
            position = end

    def _shape(self, path: bytes, start: int, end: int) -> tuple[bytes, ...]:
        """Return what folders of one kind have in common: the first names in them."""
        own = path[:-1].rpartition(b"/")[2]
        first = islice(self._entries, start, min(end, start + _SHAPE_NAMES))
        return tuple(
            _DIGITS.sub(b"#", entry.path[len(path) :].replace(own, b"@")) for entry in first
        )

    def _line_bytes(self, child: _Child) -> int:
        name = child.path[len(child.parent.prefix) :]
        size = _name_bytes(name, child.parent.depth + 1)
        entry = self._entries[child.start]
        if not child.is_folder and entry.kind is Kind.LINK:
            size += _target_bytes(entry)
        return size


def rest(files: int, folders: int) -> str:
    """Return what is said of files that are not shown.

    >>> rest(412, 30), rest(1, 0)
    ('… 412 more files in 30 folders', '… 1 more file')
    """
    words = f"… {files} more file{'s' if files != 1 else ''}"
    return words + (f" in {folders} folder{'s' if folders != 1 else ''}" if folders else "")


def _lead_bytes(depth: int) -> int:
    """Return the bytes before a name, at the most; the root's own children have depth 1."""
    return _ROOT_INDENT_BYTES + _INDENT_BYTES * (depth - 1) + _BRANCH_BYTES


def _shared(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """Return how many folders two paths have in common."""
    for depth, (name, same) in enumerate(zip(one, other, strict=False)):
        if name != same:
            return depth
    return min(len(one), len(other))


def _root_bytes(name: str) -> int:
    return len(f"{_TITLE}└── {names.quote(name)}/\n".encode())


def _name_bytes(name: bytes, depth: int) -> int:
    """Return the bytes of the line of *name*, at the most."""
    return _lead_bytes(depth) + len(names.quote(names.decode(name)).encode()) + 1


def _target_bytes(entry: Entry) -> int:
    """Return the bytes of what is shown of a link's target, at the most."""
    return len(' -> ""') + _MOST_QUOTED * (entry.size_bytes or 0)


def _suffix(path: bytes) -> bytes:
    name = path.rpartition(b"/")[2]
    return name.rpartition(b".")[2].lower() if b"." in name else name


def _folders_of(path: bytes) -> Iterator[bytes]:
    """Yield every folder above *path*, with its slash."""
    slash = path.find(b"/")
    while slash >= 0:
        yield path[: slash + 1]
        slash = path.find(b"/", slash + 1)
