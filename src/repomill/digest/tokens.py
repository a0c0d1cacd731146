"""Count tokens, offline and exactly as tiktoken does."""

from __future__ import annotations

import toktok

ENCODING = "o200k_base"
WIDEST = 999_999
"""No number of tokens takes more characters in the header."""
_THRESHOLDS = ((1_000_000, "M"), (1_000, "k"))


def count(text: str) -> int:
    """Return how many o200k_base tokens *text* has, special tokens read as plain text."""
    # One thread: a fleet has its own workers, and a short text gains nothing.
    counted: int = toktok.batch_count([text], ENCODING, threads=1)[0]
    return counted


def human(tokens: int) -> str:
    """Return *tokens* as gitingest writes it.

    >>> [human(n) for n in (999, 118_243, 2_000_000)]
    ['999', '118.2k', '2.0M']
    """
    for threshold, suffix in _THRESHOLDS:
        if tokens >= threshold:
            return f"{tokens / threshold:.1f}{suffix}"
    return str(tokens)
