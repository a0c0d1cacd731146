"""CSV with a ``url`` column, row by row.

A quote that is never closed takes everything behind it for one field. So a row that fails costs its
first line alone: the lines behind that one are read anew.
"""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from repomill.errors import FeedError
from repomill.feed.entries import MAX_CHARACTERS, TOO_LONG, Defect, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Line: TypeAlias = "tuple[int, str | None]"
"""Its number, and its text with its end; None for one that is too long."""

_COLUMNS = {key.lower(): key for key in ("url", "pushedAt", "description", "license")}


def columns(header: str) -> dict[str, int]:
    """Return where each fact stands in a row; nothing if *header* is no CSV header with a url.

    >>> columns("Name,URL,pushedAt")
    {'url': 1, 'pushedAt': 2}
    """
    try:
        names = next(csv.reader([header], strict=True), [])
    except csv.Error:
        return {}
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        if key := _COLUMNS.get(name.strip().lower()):
            found.setdefault(key, index)
    return found if "url" in found else {}


def rows(columns: Mapping[str, int], lines: Iterator[Line]) -> Iterator[tuple[int, object]]:
    """Yield each row as an object, with its first line's number; a Defect for what is no row.

    Raises FeedError where the last row is cut off.
    """
    # It holds for the whole process, where somebody else may want more.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CHARACTERS))
    source = _RowLines(lines)
    reader = csv.reader(source, strict=True)
    while True:
        source.begin()
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield source.give_up(error)
            continue
        if row is None:
            source.check_end()
            return
        if any(map(str.strip, row)):
            yield source.first, {key: row[at] for key, at in columns.items() if at < len(row)}


class _RowTooLongError(csv.Error):
    """A row goes on for longer than is read."""


class _RowLines:
    """Lines as the csv module asks for them, one or more for a row."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []
        self._characters = 0
        self._ended = False
        self._cut_off_in: int | None = None

    def begin(self) -> None:
        """Let the next line be the first of a row."""
        self._taken.clear()
        self._characters = 0
        self._ended = False

    @property
    def first(self) -> int:
        """Number of the row's first line."""
        return self._taken[0][0]

    def __iter__(self) -> _RowLines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self._ended = True
            raise StopIteration
        self._taken.append(line)
        _, text = line
        self._characters += len(text or "")
        if text is None or self._characters > MAX_CHARACTERS:
            raise _RowTooLongError
        return text

    def give_up(self, error: csv.Error) -> tuple[int, Defect]:
        """Return what is wrong with the row; all of its lines but the first come again."""
        self._again.extendleft(reversed(self._taken[1:]))
        if isinstance(error, _RowTooLongError):
            return self.first, TOO_LONG
        if not self._ended:
            return self.first, Defect(ProblemKind.NOT_AN_OBJECT, f"it is no CSV ({error})")
        _, last = self._taken[-1]
        if last and not last.endswith("\n"):
            self._cut_off_in = self.first
        return self.first, Defect(ProblemKind.NOT_AN_OBJECT, "a quote in it is never closed")

    def check_end(self) -> None:
        """Raise FeedError if the last row was cut off."""
        if self._cut_off_in is not None:
            raise FeedError(
                f"the feed is truncated, or a quote missing: the one in line {self._cut_off_in} "
                "is never closed"
            )
