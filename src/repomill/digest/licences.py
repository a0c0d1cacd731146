"""Which licence the text of a licence file is, as its SPDX identifier.

The texts are those that identify carries (choosealicense.com's). A file is compared by the pairs of
its words, as askalono and licensee do, so that line breaks, marks and whose copyright it is do not
matter; the time grows with its length. identify's own comparison is an edit distance that first
drops every line beginning with "copyright", so also one of MIT's disclaimer, wherever the text is
wrapped there. The Open Government Licence is recognised by its name: a note may
name it instead of quoting it, and identify has no text of it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from identify.vendor.licenses import LICENSES

MAX_CHARACTERS = 64 << 10
"""Of a file, what is looked at; the longest licence has 35,000."""
MIN_SIMILARITY = 0.98
"""Shared pairs of words, titles and copyrights aside. 56 real texts of MIT and Apache-2.0 have at
least 0.996; two different known licences at most 0.978 (AFL-3.0 and OSL-3.0)."""

_FILE_NAME = re.compile(
    r"(?:mit-)?(?:(?:un)?licen[cs]e|copying)(?:[-.](?:mit|apache|bsd|gpl|lesser))?"
    r"(?:\.(?:md|markdown|txt|rst))?\Z",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9]+")
# Whose it is, one line for each: (c) 2020 …, Copyright © …, Copyright [year] [name]
_COPYRIGHT = re.compile(r"\W*(?:copyright\b.*(?:\d{4}|\(c\)|©|\[|<|crown)|\(c\)|©|crown copyright)")
_TITLE_LINES = 3
_MAX_TITLE_LENGTH = 60
# Conditions that turn a text which is otherwise a known one into another.
_RESTRICTIONS = frozenset({"commercial", "commercially", "evil", "military", "noncommercial"})

_SPDX_TAG = re.compile(r"spdx-license-identifier:[ \t]*([\w.+-]{1,64})", re.IGNORECASE)
_OPEN_GOVERNMENT = re.compile(
    r"open[ -]government[ -]license[/ ,(]{0,3}(?:for public sector information[ ,(]{0,3})?"
    r"(?:ogl[ ),]{0,3})?(?:version|v)?[ /.]{0,2}([123])\b"
    r"|open government v?([123])(?:\.0)? license"
)
_OTHER_LICENCES = re.compile(r"\b(?:mit|apache|gnu|bsd|mozilla|eupl)\b")
_OPEN_GOVERNMENT_WORDS = 2000
"""A longer text is about something else."""


@dataclass(frozen=True, slots=True)
class _Words:
    """A text as it is compared."""

    pairs: Counter[tuple[str, str]]
    total: int
    """Pairs, repeated ones included."""
    restrictions: int


def is_licence_file(path: str) -> bool:
    """Whether *path* is where a repository keeps its licence: LICENSE or the like, at the top."""
    return _FILE_NAME.match(path) is not None


def recognise(path: str, text: str) -> str | None:
    """Return the SPDX identifier of the licence that *text* is; None where that is not certain.

    None also where *path* is no licence file: elsewhere a licence is somebody else's.
    """
    if not is_licence_file(path):
        return None
    text = text[:MAX_CHARACTERS].lower().replace("licence", "license")
    return _compare(_words(text)) or _named(text)


def _compare(text: _Words) -> str | None:
    """Return the known licence that shares most pairs of words with *text*, if that is enough."""
    similar = [
        (_similarity(text, template), spdx_id)
        for spdx_id, template in _templates().items()
        if text.restrictions <= template.restrictions
    ]
    best, spdx_id = max(similar, default=(0.0, None))
    return spdx_id if best >= MIN_SIMILARITY else None


def _similarity(one: _Words, other: _Words) -> float:
    """Return Sorensen and Dice's coefficient: 1 for equal texts, 0 for those that share nothing."""
    both = one.total + other.total
    if 2 * min(one.total, other.total) < MIN_SIMILARITY * both:  # cannot be enough
        return 0.0
    return 2 * (one.pairs & other.pairs).total() / both


@cache
def _templates() -> dict[str, _Words]:
    """Return the known licences; made when first asked for, in some 50 ms."""
    return {
        spdx_id: _words(text.lower().replace("licence", "license")) for spdx_id, text in LICENSES
    }


def _words(text: str) -> _Words:
    """Return *text*, in lower case, without its title and whose copyright it is."""
    lines = [line for line in text.split("\n") if line.strip() and not _COPYRIGHT.match(line)]
    body = [
        line
        for place, line in enumerate(lines)
        if place >= _TITLE_LINES or len(line) > _MAX_TITLE_LENGTH or "license" not in line
    ]
    words = _WORD.findall("\n".join(body))
    pairs = Counter(pairwise(words))
    return _Words(pairs, pairs.total(), sum(word in _RESTRICTIONS for word in words))


def _named(text: str) -> str | None:
    """Return the licence that a short note in lower case names."""
    tag = _SPDX_TAG.search(text)
    if tag:
        return _SPDX_IDS.get(tag[1])
    words = " ".join(text.split())
    found = _OPEN_GOVERNMENT.search(words)
    if not found or _OTHER_LICENCES.search(words) or words.count(" ") > _OPEN_GOVERNMENT_WORDS:
        return None
    return f"OGL-UK-{found[1] or found[2]}.0"


_GNU = ("AGPL-3.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0")
_SPDX_IDS = {
    spdx_id.lower(): spdx_id
    for spdx_id in (
        *(spdx_id for spdx_id, _ in LICENSES),
        *(f"{spdx_id}-{which}" for spdx_id in _GNU for which in ("only", "or-later")),
        *(f"OGL-UK-{version}.0" for version in (1, 2, 3)),
    )
}
"""In lower case → as written: what a tag may name."""
