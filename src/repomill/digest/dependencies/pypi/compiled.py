"""Requirements files that pip-compile or uv wrote: what in them was asked for, and what they lock.

Such a file pins every package that is installed. Its comments say what each is there for: those
asked for are ``# via -r requirements.in`` or ``# via my-project (pyproject.toml)``. Older versions
of pip-compile wrote no comment below just those. Older ones of uv wrote below them which other
packages need them, if any do, so that the sources have to tell.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Dependency, Files, ManifestError, Scope, beside
from repomill.digest.dependencies.pypi import included, requirement, requirements_txt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from repomill.digest.dependencies.pypi.requirements_txt import Line, RequirementsFile

_UNSAFE = frozenset({"distribute", "pip", "setuptools"})
"""What pip-compile leaves out of a file unless told not to, though others need it."""

_SOURCE_IN_HEADER = re.compile(
    r"(?<![^\s=])[^\s=]*(?:\.in|pyproject\.toml|setup\.py|setup\.cfg)(?=\s|$)"
)
_EXTRAS = re.compile(r"--(?:all-)?(?:extra|group)")
_FOLDERS = ("", "..", "compiled", "../compiled", "generated", "../generated")
"""Where the compiled file of a source lies, from its own folder."""
_MAX_SOURCES = 50
"""That one compiled file has."""


def direct(path: str, files: Files) -> list[tuple[Dependency, Scope]]:
    """Return what the requirements file at *path* asks for itself, and what for.

    Of a compiled file that is what its sources ask for. Raises ManifestError.
    """
    file = requirements_txt.parsed(path, files)
    scope = requirement.scope_of_file(path)
    if not file.is_compiled:
        return [(line.dependency, scope) for line in file.lines]
    return list(_asked_for(file, path, scope, files))


def _asked_for(
    file: RequirementsFile, path: str, scope: Scope, files: Files
) -> Iterator[tuple[Dependency, Scope]]:
    is_source = _rule_of_sources(file)
    sources = [[via for via in line.via if is_source(via)] for line in file.lines]
    if any(sources):
        asks_for_extras = file.header is None or _EXTRAS.search(file.header)
        of_project = scope if asks_for_extras else Scope.RUNTIME
        layers = _Layers(path, files)
        for line, asking in zip(file.lines, sources, strict=True):
            scopes = [_scope(source, of_project) for source in asking if layers.asks(source, line)]
            if scopes:
                yield line.dependency, min(scopes, key=list(Scope).index)
        return
    asked = _names_in_sources(file, path, files)
    if any(line.via for line in file.lines):
        asked = (asked or frozenset()) | {_name(line) for line in file.lines if not line.via}
    for line in file.lines:
        if asked is None or _name(line) in asked:
            yield line.dependency, scope


def _rule_of_sources(file: RequirementsFile) -> Callable[[str], bool]:
    """Return what tells, in the comments of *file*, what asks for packages from packages.

    Only ``uv export`` gives projects by nothing but their names.
    """
    if any(_is_source(via) for line in file.lines for via in line.via):
        return _is_source
    packages = _names(file)
    return lambda via: canonicalize_name(re.split(r"[\[:]", via)[0]) not in packages


def _is_source(via: str) -> bool:
    return via.startswith("-r") or "(" in via


class _Layers:
    """Compiled files that stand in for sources: ``-r requirements.txt`` in ``dev.in``."""

    def __init__(self, path: str, files: Files) -> None:
        self._path, self._files = path, files
        self._known: dict[str, frozenset[str] | None] = {}

    def asks(self, source: str, line: Line) -> bool:
        if source not in self._known:
            known = self._asked_for_by(source) if len(self._known) < _MAX_SOURCES else None
            self._known[source] = known
        names = self._known[source]
        return names is None or _name(line) in names

    def _asked_for_by(self, source: str) -> frozenset[str] | None:
        """Return what a compiled *source* was asked for itself; None where it is not compiled."""
        name = source.removeprefix("-r").strip()
        path = _find(name, self._path, self._files) if source.startswith("-r") else None
        if path is None or path == self._path or not path.endswith(".txt"):
            return None
        try:
            file = requirements_txt.parsed(path, self._files)
            self._files.spend("lines of requirements", file.size, included.MAX_LINES)
        except ManifestError:
            return None
        is_source = _rule_of_sources(file)
        asked = frozenset(_name(line) for line in file.lines if any(map(is_source, line.via)))
        return asked or None


def _scope(source: str, otherwise: Scope) -> Scope:
    if source.startswith("-r"):
        return requirement.scope_of_file(source.removeprefix("-r").strip())
    return Scope.DEVELOPMENT if ":" in source else otherwise


def _names_in_sources(file: RequirementsFile, path: str, files: Files) -> frozenset[str] | None:
    """Return what the sources that the header gives ask for; None where they are not known."""
    asked: set[str] = set()
    named = dict.fromkeys(_SOURCE_IN_HEADER.findall(file.header or ""))
    sources = [_find(name, path, files) for name in islice(named, _MAX_SOURCES)]
    for source in sources or [path.removesuffix(".txt") + ".in"]:
        if source is None or not source.endswith(".in") or source not in files:
            return None
        try:
            requirements_txt.parsed(source, files)
        except ManifestError:
            return None
        for _path, told in included.with_included(source, files, requirement.Found()):
            asked.update(_name(line) for line in told.lines if all(map(_is_source, line.via)))
    return frozenset(asked)


def lock_of(path: str, files: Files) -> tuple[str, list[Dependency]] | None:
    """Return the file compiled from the manifest at *path*, and all that it pins.

    None where there is none that can be read.
    """
    name = posixpath.basename(path)
    stem = name.removesuffix(".in") if name.endswith(".in") else "requirements"
    for folder in _FOLDERS if name.endswith(".in") else ("",):
        candidate = beside(path, posixpath.join(folder, f"{stem}.txt"))
        if candidate is None or candidate == path or candidate not in files:
            continue
        try:
            file = requirements_txt.parsed(candidate, files)
            files.spend("lines of requirements", file.size, included.MAX_LINES)
        except ManifestError:
            continue
        if _is_compiled_from(file, name):
            return candidate, [line.dependency for line in file.lines]
    return None


def named(dependencies: Iterable[Dependency], pins: Iterable[Dependency]) -> list[Dependency]:
    """Return *dependencies*, those from bare links with the names that *pins* give those links."""
    names = {pin.requirement: pin for pin in pins if pin.requirement}
    return [
        replace(one, name=names[one.requirement].name, package=names[one.requirement].package)
        if one.package.type != "pypi" and one.requirement in names
        else one
        for one in dependencies
    ]


def _is_compiled_from(file: RequirementsFile, name: str) -> bool:
    ends = (f"/{name}", f" {name}", f"({name})")
    if any(via.endswith(ends) or f"({name}:" in via for line in file.lines for via in line.via):
        return True
    return any(
        source.rpartition("/")[2] == name for source in _SOURCE_IN_HEADER.findall(file.header or "")
    )


def _find(name: str, path: str, files: Files) -> str | None:
    """Return the path that *name* means, from the folder of *path* or from the root."""
    for start in (path, ""):
        found = beside(start, name)
        if found is not None and found in files:
            return found
    return None


def _names(file: RequirementsFile) -> frozenset[str]:
    return frozenset(map(_name, file.lines)) | _UNSAFE


def _name(line: Line) -> str:
    return line.dependency.package.name
