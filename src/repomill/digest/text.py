"""Decide whether bytes are text, and decode them.

gitingest calls a file binary when its first 1,024 bytes are no UTF-8: a character cut at that
border, one stray byte, UTF-16 and Latin-1 are all lost. What it does show is shown here the same.
"""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What file(1) takes as a sign of data: controls but BEL BS HT LF VT FF CR ESC.
_DATA_BYTES = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_DATA_CHARACTERS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_HIGH_BYTES = bytes(range(0x80, 0x100))
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MAX_HIGH_SHARE = 0.3
"""Text of western Europe has fewer accented letters than this; other code pages have more."""


def decode(data: bytes) -> str | None:
    r"""Return *data* as text, or None where it is binary.

    Tried are UTF-8, UTF-16 and UTF-32 with a byte order mark, UTF-8 with a few broken bytes
    (replaced by U+FFFD), and Windows-1252, the superset of Latin-1.

    >>> decode("é".encode("latin-1") + b"t" * 9)
    'éttttttttt'
    >>> decode(b"\x89PNG\r\n\x1a\n") is None
    True
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_wide(data, encoding)
    if _DATA_BYTES.search(data):
        return None
    return _decode_damaged(data) or _decode_western(data)


def _decode_wide(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _DATA_CHARACTERS.search(text) else text


def _decode_damaged(data: bytes) -> str | None:
    """Decode UTF-8 of which most of the characters beyond ASCII are whole."""
    text = data.decode("utf-8", "replace")
    broken = text.count(_REPLACEMENT)
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if whole > broken else None


def _decode_western(data: bytes) -> str | None:
    if len(data) - len(data.translate(None, _HIGH_BYTES)) > _MAX_HIGH_SHARE * len(data):
        return None
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return None
