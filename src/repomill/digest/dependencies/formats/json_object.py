"""JSON as manifests and lock files have it: one object, by RFC 8259 and no more."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from repomill.digest import names
from repomill.digest.dependencies.base import ManifestError, mapping

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping

MAX_RANGES = 5000
"""Of a section; the longest of real ones have some hundreds."""
_MAX_NAME_SHOWN = 60


def parse(text: str) -> Mapping[str, object]:
    """Return the object that *text* is; of equal keys the last counts, as in JavaScript and PHP.

    Raises ManifestError, with the line, where it is none, and RecursionError.

    >>> parse('{"name": "one", "name": "two"}')
    {'name': 'two'}
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ManifestError(f"no JSON: line {error.lineno}: {error.msg}") from None
    if not isinstance(value, dict):
        raise ManifestError("no JSON object")
    return mapping(value)


def ranges(
    manifest: Mapping[str, object], section: str, name: re.Pattern[str], problems: list[str]
) -> Iterator[tuple[str, str]]:
    """Yield the names, which match *name*, and the ranges of *section*.

    What is neither is a problem, all of it together.
    """
    wanted = manifest.get(section)
    if wanted and not isinstance(wanted, dict):
        problems.append(f"{section}: no object")
    unusable = []
    for key, requirement in islice(mapping(wanted).items(), MAX_RANGES):
        if isinstance(requirement, str) and name.fullmatch(key):
            yield key, requirement
        else:
            unusable.append(key)
    if isinstance(wanted, dict) and len(wanted) > MAX_RANGES:
        problems.append(f"{section}: only the first {MAX_RANGES} of {len(wanted)} are read")
    if unusable:
        shown = names.quote(names.cut(unusable[0], _MAX_NAME_SHOWN))
        others = f" and {len(unusable) - 1} more" if unusable[1:] else ""
        problems.append(f"{section}: no name and range: {shown}{others}")


def _no_constant(name: str) -> NoReturn:
    raise ManifestError(f"no JSON: {name} is no value")
