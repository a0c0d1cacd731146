"""Read Cargo.lock: https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html.

Cargo writes it: one table a package, one key or one item of a list a line. Going by the lines takes
a hundredth of what a parser of TOML takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PACKAGE = frozenset({"[[package]]", "[root]"})
_FIELD = re.compile(r'(name|version|source) = "([^"]*)"')
# A name; a version too where the lock file has several; a source too in older files.
_USED = re.compile(r' "([^ "]+)(?: ([^ "]+))?(?: \([^"]*\))?",?')

_ANY: set[str] = set()
"""Of all names without a version: a set each would take 70 MB."""


@dataclass(frozen=True, slots=True)
class _Package:
    """A table of the lock file."""

    fields: dict[str, str] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)
    """Name → versions, where the lock file has several of that name."""

    def use(self, name: str, version: str | None) -> None:
        known = self.uses.get(name)
        if not known:
            self.uses[name] = {version} if version else _ANY
        elif version:
            known.add(version)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file settles."""

    versions: Mapping[str, set[str]]
    uses: Mapping[str, Mapping[str, set[str]]]
    """Package of the workspace → name of what it uses → versions, none where there is but one."""

    def resolve(self, member: str, name: str) -> str | None:
        """Return the one version of *name* that *member* uses; None where it uses several."""
        named = self.uses.get(member, {}).get(name)
        used = set() if named is None else named or self.versions.get(name, set())
        return next(iter(used)) if len(used) == 1 else None


def parse(text: str) -> Lock:
    """Return what a lock file settles."""
    versions: dict[str, set[str]] = {}
    uses: dict[str, Mapping[str, set[str]]] = {}
    for package in _packages(text):
        name, version = package.fields.get("name"), package.fields.get("version")
        if name is not None and version is not None:
            versions.setdefault(name, set()).add(version)
            if "source" not in package.fields:
                uses[name] = package.uses
    return Lock(versions, uses)


def _packages(text: str) -> Iterator[_Package]:
    package: _Package | None = None
    for line in text.splitlines():
        if line.startswith("["):
            if package is not None:
                yield package
            package = _Package() if line.rstrip() in _PACKAGE else None
        elif package is None:
            continue
        elif used := _USED.fullmatch(line):
            package.use(used[1], used[2])
        elif found := _FIELD.fullmatch(line):
            package.fields[found[1]] = found[2]
    if package is not None:
        yield package
