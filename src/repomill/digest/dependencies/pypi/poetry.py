"""Poetry's tables in pyproject.toml.

Sources: https://python-poetry.org/docs/dependency-specification/, and poetry-core's ``factory.py``
and ``dependency_group.py``. Ranges stay as they are written, carets and all.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Dependency, Scope, mapping, sequence
from repomill.digest.dependencies.origins import without_credentials
from repomill.digest.dependencies.pypi import requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.digest.dependencies.pypi.requirement import Found

_KINDS = frozenset({Scope.RUNTIME, Scope.OPTIONAL})
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
_EXACT = re.compile(r"\s*={0,3}\s*(\d[\w.+!-]*)\s*", re.ASCII)
_PLACES = ("git", "hg", "svn", "url", "file", "path")
_REFERENCES = ("rev", "tag", "branch", "ref")
_CONDITIONS = frozenset(
    [
        *("markers", "python", "platform"),
        *("marker", "extra", "group"),
        *("os_name", "sys_platform", "platform_machine", "platform_system"),
        *("platform_python_implementation", "platform_release", "platform_version"),
        *("python_version", "python_full_version", "implementation_name", "implementation_version"),
    ]
)
"""Under which Poetry, uv or Pipenv installs a package; Pipenv's are the variables of markers."""


def add(document: Mapping[str, object], found: Found) -> None:
    """Add to *found* what the tables below ``tool.poetry`` of *document* ask for."""
    poetry = mapping(mapping(document.get("tool")).get("poetry"))
    kinds = _kinds(mapping(document.get("project")))
    extras = _scopes_of_extras(mapping(poetry.get("extras")))
    for dependency in entries(poetry.get("dependencies"), "tool.poetry.dependencies", found):
        if dependency.scope not in kinds:
            continue
        scope = extras.get(dependency.package.name, dependency.scope)
        found.add(dependency, scope if dependency.scope is Scope.OPTIONAL else Scope.RUNTIME)
    for where, table in _groups(poetry, mapping(document.get("dependency-groups"))):
        for dependency in entries(table, where, found):
            found.add(dependency, Scope.DEVELOPMENT)


def said_besides(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return what Poetry's main table only says more of, of what the table ``project`` asks for."""
    table = mapping(mapping(mapping(document.get("tool")).get("poetry")).get("dependencies"))
    return table if _kinds(mapping(document.get("project"))) != _KINDS else {}


def _kinds(project: Mapping[str, object]) -> frozenset[Scope]:
    """Return which of Poetry's main dependencies count, beside those in the table *project*.

    Where *project* has any, Poetry's only say more about the same, but for a kind that *project*
    has none of, if it says that there are more to come.
    """
    declared = {
        Scope.RUNTIME: bool(project.get("dependencies")),
        Scope.OPTIONAL: bool(project.get("optional-dependencies")),
    }
    if not any(declared.values()):
        return _KINDS
    dynamic = sequence(project.get("dynamic"))
    if "dependencies" not in dynamic and "optional-dependencies" not in dynamic:
        return frozenset()
    return frozenset(scope for scope, is_declared in declared.items() if not is_declared)


def _scopes_of_extras(extras: Mapping[str, object]) -> dict[str, Scope]:
    """Return what each package in *extras* is for: developers alone only if all of its extras are.

    Optional packages are what they name.
    """
    scopes: dict[str, Scope] = {}
    for extra, members in extras.items():
        scope = requirement.scope_of_extra(extra)
        for member in sequence(members):
            if isinstance(member, str):
                name = canonicalize_name(member)
                scopes[name] = scope if scopes.get(name, scope) is scope else Scope.OPTIONAL
    return scopes


def _groups(
    poetry: Mapping[str, object], standard: Mapping[str, object]
) -> Iterator[tuple[str, object]]:
    """Yield the groups, but those about which *standard* has the say."""
    yield "tool.poetry.dev-dependencies", poetry.get("dev-dependencies")
    settled = {canonicalize_name(name) for name, members in standard.items() if members}
    for name, group in mapping(poetry.get("group")).items():
        if canonicalize_name(name) not in settled:
            yield f"tool.poetry.group.{name}", mapping(group).get("dependencies")


def entries(table: object, where: str, found: Found) -> Iterator[Dependency]:
    """Yield what the table at *where* asks for, as Poetry and Pipenv write it.

    Each is a range, a table, or a list of tables for one platform and another. ``optional`` ones
    have that scope. The entry for Python itself is left out.
    """
    for name, value in found.table(table, where).items():
        if not _NAME.fullmatch(name):
            found.refuse(f"{where}: {requirement.shown(name)} is no name")
        elif name.lower() != "python":
            for one in value if isinstance(value, list) and value else [value]:
                if not isinstance(one, str | dict):
                    found.refuse(f"{where}: no range for {requirement.shown(name)}")
                    continue
                asked = _entry(name, one)
                conditional = is_conditional(mapping(one))
                yield replace(asked, is_conditional=True) if conditional else asked


def _entry(name: str, value: object) -> Dependency:
    if isinstance(value, str):
        return _ranged(name, value, Scope.RUNTIME)
    details = mapping(value)
    scope = Scope.OPTIONAL if details.get("optional") is True else Scope.RUNTIME
    version = details.get("version")
    if isinstance(version, str):
        return _ranged(name, version, scope)
    return _dependency(name, place(details), None, scope)


def place(details: Mapping[str, object]) -> str:
    """Return where the table *details* says that a package comes from, without credentials.

    Empty where it says nothing of it.

    >>> place({"git": "https://me:secret@example.org/a", "tag": "v1"}), place({"version": "1"})
    ('git+https://example.org/a@v1', '')
    """
    named = _first(details, _PLACES)
    reference = _first(details, _REFERENCES)
    written = f"{named}@{reference}" if named and reference else named
    if isinstance(details.get("git"), str):
        written = f"git+{written.removeprefix('git+')}"
    return without_credentials(written)


def is_conditional(details: Mapping[str, object]) -> bool:
    """Whether the table *details* holds under a condition alone, as Poetry, Pipenv or uv has it."""
    return not _CONDITIONS.isdisjoint(details)


def _ranged(name: str, written: str, scope: Scope) -> Dependency:
    exact = _EXACT.fullmatch(written)
    return _dependency(name, written.strip(), exact[1] if exact else None, scope)


def _dependency(name: str, written: str, resolved: str | None, scope: Scope) -> Dependency:
    found = requirement.named(name, written[: requirement.MAX_REQUIREMENT_CHARACTERS], resolved)
    return Dependency(
        name=found.name,
        package=found.package,
        requirement=found.requirement,
        scope=scope,
        resolved=resolved,
    )


def _first(details: Mapping[str, object], keys: tuple[str, ...]) -> str:
    values = (details.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str)), "")
