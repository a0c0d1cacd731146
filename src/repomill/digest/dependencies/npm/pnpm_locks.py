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

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.npm.locks import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_TOP = (*_SECTIONS, "importers")
_ENTRY = re.compile(r"( *)('?)([^' :][^':]*)\2: ?(.*)")
_LOCKED = re.compile(
    rf"'?(?:({VERSION})"
    rf"|/?(?:@[^/\s]{{1,200}}/)?[^/@(\s]{{1,200}}[@/]({VERSION}))"  # an alias: /ms@2.1.3, /ms/2.1.3
    r"(?:[_(].*)?'?"  # what its peers are
)

MAX_LINES = 200_000
"""About importers; the rest is passed over."""
_AT_NAME = 3
"""Keys that lead from the importers to a package: folder, section, name."""


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
    """Return what a lock file of pnpm says. Raises ManifestError."""
    importers: dict[str, dict[str, str]] = {}
    keys: list[str] = []
    left = MAX_LINES
    for line in text.split("\n"):
        if line.startswith(" ") and not (keys and keys[0] in _TOP):
            continue
        entry = _ENTRY.fullmatch(line.rstrip())
        if not entry:
            continue
        indented, _, key, value = entry.groups()
        left -= 1
        if left < 0:
            raise ManifestError(f"more than {MAX_LINES} lines about importers")
        keys[len(indented) // 2 :] = [key]
        if keys[0] == "importers":
            _add(importers, keys[1:], value)
        elif keys[0] in _SECTIONS:
            _add(importers, [".", *keys], value)
    return PnpmLock(importers)


def _add(importers: dict[str, dict[str, str]], keys: list[str], value: str) -> None:
    """Add what *keys*, which lead from an importer to *value*, say of it."""
    if not keys:
        return
    packages = importers.setdefault("" if keys[0] == "." else keys[0], {})
    if len(keys) != _AT_NAME and keys[_AT_NAME:] != ["version"]:
        return
    if keys[1] in _SECTIONS and (found := _LOCKED.fullmatch(value)):
        packages[keys[2]] = found[1] or found[2]
