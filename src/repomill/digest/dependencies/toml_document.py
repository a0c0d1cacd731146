"""TOML that strangers wrote: tomllib, with a bound on what makes it slow.

For ``a.b.c = 1`` tomllib notes every beginning of the key, so a key of 100,000 parts takes 40 GB.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from repomill.digest.dependencies.base import ManifestError

MAX_KEY_PARTS = 16
"""What people write has less than 10."""

_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}")


def parse(text: str) -> dict[str, Any]:
    r"""Return the table that *text* is. Raises ManifestError, or ValueError where it is no TOML.

    >>> parse("[a.b]\nc = 1")
    {'a': {'b': {'c': 1}}}
    """
    key = _LONG_KEY.search(text)
    if key:
        line = text.count("\n", 0, key.start()) + 1
        raise ManifestError(f"line {line} has more than {MAX_KEY_PARTS} words with dots between")
    return tomllib.loads(text)
