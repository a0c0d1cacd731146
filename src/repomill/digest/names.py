"""Names as they are shown: git's own quoting for what could deceive or break a line.

Source of the form: git's quote.c with ``core.quotePath=false``; bidirectional controls are quoted
too, since they make a name read as another (CVE-2021-42574).
"""

from __future__ import annotations

import re

# C0, DEL, C1, line and paragraph separators, bidirectional controls (Unicode's Bidi_Control),
# and lone surrogates, which stand for bytes that are no UTF-8.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LETTERS = {
    "\a": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


def decode(name: bytes) -> str:
    """Return *name* as text; bytes that are no UTF-8 become lone surrogates."""
    return name.decode("utf-8", "surrogateescape")


def quote(name: str) -> str:
    r"""Return *name* fit for one line: as it is, or in double quotes as git prints it.

    >>> quote("plain name.txt")
    'plain name.txt'
    >>> print(quote("two\nlines"), quote(decode(b"caf\xe9")))
    "two\nlines" "caf\351"
    """
    if not _HARMFUL.search(name):
        return name
    return '"' + "".join(_escape(character) for character in name) + '"'


def cut(text: str, max_characters: int) -> str:
    """Return *text*, or as many of its characters and an ellipsis.

    >>> cut("a long story", 6), cut("a tale", 6)
    ('a long…', 'a tale')
    """
    return text if len(text) <= max_characters else f"{text[:max_characters]}…"


def _escape(character: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    if not _HARMFUL.match(character):
        return character
    stands_for_a_byte = "\udc80" <= character <= "\udcff"
    errors = "surrogateescape" if stands_for_a_byte else "surrogatepass"
    octets = character.encode("utf-8", errors)
    return "".join(f"\\{octet:03o}" for octet in octets)
