"""Pipfile, as Pipenv reads it: https://pipenv.pypa.io/en/latest/pipfile.html."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest.dependencies import (
    pypi_locks,
    pypi_poetry,
    pypi_requirement,
    toml_document,
)
from repomill.digest.dependencies.base import (
    Contents,
    ManifestError,
    Scope,
    beside,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.pypi_locks import Versions

MAX_LOCK_BYTES = 2 << 20
"""JSON takes 60 times its bytes at worst, once it is read."""

_NOT_CATEGORIES = frozenset({"pipenv", "pipfile", "requires", "scripts", "source"})
_LOCKED_AS = {"packages": "default", "dev-packages": "develop"}


def read(path: str, files: Files) -> Contents:
    """Return what the Pipfile at *path* asks for. Raises ManifestError."""
    document = files.parsed(path, toml_document.parse)
    found = pypi_requirement.Found()
    locked_by, locked = _lock(path, files, found)
    dependencies = []
    for category, table in document.items():
        if category in _NOT_CATEGORIES or not isinstance(table, dict):
            continue
        asked = pypi_requirement.Found()
        for dependency in pypi_poetry.entries(table, category, found):
            asked.add(dependency, _scope(category))
        versions = locked.get(_LOCKED_AS.get(category, category), {})
        dependencies += pypi_locks.settle(asked.dependencies, versions)
    return Contents(dependencies=dependencies, locked_by=locked_by, problems=found.problems)


def _scope(category: str) -> Scope:
    if category == "packages":
        return Scope.RUNTIME
    if category == "dev-packages":
        return Scope.DEVELOPMENT
    return pypi_requirement.scope_of_extra(category)


def _lock(
    path: str, files: Files, found: pypi_requirement.Found
) -> tuple[str | None, Mapping[str, Versions]]:
    lock = beside(path, "Pipfile.lock")
    if lock is None or lock not in files:
        return None, {}
    try:
        return lock, files.parsed(lock, pypi_locks.parse_pipfile_lock, MAX_LOCK_BYTES)
    except ManifestError as error:
        found.note(str(error))
        return None, {}
