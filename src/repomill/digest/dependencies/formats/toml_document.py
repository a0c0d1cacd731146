"""TOML that strangers wrote, read by the standard library without letting it take forever.

tomllib's work on a key grows with the square of its parts, and on each line below a table with the
parts of the table's name. So the parts of a key are bounded before it sees the text: none that
people write comes near.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from repomill.digest.dependencies.base import ManifestError

MAX_CHARACTERS = 256 << 10
"""What tomllib reads in a quarter of a second."""

_MAX_QUOTED = 8
_LONG_KEY = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){16}")
_QUOTED_PART = re.compile(r"[\"'][ \t]*+\.")


def parse(text: str) -> dict[str, Any]:
    """Return the TOML document *text*. Raises ManifestError."""
    if len(text) > MAX_CHARACTERS:
        raise ManifestError(f"larger than {MAX_CHARACTERS >> 10} KiB")
    if _LONG_KEY.search(text) or _has_long_quoted_key(text):
        raise ManifestError("a key of too many parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"no TOML: {str(error)[:120]}") from None


def _has_long_quoted_key(text: str) -> bool:
    if len(_QUOTED_PART.findall(text)) <= _MAX_QUOTED:
        return False
    return any(len(_QUOTED_PART.findall(line)) > _MAX_QUOTED for line in text.split("\n"))
