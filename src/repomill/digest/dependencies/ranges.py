"""See whether a lock file contradicts a manifest: then it is out of date.

The ecosystems' ranges differ; what is looked at here means the same in all of them, and what is not
understood contradicts nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest

_TERM = re.compile(r"(\^|~>|~=|~|>=|<=|===|==|=|>|<|)\s*v?(\d{1,9}(?:\.\d{1,9}){0,5})", re.ASCII)
_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,5})", re.ASCII)
_MOST_CHARACTERS = 200


@lru_cache(maxsize=1 << 12)
def contradicts(requirement: str, version: str) -> bool:
    """Whether *version* cannot be meant by *requirement*. Of pre-releases only the release counts.

    >>> [
    ...     contradicts(one, "5.98.0")
    ...     for one in ("> 6.9.0", "^5.1", "==5.98.1", ">=5, <5.9", "5 || 6")
    ... ]
    [True, False, True, True, False]
    """
    release = _RELEASE.match(version)
    if not release or len(requirement) > _MOST_CHARACTERS:
        return False
    terms = [_TERM.fullmatch(term.strip()) for term in requirement.split(",")]
    return all(terms) and any(_excludes(term[1], term[2], release[1]) for term in terms if term)


def _excludes(operator: str, bound: str, release: str) -> bool:
    order = _compared(release, bound)
    if operator in {"=", "==", "==="}:
        return order != 0
    if operator in {"<", "<="}:
        return order > 0 or (order == 0 and operator == "<")
    if operator == "^" and not bound.startswith("0") and _major(release) != _major(bound):
        return True
    return order < 0 or (order == 0 and operator == ">")  # a plain version is the least, or exact


def _major(release: str) -> str:
    return release.partition(".")[0]


def _compared(one: str, other: str) -> int:
    """Return what is negative where *one* comes before *other*, and 0 where they are equal."""
    pairs = zip_longest(map(int, one.split(".")), map(int, other.split(".")), fillvalue=0)
    return next((left - right for left, right in pairs if left != right), 0)
