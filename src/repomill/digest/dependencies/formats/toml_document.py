"""TOML that strangers wrote, read by the standard library without letting it take forever.

For ``a.b.c = 1`` tomllib notes every beginning of the key, so its work grows with the square of the
parts: a key of 100,000 takes 40 GB. They are bounded before it sees the text.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from repomill.digest.dependencies.base import ManifestError

MAX_CHARACTERS = 256 << 10
"""What tomllib reads in a quarter of a second."""
MAX_KEY_PARTS = 16
"""What people write has less than 10."""

_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
# Nothing begins behind a backslash: from each \" in a string another search would go to its end.
_LONG_KEY = re.compile(rf"(?<![\w\\-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}")


def parse(text: str) -> dict[str, Any]:
    r"""Return the table that *text* is. Raises ManifestError.

    >>> parse("[a.b]\nc = 1")
    {'a': {'b': {'c': 1}}}
    """
    if len(text) > MAX_CHARACTERS:
        raise ManifestError(f"larger than {MAX_CHARACTERS >> 10} KiB")
    if key := _LONG_KEY.search(text):
        line = text.count("\n", 0, key.start()) + 1
        raise ManifestError(f"line {line} has more than {MAX_KEY_PARTS} words with dots between")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"no TOML: {str(error)[:120]}") from None
