"""Sizes as people write them."""

from __future__ import annotations

import re

from repomill.errors import UsageError

_SIZE = re.compile(r"(\d{1,15})\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse(text: str) -> int:
    """Return the bytes that *text* means: ``KiB`` and ``K`` are 1024 of them, ``KB`` is 1000.

    Raises UsageError.

    >>> parse("512KiB"), parse("10 MB"), parse("4096")
    (524288, 10000000, 4096)
    """
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{text!r} is no size; write 512KiB, 10MB or a number of bytes")
    number, prefix, binary = found.groups()
    decimal = text.strip().lower().endswith("b") and not binary
    factor: int = (1000 if decimal else 1024) ** _POWERS[prefix.lower()]
    return int(number) * factor
