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

A specifier is the manifest's range, or what an override has instead. Version 5 has them in a
section of their own.
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
_SPECIFIERS = "specifiers"
_OVERRIDES = "overrides"
_TOP = (*_SECTIONS, _SPECIFIERS, _OVERRIDES, "importers")
_ENTRY = re.compile(r"( *)('?)([^' :][^':]*)\2: ?(.*)")
_LOCKED = re.compile(
    rf"'?(?:({VERSION})"
    rf"|/?(?:@[^/\s]{{1,200}}/)?[^/@(\s]{{1,200}}[@/]({VERSION}))"  # an alias: /ms@2.1.3, /ms/2.1.3
    r"(?:[_(].*)?'?"  # what its peers are
)
_OVERRIDDEN = re.compile(r"(?:^|>(?=[@A-Za-z]))((?:@[^/@>]+/)?[^/@>]+)")
"""The package that an override is about stands last: ``ms``, ``ms@<2``, ``debug@4>ms``."""

MAX_LINES = 200_000
"""About importers; the rest is passed over."""


@dataclass(frozen=True, slots=True)
class PnpmLock:
    """A lock file of pnpm."""

    importers: Mapping[str, Mapping[str, str]]
    """Folder → name → version."""
    overridden: Mapping[str, Mapping[str, str]]
    """Folder → name → specifier, of what an override is about."""

    def knows(self, folder: str) -> bool:
        """Whether it is one of the importers."""
        return folder in self.importers

    def version(self, folder: str, name: str, requirement: str) -> str | None:  # noqa: ARG002 any
        """Return what the importer uses under that name."""
        return self.importers.get(folder, {}).get(name)


def parse(text: str) -> PnpmLock:
    """Return what a lock file of pnpm says. Raises ManifestError."""
    importers: dict[str, dict[str, str]] = {}
    specifiers: dict[str, dict[str, str]] = {}
    overridden: set[str] = set()
    keys: list[str] = []
    is_wanted = False
    left = MAX_LINES
    for line in text.split("\n"):
        if not is_wanted and line.startswith(" "):
            continue
        entry = _ENTRY.fullmatch(line.rstrip())
        if not entry:
            continue
        indented, _, key, value = entry.groups()
        left -= 1
        if left < 0:
            raise ManifestError(f"more than {MAX_LINES} lines about importers")
        keys[len(indented) // 2 :] = [key]
        is_wanted = keys[0] in _TOP
        if keys[0] == _OVERRIDES:
            overridden.update(_OVERRIDDEN.findall(key)[-1:])
        elif keys[0] == _SPECIFIERS:
            _add_specifier(specifiers.setdefault("", {}), keys, value)
        elif below := [".", *keys] if keys[0] in _SECTIONS else _below_importers(keys):
            folder = "" if below[0] == "." else below[0]
            _add_version(importers.setdefault(folder, {}), below[1:], value)
            _add_specifier(specifiers.setdefault(folder, {}), below[1:], value)
    return PnpmLock(importers, _only(overridden, specifiers))


def _below_importers(keys: list[str]) -> list[str]:
    return keys[1:] if keys[0] == "importers" else []


def _add_version(packages: dict[str, str], keys: list[str], value: str) -> None:
    """Add the version that *value* is, if *keys*, which lead to it from an importer, say so."""
    match keys:
        case [section, name] | [section, name, "version"] if section in _SECTIONS:
            if found := _LOCKED.fullmatch(value):
                packages[name] = found[1] or found[2]


def _add_specifier(packages: dict[str, str], keys: list[str], value: str) -> None:
    """Add the specifier that *value* is, if *keys*, which lead to it from an importer, say so."""
    match keys:
        case [section, name] if section == _SPECIFIERS:
            packages[name] = value.strip("'")
        case [section, name, "specifier"] if section in _SECTIONS:
            packages[name] = value.strip("'")


def _only(
    names: set[str], folders: Mapping[str, Mapping[str, str]]
) -> Mapping[str, Mapping[str, str]]:
    if not names:
        return {}
    return {
        folder: {name: specifiers[name] for name in names & specifiers.keys()}
        for folder, specifiers in folders.items()
    }
