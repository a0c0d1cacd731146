"""Feeds that go line by line: JSON lines and plain text, and the lines of all others."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING

from repomill.errors import FeedError
from repomill.feed import table
from repomill.feed.entries import MAX_CHARACTERS, TOO_DEEP, TOO_LONG, Defect, ProblemKind
from repomill.feed.json_array import DECODER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repomill.feed.table import Line
    from repomill.feed.unpack import Unpacked

_COMMENT = re.compile(r"(^|\s)#.*", re.DOTALL)


def numbered(feed: Unpacked) -> Iterator[Line]:
    """Yield every line of *feed*, without ever holding more than the longest that is read.

    The beginning of a line that an error cut off is not yielded: it may look like a whole one.
    """
    readline = feed.text.readline
    number = feed.first_line
    while line := readline(MAX_CHARACTERS + 1):
        too_long = len(line) > MAX_CHARACTERS and line[-1] != "\n"
        while too_long and line and line[-1] != "\n":
            line = readline(MAX_CHARACTERS + 1)
        if not line.endswith("\n") and feed.failure():
            return
        yield number, None if too_long else line
        number += 1


def json_values(lines: Iterator[Line]) -> Iterator[tuple[int, object]]:
    """Yield the value of each line that is not blank, a Defect for an unreadable one.

    Raises FeedError where the last line is cut off.
    """
    for number, line in lines:
        if line is None:
            yield number, TOO_LONG
        elif not line.isspace():
            yield number, _decode(number, line)


def _decode(number: int, line: str) -> object:
    try:
        return DECODER.decode(line)
    except RecursionError:
        return TOO_DEEP
    except json.JSONDecodeError as error:
        if not line.endswith("\n"):
            raise FeedError(f"the feed is truncated: it ends within line {number}") from None
        return Defect(
            ProblemKind.NOT_AN_OBJECT, f"it is no JSON ({error.msg}, column {error.colno})"
        )


def words_or_rows(lines: Iterator[Line]) -> Iterator[tuple[int, object]]:
    """Yield the entries of plain text or, if the first line that is no comment says so, of CSV."""
    for number, line in lines:
        if line is None or _COMMENT.sub("", line).strip():
            columns = table.columns(line or "")
            words = _words(chain([(number, line)], lines))
            yield from table.rows(columns, lines) if columns else words
            return


def _words(lines: Iterator[Line]) -> Iterator[tuple[int, object]]:
    for number, line in lines:
        if line is None:
            yield number, TOO_LONG
        elif url := (_COMMENT.sub("", line) if "#" in line else line).strip():
            yield number, {"url": url}
