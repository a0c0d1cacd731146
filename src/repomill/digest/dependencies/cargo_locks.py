"""Read Cargo.lock: https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html.

Cargo writes it: one table a package, one key or one item of a list a line. Going by the lines takes
a hundredth of what a parser of TOML takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = frozenset({"[[package]]", "[root]"})
_FIELD = re.compile(r'(name|version|source) = "([^"]*)"')
# A name; a version too where the lock file has several; a source too in older files.
_USED = re.compile(r' "([^ "]+)(?: ([^ "]+))?(?: \([^"]*\))?",?')


@dataclass(frozen=True, slots=True)
class Package:
    """A table of the lock file."""

    fields: dict[str, str] = field(default_factory=dict)
    uses: list[tuple[str, str | None]] = field(default_factory=list)
    """Name, and the version where the lock file has several of that name."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file settles."""

    versions: Mapping[str, frozenset[str]]
    uses: Mapping[str, tuple[tuple[str, str | None], ...]]
    """Package of the workspace → what it uses."""

    def resolve(self, member: str, name: str) -> str | None:
        """Return the one version of *name* that *member* uses; None where it uses several."""
        named = {version for used, version in self.uses.get(member, ()) if used == name}
        known = self.versions.get(name, frozenset())
        used = {version for version in named if version} or (known if named else frozenset())
        return next(iter(used)) if len(used) == 1 else None


def parse(text: str) -> Lock:
    """Return what a lock file settles."""
    packages = list(_packages(text))
    versions: dict[str, set[str]] = {}
    for package in packages:
        versions.setdefault(package.fields.get("name", ""), set()).add(
            package.fields.get("version", "")
        )
    return Lock(
        {name: frozenset(some - {""}) for name, some in versions.items()},
        {
            package.fields.get("name", ""): tuple(package.uses)
            for package in packages
            if "source" not in package.fields
        },
    )


def _packages(text: str) -> list[Package]:
    packages: list[Package] = []
    package: Package | None = None
    for line in text.splitlines():
        if line.startswith("["):
            package = Package() if line.rstrip() in _PACKAGE else None
            packages += [package] if package is not None else []
        elif package is None:
            continue
        elif used := _USED.fullmatch(line):
            package.uses.append((used[1], used[2]))
        elif found := _FIELD.fullmatch(line):
            package.fields[found[1]] = found[2]
    return packages
