"""What the values of a record may be.

Each check takes many values of one kind at once, because a million records are checked when they
are loaded; it raises ValueError, or TypeError, unless all of them are good.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    Check = Callable[[Sequence[Any]], None]

_MAX_CHARACTERS = 16_384
_MAX_NAMES = 64
_MAX_INTEGER = 2**63 - 1
"""What SQLite takes."""
_MAX_SECONDS = 1e12
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def texts(values: Collection[Any]) -> None:
    """Accept texts that can be written."""
    if max(map(len, values), default=0) > _MAX_CHARACTERS:
        raise ValueError("a text is too long")
    joined = "".join(values)
    if not joined.isascii():
        joined.encode()  # half a character is none


def names(values: Collection[Any]) -> None:
    """Accept texts that are not empty."""
    texts(values)
    if not all(values):
        raise ValueError("a name is empty")


def times(values: Collection[Any]) -> None:
    """Accept times in RFC 3339, in UTC, with milliseconds."""
    if not all(map(_TIME.fullmatch, values)):
        raise ValueError("a time is none")
    for value in values:
        datetime.fromisoformat(value)


def counts(values: Collection[Any]) -> None:
    """Accept whole numbers from 0."""
    if not {*map(type, values)} <= {int}:
        raise ValueError("a count is none")
    if min(values, default=0) < 0 or max(values, default=0) > _MAX_INTEGER:
        raise ValueError("a count is too small, or too large")


def seconds(values: Collection[Any]) -> None:
    """Accept numbers from 0."""
    if not {*map(type, values)} <= {int, float}:
        raise ValueError("a number of seconds is none")
    if not all(0 <= value < _MAX_SECONDS for value in values):  # unlike min, it finds a NaN
        raise ValueError("a number of seconds is too small, or too large")


def seconds_by_name(values: Collection[Any]) -> None:
    """Accept mappings of names to seconds."""
    _mappings(values, seconds)


def counts_by_name(values: Collection[Any]) -> None:
    """Accept mappings of names to counts."""
    _mappings(values, counts)


def one_of(allowed: frozenset[str]) -> Check:
    """Return the check for values that are among those *allowed*."""

    def check(values: Collection[Any]) -> None:
        if not allowed.issuperset(values):
            raise ValueError(f"a value is none of {', '.join(sorted(allowed))}")

    return check


def optional(check: Check) -> Check:
    """Return the check for values that may be None as well."""
    return lambda values: check([value for value in values if value is not None])


def _mappings(values: Collection[Any], check: Check) -> None:
    if not {*map(type, values)} <= {dict} or max(map(len, values), default=0) > _MAX_NAMES:
        raise ValueError("values by name are none, or too many")
    names(list(chain.from_iterable(values)))
    check(list(chain.from_iterable(value.values() for value in values)))
