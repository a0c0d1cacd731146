"""Lock files of pnpm: ``pnpm-lock.yaml``, versions 5 to 9.

They are written by pnpm alone, always in the same form, so lines are read and not YAML. Source of
the form: https://github.com/pnpm/spec/tree/master/lockfile. The direct dependencies are

    importers:                           at the top itself where there is one importer, before 9
      packages/api:
        dependencies:
          express: 4.18.2_debug@4.3.4    version 5; from 6 on:
          express:
            specifier: ^4.18.0
            version: 4.18.2(debug@4.3.4)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.digest.dependencies.npm_locks import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_TOP = (*_SECTIONS, "importers")
_ENTRY = re.compile(r"( *)('?)([^' :][^':]*)\2: ?(.*)")
_LOCKED = re.compile(
    r"'?(?:/?(?:@[^/\s]{1,200}/)?[^/@\s]{1,200}[@/])?"  # where the dependency is an alias
    rf"({VERSION})(?:[_(].*)?'?"  # what its peers are follows
)
_VERSION_AT = 5
"""Keys from the top to a version, ``importers`` included."""


@dataclass(frozen=True, slots=True)
class PnpmLock:
    """A lock file of pnpm."""

    importers: Mapping[str, Mapping[str, str]]
    """Folder → name → version."""

    def knows(self, folder: str) -> bool:
        """Whether it is one of the importers."""
        return folder in self.importers

    def version(self, folder: str, name: str, requirement: str) -> str | None:  # noqa: ARG002 any
        """Return what the importer uses under that name."""
        return self.importers.get(folder, {}).get(name)


def parse(text: str) -> PnpmLock:
    """Return what a lock file of pnpm says."""
    importers: dict[str, dict[str, str]] = {}
    for keys, value in _values(text):
        folder = "" if keys[1] == "." else keys[1]
        packages = importers.setdefault(folder, {})
        if len(keys) > 3 and keys[2] in _SECTIONS:  # noqa: PLR2004 importers, folder, section
            found = _LOCKED.fullmatch(value)
            if found and keys[4:] in ([], ["version"]):
                packages[keys[3]] = found[1]
    return PnpmLock(importers)


def _values(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield each key of an importer with those above it, and its value if it is on that line."""
    keys: list[str] = []
    for line in text.split("\n"):
        if line.startswith(" ") and not (keys and keys[0] in _TOP):
            continue
        entry = _ENTRY.fullmatch(line.rstrip())
        if not entry:
            continue
        depth = len(entry[1]) // 2
        keys[depth:] = [entry[3]]
        whole = keys if keys[0] == "importers" else ["importers", ".", *keys]
        if keys[0] in _TOP and 1 < len(whole) <= _VERSION_AT and depth < len(keys):
            yield whole.copy(), entry[4]
