"""Choose the entries of a commit that go into its digest, before gitingest runs.

Nothing disappears: an entry is either chosen or omitted with a reason. The reasons are tried in a
fixed order in which a file over the limit counts as that first, whatever patterns say: a filtered
clone never learnt its size, so the other figures stay the same on every transport.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.digest.patterns import Patterns
from repomill.model import Entry, Kind, Omission, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_LINK_BYTES = 4096
"""The longest path Linux knows: a longer target is no link."""
MAX_TOTAL_BYTES = 500 << 20
"""What gitingest takes of one repository, at the most; a budget is the tighter bound."""
LEAST_SIZE_BYTES = 4 << 10
"""A smaller digest would be a header and little else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectOptions:
    """Which files a digest may hold, and how much of them."""

    max_size_bytes: int | None = 512 << 10
    """Of the whole digest; None for everything."""
    max_file_size_bytes: int = 512 << 10
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def blob_limit_bytes(self) -> int:
        """The size up to which blobs have to be fetched."""
        return max(self.max_file_size_bytes, MAX_LINK_BYTES)


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes in, and what stays out; both sorted by path."""

    chosen: Sequence[Entry]
    omitted: Sequence[Omission] = field(default_factory=list)


def select(
    entries: Iterable[Entry], options: SelectOptions, *, default_patterns: Sequence[str]
) -> Selection:
    """Return which of *entries*, sorted by path, go into the digest.

    *default_patterns* are left out as by ``--exclude``, before it. An ``--include`` spelt like one
    of them lifts it, as in gitingest.
    """
    lifted = set(options.include)
    defaults = [pattern for pattern in default_patterns if pattern not in lifted]
    exclude = Patterns([*defaults, *options.exclude])
    include = Patterns(options.include) if options.include else None
    most_bytes = MAX_TOTAL_BYTES if options.max_size_bytes is None else math.inf
    chosen: list[Entry] = []
    omitted: list[Omission] = []
    total_bytes = 0
    for entry in entries:
        reason = _reason(entry, options) or _reason_by_pattern(entry, include, exclude)
        if reason is None and total_bytes + (entry.size_bytes or 0) > most_bytes:
            reason = Reason.TOTAL_SIZE
        if reason is None:
            chosen.append(entry)
            total_bytes += entry.size_bytes or 0
        else:
            omitted.append(Omission(entry, reason))
    return Selection(chosen, omitted)


def _reason(entry: Entry, options: SelectOptions) -> Reason | None:
    if entry.kind is Kind.SUBMODULE:
        return Reason.SUBMODULE
    if entry.kind is Kind.FOLDER:
        return Reason.DEPTH
    limit = MAX_LINK_BYTES if entry.kind is Kind.LINK else options.max_file_size_bytes
    if entry.size_bytes is None or entry.size_bytes > limit:
        return Reason.TOO_LARGE
    return None


def _reason_by_pattern(entry: Entry, include: Patterns | None, exclude: Patterns) -> Reason | None:
    path = names.decode(entry.path)
    if exclude.match(path) or (include and not include.match(path)):
        return Reason.PATTERN
    return None
