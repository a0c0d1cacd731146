"""The name of a project of the repository, which others install by its folder."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Files, ManifestError
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.pypi import setup_cfg, setup_py

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from repomill.digest.dependencies.base import Dependency

_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py")


def folder_of(written: str, path: str, files: Files) -> str | None:
    """Return the folder of the project that *written* means in the file at *path*.

    pip looks from the folder it is run in; that is taken to be the file's, else the root.
    """
    for start in (posixpath.dirname(path), ""):
        folder = posixpath.normpath(posixpath.join(start, written))
        if folder == ".":
            return ""
        if not folder.startswith(("/", "..")) and any(_manifests(folder, files)):
            return folder
    return None


def read(folder: str, files: Files) -> str | None:
    """Return the name of the project in *folder*; None where it is not said."""
    return next(_names(folder, files), None)


def without_itself(dependencies: Iterable[Dependency], path: str, files: Files) -> list[Dependency]:
    """Return *dependencies* but for the project of the manifest at *path* itself.

    An extra that takes up others names it: ``all = demo[s3]``.
    """
    own = set(map(canonicalize_name, _names(posixpath.dirname(path), files)))
    return [
        one for one in dependencies if one.package.type != "pypi" or one.package.name not in own
    ]


def _names(folder: str, files: Files) -> Iterator[str]:
    """Yield the names that the manifests in *folder* give, in the order in which they count."""
    for manifest in _manifests(folder, files):
        try:
            name = _READ[posixpath.basename(manifest)](manifest, files)
        except ManifestError:
            continue
        if isinstance(name, str) and name.isprintable() and name:
            yield name


def of_pyproject(document: object) -> object:
    """Return the name that a pyproject.toml gives, for tools of today or for Poetry."""
    project = _table(document, "project")
    return project.get("name", _table(_table(document, "tool"), "poetry").get("name"))


def _table(document: object, key: str) -> dict[str, object]:
    """Return the table at *key*, which is not looked at for that, however large it is."""
    table = document.get(key) if isinstance(document, dict) else None
    return table if isinstance(table, dict) else {}


def _manifests(folder: str, files: Files) -> list[str]:
    paths = [posixpath.join(folder, name) for name in _MANIFESTS]
    return [path for path in paths if path in files]


_READ: dict[str, Callable[[str, Files], object]] = {
    "pyproject.toml": lambda path, files: of_pyproject(files.parsed(path, toml_document.parse)),
    "setup.cfg": lambda path, files: files.parsed(path, setup_cfg.parse).name,
    "setup.py": lambda path, files: setup_py.parsed(path, files).name,
}
