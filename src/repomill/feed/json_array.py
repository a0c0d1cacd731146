"""JSON arrays of any length, element by element.

Elements are decoded out of a window that slides over the text. One that does not fit in is passed
over by its structure alone.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TextIO

from repomill.errors import FeedError
from repomill.feed.entries import MAX_CHARACTERS, TOO_DEEP, TOO_LONG
from repomill.feed.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repomill.feed.entries import Defect

# No number is of use here, and one of a million digits would be refused as an integer. A tab inside
# a text is forbidden in JSON and harms nobody.
DECODER = json.JSONDecoder(parse_int=float, strict=False)

_CHUNK_CHARACTERS = 1 << 16
_SPACE = " \t\r\n"
_NO_SPACE = re.compile(f"[^{_SPACE}]")


def elements(text: TextIO) -> Iterator[object]:
    """Yield the elements of the array that *text* holds, a Defect in place of an unreadable one.

    Raises FeedError where the text ends too early or is no JSON.
    """
    window = _Window(text)
    window.take()
    position = 0
    if window.peek() != "]":
        position = 1
        yield window.element(position)
    while (mark := window.take()) != "]":
        if not mark:
            raise _truncated()
        if mark != ",":
            raise _broken(f"after its entry {position}")
        position += 1
        yield window.element(position)
    if window.peek():
        raise FeedError("the feed goes on behind its closing bracket; make it one JSON array")


class _Window:
    """A part of the text, and the place in it where reading goes on."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._part = ""
        self._at = 0

    def peek(self) -> str:
        """Return the next character that is no white space; at the end of the text, ''."""
        while True:
            character = self._part[self._at : self._at + 1]
            if character and character not in _SPACE:
                return character
            found = _NO_SPACE.search(self._part, self._at)
            self._at = found.start() if found else len(self._part)
            if not found and not self._grow():
                return ""

    def take(self) -> str:
        """Pass over the next character that is no white space, and return it."""
        character = self.peek()
        self._at += len(character)
        return character

    def element(self, position: int) -> object:
        """Pass over the next value and return it, or the Defect that it has.

        Raises FeedError, naming the *position*, where there is none.
        """
        self.peek()
        try:
            while not (found := self._decode()):
                if len(self._part) - self._at > MAX_CHARACTERS or not self._grow():
                    return self._unreadable(position)
        except RecursionError:
            self._skip()
            return TOO_DEEP
        value, end = found
        length, self._at = end - self._at, end
        return value if length <= MAX_CHARACTERS else TOO_LONG

    def _decode(self) -> tuple[object, int] | None:
        """Return the value at hand and where it ends; None where the window has too little."""
        try:
            value, end = DECODER.raw_decode(self._part, self._at)
        except ValueError:
            return None
        # A number may go on behind the window.
        may_go_on = end == len(self._part) and self._part[-1] not in '}]"'
        return None if may_go_on else (value, end)

    def _unreadable(self, position: int) -> Defect:
        if self._skip() <= MAX_CHARACTERS:
            raise _broken(f"in its entry {position}")
        return TOO_LONG

    def _skip(self) -> int:
        """Pass over the value at hand, whatever is in it, and return how long it is."""
        structure, length = Structure(), 0
        while True:
            piece = self._part[self._at : self._at + _CHUNK_CHARACTERS]
            end = structure.end_in(piece)
            passed = len(piece) if end is None else end
            self._at += passed
            length += passed
            if end is not None:
                return length
            if self._at == len(self._part) and not self._grow():
                raise _truncated()

    def _grow(self) -> bool:
        """Drop what has been read, and read on; return whether there was more."""
        rest = self._part[self._at :]
        room = MAX_CHARACTERS + 1 - len(rest)
        more = self._text.read(min(max(_CHUNK_CHARACTERS, len(rest)), room))
        self._part, self._at = rest + more, 0
        return bool(more)


def _truncated() -> FeedError:
    return FeedError("the feed is truncated: it ends before its closing bracket; get it anew")


def _broken(where: str) -> FeedError:
    return FeedError(f"the feed is no JSON {where}; what comes behind is not read")
