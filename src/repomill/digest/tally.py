"""Count what is not in a digest, and put it into words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from repomill.model import Entry, Omission

_MOST_SUBMODULES_NAMED = 50

_WORDS = {
    Reason.BUDGET: "left out to keep the digest within its size",
    Reason.TOO_LARGE: "larger than the file-size limit",
    Reason.PATTERN: "left out by patterns",
    Reason.TOTAL_SIZE: "past the limit for all files together",
    Reason.DEPTH: "folders too deep to enter",
    Reason.SUBMODULE: "submodules, not fetched",
}


@dataclass(slots=True)
class Tally:
    """How many entries are missing for which reason, and how many bytes they have."""

    files: Counter[Reason] = field(default_factory=Counter)
    size_bytes: Counter[Reason] = field(default_factory=Counter)
    submodules: list[Entry] = field(default_factory=list)
    cut_files: int = 0
    cut_bytes: int = 0

    def add(self, omissions: Iterable[Omission]) -> Tally:
        """Count *omissions* too; return itself."""
        for omission in omissions:
            self.add_entry(omission.entry, omission.reason)
        return self

    def add_entry(self, entry: Entry, reason: Reason) -> None:
        """Count one entry."""
        self.files[reason] += 1
        self.size_bytes[reason] += entry.size_bytes or 0
        if reason is Reason.SUBMODULE:
            self.submodules.append(entry)

    def __str__(self) -> str:
        """Return the paragraph on what is not in the digest, or nothing.

        The bytes of files over the limit are never given: a filtered clone does not know them.
        """
        return self.in_words()

    def in_words(self, submodules_bytes: float = float("inf")) -> str:
        """Return the paragraph, with submodules named in so many bytes at the most."""
        lines = []
        if total := self.files.total():
            lines.append(f"Omitted: {total} file{'s' if total != 1 else ''}")
        for reason, words in _WORDS.items():
            if self.files[reason]:
                known = 0 if reason is Reason.TOO_LARGE else self.size_bytes[reason]
                size = f" ({known} bytes)" if known else ""
                lines.append(f"- {self.files[reason]} {words}{size}")
        lines += self._named(submodules_bytes)
        if self.cut_files:
            files = f"{self.cut_files} file{'s' if self.cut_files != 1 else ''}"
            lines.append(f"Cut: {files}, of which {self.cut_bytes} bytes are missing")
        return "".join(f"{line}\n" for line in lines)

    def _named(self, room_bytes: float) -> list[str]:
        lines: list[str] = []
        for entry in self.submodules[:_MOST_SUBMODULES_NAMED]:
            line = f"  {names.quote(names.decode(entry.path))} @ {entry.oid}"
            room_bytes -= len(line.encode()) + 1
            if room_bytes < 0:
                break
            lines.append(line)
        unnamed = len(self.submodules) - len(lines)
        return [*lines, f"  … and {unnamed} more"] if lines and unnamed else lines
