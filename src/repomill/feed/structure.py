"""Where a JSON value ends, found by its quotes, backslashes and brackets alone.

For values that are too long to be decoded: nothing is kept of them, and a gigabyte takes seconds.
"""

from __future__ import annotations

import re
from itertools import accumulate

_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1, ",": 0}
_ENDS = {",", "]", "}"}
_MARK = re.compile(r'\\.?|["\[\]{},]', re.DOTALL)
_STEP_OF_BYTE = {ord(mark): step for mark, step in _STEPS.items()}
# No byte of UTF-8 but the character itself looks like one of these.
_UNMARKED = bytes(set(range(256)) - set(b'"[]{},'))


class Structure:
    """What is open at one place of a value that comes in pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def end_in(self, piece: str) -> int | None:
        """Return where in *piece* the value ends, before a comma or bracket; None if it goes on.

        >>> Structure().end_in('{"key": ["]"]} , 17')
        15
        """
        start = 1 if self._escaped and piece else 0
        self._escaped = False
        return None if self._passes(piece[start:]) else self._find(piece, start)

    def _passes(self, piece: str) -> bool:
        """Pass over *piece* at once, unless the value may end in it."""
        marks = piece.encode("utf-8", "replace").replace(rb"\\", b"").replace(rb"\"", b"")
        parts = marks.translate(None, _UNMARKED).split(b'"')
        change = self._change(b"".join(parts[self._quoted :: 2]))
        if change is None:
            return False
        self._depth += change
        self._quoted ^= len(parts) % 2 == 0
        self._escaped = marks.endswith(b"\\")
        return True

    def _change(self, outside: bytes) -> int | None:
        """Return by how much marks *outside* of quotes go deeper; None if the value may end."""
        if self._depth == 0:
            return None if outside else 0
        brackets = outside.translate(None, b",").replace(b"[]", b"").replace(b"{}", b"")
        closing = brackets.count(b"]") + brackets.count(b"}")
        if closing >= self._depth:
            lowest = min(accumulate(map(_STEP_OF_BYTE.__getitem__, brackets)))
            if self._depth + lowest <= 0:
                return None
        return len(brackets) - 2 * closing

    def _find(self, piece: str, start: int) -> int | None:
        """Go through *piece* mark by mark."""
        for found in _MARK.finditer(piece, start):
            mark = found[0]
            if mark[0] == "\\":
                self._escaped = mark == "\\"
            elif mark == '"':
                self._quoted = not self._quoted
            elif self._quoted:
                continue
            elif self._depth == 0 and mark in _ENDS:
                return found.start()
            else:
                self._depth += _STEPS[mark]
        return None
