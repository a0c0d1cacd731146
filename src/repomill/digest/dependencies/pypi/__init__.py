"""Python packages: the manifests of pip, setuptools, Poetry, PDM, uv, Flit and Pipenv."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import MAX_LOCK_BYTES, ManifestError, Scope, beside
from repomill.digest.dependencies.pypi import (
    compiled,
    locks,
    pipfile,
    project_name,
    pyproject,
    requirements,
    setup_cfg,
    setup_py,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from repomill.digest.dependencies.base import Contents, Files

NAME = "PyPI"
FILE_NAMES = r"pyproject\.toml|setup\.(?:py|cfg)|Pipfile|.+\.(?:txt|in)"
LOCK_NAMES = r"poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock|pylock(?:\.[^.]+)?\.toml"

_READERS: dict[str, Callable[[str, Files], Contents]] = {
    "pyproject.toml": pyproject.read,
    "setup.cfg": setup_cfg.read,
    "setup.py": setup_py.read,
    "Pipfile": pipfile.read,
}
_REQUIREMENTS = re.compile(r"requirement", re.IGNORECASE)
_IN_FOLDER = re.compile(r"(?:^|/)requirements/")
_CONSTRAINTS = re.compile(r"constraint|overrides", re.IGNORECASE)
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")


def claims(path: str) -> bool:
    """Whether *path*, whose name matches, is a manifest: of text files those of requirements.

    >>> claims("requirements/dev.txt"), claims("dev-requirements.in"), claims("docs/robots.txt")
    (True, True, False)
    """
    folder, _, name = path.rpartition("/")
    if name in _READERS:
        return True
    if _CONSTRAINTS.search(name):
        return False
    return bool(_REQUIREMENTS.search(name) or _IN_FOLDER.search(f"{folder}/"))


def read(path: str, files: Files) -> Contents:
    """Return what the manifest at *path* says. Raises ManifestError or ValueError."""
    name = posixpath.basename(path)
    contents = _READERS.get(name, requirements.read)(path, files)
    if name in _READERS:
        others = project_name.without_itself(contents.dependencies, path, files)
        contents = replace(contents, dependencies=others)
    if name == "pyproject.toml" and (lock := _lock_near(path, files)) is not None:
        return _locked_by(lock, contents, files)
    if name == "Pipfile" or name.endswith(".txt"):
        return contents
    return _compiled(path, contents, files)


def _compiled(path: str, contents: Contents, files: Files) -> Contents:
    lock = compiled.lock_of(path, files)
    if lock is None:
        return contents
    locked_by, pins = lock
    dependencies = compiled.named(contents.dependencies, pins)
    settled = locks.settle(dependencies, locks.versions_of(pins))
    return replace(contents, dependencies=settled, locked_by=locked_by)


def _locked_by(lock: str, contents: Contents, files: Files) -> Contents:
    try:
        parsed = files.parsed(lock, locks.parse_toml, MAX_LOCK_BYTES)
    except ManifestError as error:
        return replace(contents, problems=[*contents.problems, str(error)])
    # What builds the package is resolved by itself, whatever the lock file has of that name.
    builds = [one for one in contents.dependencies if one.scope is Scope.BUILD]
    others = [one for one in contents.dependencies if one.scope is not Scope.BUILD]
    settled = [*builds, *locks.settle(others, parsed.versions)]
    return replace(contents, dependencies=settled, locked_by=lock)


def _lock_near(path: str, files: Files) -> str | None:
    """Return the lock file beside *path*, else the one of a workspace of uv that it belongs to."""
    for name in _LOCKS:
        lock = beside(path, name)
        if lock is not None and lock in files:
            return lock
    lock = files.nearest(path, "uv.lock")
    if lock is None:
        return None
    try:
        members = files.parsed(lock, locks.parse_toml, MAX_LOCK_BYTES).members
    except ManifestError:
        return None
    above = posixpath.dirname(lock)
    folder = posixpath.relpath(posixpath.dirname(path), above) if above else posixpath.dirname(path)
    return lock if folder in members else None
