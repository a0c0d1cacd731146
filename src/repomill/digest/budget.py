"""Fill the room that a digest has for files, best first.

Each file takes its bytes, but never more than its kind's share of the room: a larger one is cut at
a line. What counts is not what a cut file takes in the end but what it was given; so how far in the
order the room reaches grows steadily with the room, and no file that is whole in a small digest is
anything less in a larger one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.digest import generated, gitingest, names, rules
from repomill.digest.cut import cut, end_of_head
from repomill.digest.linguist import Nature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from repomill.digest.rank import BestFirst, Ranked
    from repomill.model import Entry

    Render = Callable[[Entry], bytes]

LEAST_SHARE_BYTES = 2 << 10
"""What any file may take, however small its share."""
_SPARED_PART = 16
_LEAST_CUT_BYTES = 400
"""With less of it, a file would be a name and a line."""
_MOST_CHECKED = 1_000
"""So many of the best files are looked into, whether a program has written them. A fixed number:
what is told of a file must not depend on the room there is."""
_MOST_LOOKED_AT = 64 << 10
_LEAST_READ_BYTES = 2 << 20
"""A file of this size may be read, however small the room."""
_READ_FOR_NOTHING_BYTES = 64 << 20
_READ_TIMES_ROOM = 16
"""With the former: how much is read for a digest at the most, binary files and all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file's block as it stands in a digest."""

    entry: Entry
    body: bytes
    missing_bytes: int = 0
    missing_lines: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether the end of the file is missing."""
        return self.missing_lines > 0


def whole(entries: Iterable[Entry], render: Render, room_bytes: float) -> list[Shown] | None:
    """Return all blocks, in the order of *entries*; None as soon as they do not fit."""
    shown: list[Shown] = []
    reading = _Reading(room_bytes)
    left = room_bytes
    for entry in entries:
        if not reading.may_read(entry):
            return None
        block = render(entry)
        left -= len(block) + (len(gitingest.BETWEEN_BLOCKS) if shown else 0)
        if left < 0:
            return None
        shown.append(Shown(entry, block))
    return shown


def fill(best_first: BestFirst, render: Render, room_bytes: int) -> list[Shown]:
    """Return the blocks, whole or cut, that fit into *room_bytes*, best first."""
    slots: list[_Slot] = []
    looking_for = _GeneratedFiles(best_first)
    reading = _Reading(room_bytes)
    left: float = room_bytes * rules.PARTS
    for ranked in best_first:
        slot = _Slot(ranked.entry)
        share = max(ranked.rule.share * room_bytes, LEAST_SHARE_BYTES * rules.PARTS)
        if reading.may_read(ranked.entry):
            block = render(ranked.entry)
            if looking_for.has_put_back(ranked, block):
                continue
            slot.needed = (len(block) + len(gitingest.BETWEEN_BLOCKS)) * rules.PARTS
            slot.show(block, share, left)
        slot.given = min(share, slot.needed)
        slots.append(slot)
        left -= slot.given
        if left < 0:
            break
    _share_out(slots, render, left)
    return [slot.shown for slot in slots if slot.shown]


def _share_out(slots: Iterable[_Slot], render: Render, left: float) -> None:
    """Give what all files together have left to those that are cut, best first.

    The larger the room, the more is left to each: so this drops no whole file either. A file that
    was not read takes all of it, as it could in a larger room.
    """
    for slot in slots:
        if left <= 0:
            return
        if slot.given < slot.needed:
            more = min(left, slot.needed - slot.given)
            if slot.needed < math.inf:
                slot.show(render(slot.entry), slot.given + more, math.inf)
            left -= more


@dataclass(slots=True)
class _Slot:
    """What a file needs and is given, in PARTS of a byte."""

    entry: Entry
    needed: float = math.inf
    given: float = 0
    shown: Shown | None = None

    def show(self, block: bytes, given: float, left: float) -> None:
        """Show *block*, whole or cut, in what it is *given* of what is *left*."""
        if self.needed <= min(given, left):
            self.shown = Shown(self.entry, block)
        else:
            room_bytes = int(min(_cut_share(given), left)) // rules.PARTS
            self.shown = _cut(self.entry, block, room_bytes) or self.shown


class _Reading:
    """Bounds what is read for a digest, whatever comes of it: a blob can be text of no length."""

    def __init__(self, room_bytes: float) -> None:
        self._most_of_one = max(room_bytes, _LEAST_READ_BYTES)
        self._left = _READ_FOR_NOTHING_BYTES + _READ_TIMES_ROOM * room_bytes

    def may_read(self, entry: Entry) -> bool:
        """Whether *entry* may be read, now; what is far too large is not opened."""
        size = entry.size_bytes or 0
        if size > self._most_of_one:
            return False
        self._left -= size
        return self._left >= 0


def _cut_share(given: float) -> float:
    """Return what is left of a share where a file is cut: a file that lacks little is not."""
    return given - given // _SPARED_PART


def _cut(entry: Entry, block: bytes, room_bytes: int) -> Shown | None:
    if room_bytes < _LEAST_CUT_BYTES:
        return None
    part = cut(block, room_bytes - len(gitingest.BETWEEN_BLOCKS))
    return Shown(entry, part.body, part.missing_bytes, part.missing_lines) if part else None


class _GeneratedFiles:
    """Puts back files in which a program says that it wrote them."""

    def __init__(self, best_first: BestFirst) -> None:
        self._best_first = best_first

    def has_put_back(self, ranked: Ranked, block: bytes) -> bool:
        """Put *ranked* back if its *block* says so."""
        rule = rules.NATURES[Nature.GENERATED]
        known = ranked.rule.is_key or ranked.rule.points <= rule.points
        if known or self._best_first.place > _MOST_CHECKED:
            return False
        start = end_of_head(block)
        text = block[start : start + _MOST_LOOKED_AT].decode("utf-8", "replace")
        if not generated.is_generated(names.decode(ranked.entry.path), text):
            return False
        self._best_first.put_back(ranked, rule)
        return True
