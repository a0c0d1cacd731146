"""From the bytes of a feed to its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from repomill.errors import FeedError
from repomill.feed import json_array, lines
from repomill.feed.entries import Entry, Problem, interpret, one_line
from repomill.feed.unpack import Unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    Values = Iterator[tuple[int | None, object]]
    """The line where there is one, and what stands there: an object, or a Defect."""

_LOOKED_AT_FOR_NUL_BYTES = 8000
"""As many as git looks at to tell binary files from text."""

_MAX_QUOTED_CHARACTERS = 200
_FORMS = "a feed is a JSON array, JSON lines, CSV with a url column, or a URL a line"


def read(stream: BinaryIO) -> Iterator[Entry | Problem]:
    """Yield what the feed in *stream* holds, entry by entry, in whatever form it has.

    Raises FeedError at once for what is no feed, and at the end for one that is truncated, broken,
    or of whose entries none can be used: everything that could be read was yielded before.

    >>> import io
    >>> [entry.repo.full_name for entry in read(io.BytesIO(b'[{"url": "alphagov/whitehall"}]'))]
    ['alphagov/whitehall']
    """
    usable, first_problem, position = False, None, 0
    for position, (line, value) in enumerate(_values(stream), start=1):
        item = interpret(position, value, line=line)
        if isinstance(item, Entry):
            usable = True
        elif not usable and first_problem is None:
            first_problem = item
        yield item
    if first_problem and not usable:
        raise FeedError(
            f"none of the feed's {position} entries can be used ({first_problem.message}); {_FORMS}"
        )


def _values(stream: BinaryIO) -> Values:
    feed = Unpacked(stream)
    try:
        yield from _in_its_form(feed)
    except FeedError as error:
        # Where the stream broke, what seems wrong with the text comes from that.
        raise feed.failure() or error from None
    if failure := feed.failure():
        raise failure


def _in_its_form(feed: Unpacked) -> Values:
    """Yield the values of *feed*; its first character tells the form."""
    _refuse_binary(feed.head)
    match feed.head[:1]:
        case b"":
            raise FeedError(f"the feed is empty; {_FORMS}")
        case b"<":
            raise FeedError("the feed is a web page; give the URL of the file itself (raw)")
        case b"[":
            return ((None, value) for value in json_array.elements(feed.text))
        case b"{":
            _refuse_document(feed)
            return lines.json_values(lines.numbered(feed))
        case _:
            return lines.words_or_rows(lines.numbered(feed))


def _refuse_binary(head: bytes) -> None:
    if b"\0" in head[:_LOOKED_AT_FOR_NUL_BYTES]:
        raise FeedError(f"the feed is binary, or text that is not UTF-8; {_FORMS}")


def _refuse_document(feed: Unpacked) -> None:
    """Raise FeedError for one JSON object alone, unless it is an entry on a line."""
    document = _object(feed.head) if feed.is_all_head else None
    if document is not None and "url" not in document:
        raise FeedError(f"the feed is one JSON object{_says(document)}; {_FORMS}")
    first, _, rest = feed.head.partition(b"\n")
    rest = rest.lstrip()
    if rest and not rest.startswith(b"{") and _object(first) is None:
        raise FeedError("the feed is JSON over several lines, but no array; put [ ] around it")


def _object(text: bytes) -> dict[str, object] | None:
    try:
        value = json_array.DECODER.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _says(document: dict[str, object]) -> str:
    """Return the words that an API puts into its errors."""
    words = (document.get(key) for key in ("message", "error", "detail"))
    said = next((word for word in words if isinstance(word, str)), None)
    return f" that says {one_line(said, _MAX_QUOTED_CHARACTERS)!r}" if said else ""
