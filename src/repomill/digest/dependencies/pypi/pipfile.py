"""Pipfile, as Pipenv reads it: https://pipenv.pypa.io/en/latest/pipfile.html."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import (
    Contents,
    ManifestError,
    Scope,
    beside,
)
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.pypi import locks, poetry, requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.pypi.locks import Versions

MAX_LOCK_BYTES = 2 << 20
"""JSON takes 60 times its bytes at worst, once it is read."""

_NOT_CATEGORIES = frozenset({"pipenv", "pipfile", "requires", "scripts", "source"})
_LOCKED_AS = {"packages": "default", "dev-packages": "develop"}


def read(path: str, files: Files) -> Contents:
    """Return what the Pipfile at *path* asks for. Raises ManifestError."""
    document = files.parsed(path, toml_document.parse)
    found = requirement.Found()
    locked_by, locked = _lock(path, files, found)
    dependencies = []
    for category, table in document.items():
        if category in _NOT_CATEGORIES:
            continue
        asked = requirement.Found()
        for dependency in poetry.entries(table, category, found):
            asked.add(dependency, _scope(category))
        versions = locked.get(_LOCKED_AS.get(category, category), {})
        dependencies += locks.settle(asked.dependencies, versions)
    return Contents(dependencies=dependencies, locked_by=locked_by, problems=found.problems)


def _scope(category: str) -> Scope:
    if category == "packages":
        return Scope.RUNTIME
    if category == "dev-packages":
        return Scope.DEVELOPMENT
    return requirement.scope_of_extra(category)


def _lock(
    path: str, files: Files, found: requirement.Found
) -> tuple[str | None, Mapping[str, Versions]]:
    lock = beside(path, "Pipfile.lock")
    if lock is None or lock not in files:
        return None, {}
    try:
        return lock, files.parsed(lock, locks.parse_pipfile_lock, MAX_LOCK_BYTES)
    except ManifestError as error:
        found.note(str(error))
        return None, {}
