"""Lock files of Python projects: which version of each package is installed.

poetry.lock, uv.lock, pdm.lock and pylock.toml (PEP 751) are TOML that programs write: a table
``[[package]]`` for each package, with ``name`` and ``version`` on lines of their own. They are cut
into those tables and only those lines are read, for a lock file is hundreds of times as long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Dependency, ManifestError, mapping

Versions = Mapping[str, tuple[str, ...]]
"""Name, normalised → the versions that are locked, for one machine or another."""

MAX_VERSIONS = 20
"""Of one package; a fork by Python version and platform has a handful."""
MAX_COMPARED = 20_000
"""Characters of requirements that are compared with several versions."""

_PACKAGE = re.compile(r"^\[\[(?:package|packages|distribution)\]\][ \t\r]*$", re.MULTILINE)
_NAME = re.compile(r'^name = "([^"\\\n]{1,200})"', re.MULTILINE)
_VERSION = re.compile(r'^version = "([^"\\\n]{1,200})"', re.MULTILINE)
_MEMBER = re.compile(r'^source = \{ (?:editable|virtual|directory) = "([^"\\\n]*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file settles."""

    versions: Versions
    members: frozenset[str] = frozenset()
    """Folders of the projects it is for, from its own; of a workspace there are several."""


def parse_toml(text: str) -> Lock:
    """Return what a lock file with tables of packages settles."""
    versions: dict[str, tuple[str, ...]] = {}
    members = set()
    for table in _tables(text):
        name, version = _NAME.search(table), _VERSION.search(table)
        if name and version:
            _add(versions, name[1], version[1])
        if member := _MEMBER.search(table):
            members.add(member[1])
    return Lock(versions, frozenset(members))


def _tables(text: str) -> Iterator[str]:
    """Yield what stands in each ``[[package]]`` above its first table of its own."""
    starts = [mark.end() for mark in _PACKAGE.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        inner = text.find("\n[", start, end)
        yield text[start : end if inner < 0 else inner]


def parse_pipfile_lock(text: str) -> dict[str, Versions]:
    """Return what each category of a Pipfile.lock settles. Raises ManifestError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ManifestError(f"Pipfile.lock is no JSON: {str(error)[:80]}") from None
    return {category: dict(_pinned(table)) for category, table in mapping(document).items()}


def _pinned(table: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, package in mapping(table).items():
        version = mapping(package).get("version")
        if isinstance(version, str) and version.startswith("=="):
            yield canonicalize_name(name), (version.lstrip("="),)


def versions_of(dependencies: Iterable[Dependency]) -> Versions:
    """Return the versions that *dependencies* are pinned to: those of a compiled file, say."""
    versions: dict[str, tuple[str, ...]] = {}
    for dependency in dependencies:
        if dependency.resolved is not None:
            _add(versions, dependency.name, dependency.resolved)
    return versions


def _add(versions: dict[str, tuple[str, ...]], name: str, version: str) -> None:
    name = canonicalize_name(name)
    known = versions.get(name, ())
    if version not in known and len(known) < MAX_VERSIONS:
        versions[name] = (*known, version)


def settle(dependencies: Iterable[Dependency], versions: Versions) -> list[Dependency]:
    """Return *dependencies*, each with the version that *versions* has for it, if just one will do.

    What *versions* does not tell stays as it is.
    """
    settled = []
    left = MAX_COMPARED
    for dependency in dependencies:
        locked = versions.get(dependency.package.name, ())
        if len(locked) > 1:
            left -= len(dependency.requirement)
            locked = _allowed(dependency.requirement, locked) if left >= 0 else ()
        settled.append(_settled(dependency, locked))
    return settled


def _settled(dependency: Dependency, locked: tuple[str, ...]) -> Dependency:
    if dependency.package.type != "pypi":
        return dependency
    if len(locked) != 1 or locked[0] == dependency.resolved:
        return dependency
    return replace(dependency, resolved=locked[0])


def _allowed(requirement: str, versions: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of *versions* that *requirement* allows; all, where that cannot be told.

    Poetry writes ``1.*`` for ``==1.*``.
    """
    for written in (requirement, f"=={requirement}"):
        try:
            return tuple(SpecifierSet(written).filter(versions, prereleases=True))
        except InvalidSpecifier:
            continue
    return versions
