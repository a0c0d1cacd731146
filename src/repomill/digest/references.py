"""Find out how much a repository points at its own files: links, paths and imports in key files."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections import Counter
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from repomill.model import Entry

MOST_SOURCES = 48
"""Key files that are read for it."""
MOST_SOURCE_BYTES = 128 << 10
"""A larger one is not read."""
_MOST_WORDS = 4_000
_path = attrgetter("path")
# A path, or the dotted name of a module.
_WORD = re.compile(rb"[A-Za-z0-9_@.~+-]+(?:/[A-Za-z0-9_@.~+-]+)*")
_SHORTEST = 3


def count(
    sources: Iterable[Entry], entries: Sequence[Entry], read: Callable[[Entry], bytes]
) -> Mapping[bytes, int]:
    """Return path → how many of *sources* point at it, of those of *entries*, sorted by path."""
    found = Counter[bytes]()
    readable = (s for s in sources if 0 < (s.size_bytes or 0) <= MOST_SOURCE_BYTES)
    for source in islice(readable, MOST_SOURCES):
        words = (match[0] for match in _WORD.finditer(read(source)))
        distinct = dict.fromkeys(islice((w for w in words if len(w) >= _SHORTEST), _MOST_WORDS))
        targets = {path for word in distinct for path in _targets(word, source, entries)}
        found.update(targets - {source.path})
    return found


def _targets(word: bytes, source: Entry, entries: Sequence[Entry]) -> Iterator[bytes]:
    """Yield the paths that *word* in *source* could mean."""
    folder = source.path.rpartition(b"/")[0]
    word = word.rstrip(b".")
    for place in {b"", folder}:
        path = posixpath.normpath(posixpath.join(place, word)).lstrip(b"/")
        if exact := _find(path, entries):
            yield exact
        elif b"/" in word or b"." in word:
            yield from _find_module(path, entries)
            if b"/" not in word:
                yield from _find_module(posixpath.join(place, word.replace(b".", b"/")), entries)


def _find(path: bytes, entries: Sequence[Entry]) -> bytes | None:
    place = bisect_left(entries, path, key=_path)
    return path if place < len(entries) and entries[place].path == path else None


def _find_module(stem: bytes, entries: Sequence[Entry]) -> Iterator[bytes]:
    """Yield the file called *stem* but for its suffix, if there is one: ``import x from './x'``."""
    place = bisect_left(entries, stem + b".", key=_path)
    if place < len(entries):
        path = entries[place].path
        if path.startswith(stem + b".") and b"/" not in path[len(stem) :]:
            yield path
