"""Cargo: the manifest's format, https://doc.rust-lang.org/cargo/reference/manifest.html."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest import names
from repomill.digest.dependencies.base import (
    MAX_LOCK_BYTES,
    Contents,
    Dependency,
    Files,
    ManifestError,
    Scope,
    beside,
    mapping,
)
from repomill.digest.dependencies.cargo import locks
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.origins import qualifiers, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "Cargo"
FILE_NAMES = r"Cargo\.toml"
LOCK_NAMES = r"Cargo\.lock"

_KINDS = (
    (Scope.RUNTIME, "dependencies"),
    (Scope.BUILD, "build-dependencies"),
    (Scope.BUILD, "build_dependencies"),
    (Scope.DEVELOPMENT, "dev-dependencies"),
    (Scope.DEVELOPMENT, "dev_dependencies"),
)
_EXACT = re.compile(
    r"\s*=\s*(\d{1,16}\.\d{1,16}\.\d{1,16}(?:[-+][0-9A-Za-z.+-]{1,200})?)\s*", re.ASCII
)
_ORIGINS = ("git", "path", "branch", "tag", "rev", "registry")


def claims(path: str) -> bool:
    """Take every file so called."""
    del path
    return True


def read(path: str, files: Files) -> Contents:
    """Return what a package depends on, whatever its target; nothing for a virtual workspace.

    Raises ManifestError.
    """
    manifest = files.parsed(path, toml_document.parse)
    package = mapping(manifest.get("package", manifest.get("project")))
    if not package:
        return Contents(dependencies=())
    reading = _Reading(path, package, files)
    dependencies = dict.fromkeys(reading.dependencies(manifest))
    return _locked(list(dependencies), package.get("name"), path, files, reading.problems)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A dependency as a table of a manifest has it."""

    name: str
    details: Mapping[str, object]
    inherits: bool

    @classmethod
    def read(cls, key: str, value: object) -> _Asked:
        details = {"version": value} if isinstance(value, str) else mapping(value)
        package = details.get("package")
        name = package if isinstance(package, str) and package else key
        return cls(name, details, details.get("workspace") is True)

    @property
    def requirement(self) -> str:
        version = self.details.get("version")
        origins = [(name, self.details.get(name)) for name in _ORIGINS]
        return requirement(version if isinstance(version, str) else "", origins)

    @property
    def exact(self) -> str | None:
        """The one version that is asked for, in full and with ``=``."""
        version = self.details.get("version")
        found = _EXACT.fullmatch(version) if isinstance(version, str) else None
        return found[1] if found else None


class _Reading:
    """Reads the dependencies of one package."""

    def __init__(self, path: str, package: Mapping[str, object], files: Files) -> None:
        self._path = path
        self._package = package
        self._files = files
        self._workspace: Mapping[str, object] | None = None
        self.problems: list[str] = []

    def dependencies(self, manifest: Mapping[str, object]) -> Iterator[Dependency]:
        targets = mapping(manifest.get("target")).values()
        for tables in (manifest, *map(mapping, targets)):
            for scope, kind in _KINDS:
                for key, value in mapping(tables.get(kind)).items():
                    if key:
                        yield self._dependency(key, value, scope)

    def _dependency(self, key: str, value: object, scope: Scope) -> Dependency:
        asked = _Asked.read(key, value)
        optional = scope is Scope.RUNTIME and asked.details.get("optional") is True
        if asked.inherits:
            asked = self._inherited(key)
        return Dependency(
            name=asked.name,
            package=PackageURL("cargo", None, asked.name, qualifiers=qualifiers(asked.details)),
            requirement=asked.requirement,
            scope=Scope.OPTIONAL if optional else scope,
            resolved=asked.exact,
        )

    def _inherited(self, key: str) -> _Asked:
        """Return what the workspace says of *key*, as ``workspace = true`` asks."""
        if self._workspace is None:
            self._workspace = mapping(self._find_workspace().get("dependencies"))
        if key not in self._workspace:
            self.problems.append(f"the workspace does not say what {names.quote(key)} is")
        return _Asked.read(key, self._workspace.get(key))

    def _find_workspace(self) -> Mapping[str, object]:
        """Return what the root of the workspace says: the one named, or the nearest above."""
        named = self._package.get("workspace")
        if isinstance(named, str):
            root = beside(self._path, f"{named}/Cargo.toml")
            return self._workspace_of(root) or {} if root is not None else {}
        folder = posixpath.dirname(self._path)
        while True:
            found = self._workspace_of(posixpath.join(folder, "Cargo.toml"))
            if found is not None or not folder:
                return found or {}
            folder = posixpath.dirname(folder)

    def _workspace_of(self, path: str) -> Mapping[str, object] | None:
        if path not in self._files:
            return None
        try:
            manifest = self._files.parsed(path, toml_document.parse)
        except ManifestError:
            return None  # it is named as a manifest of its own
        return mapping(manifest["workspace"]) if "workspace" in manifest else None


def _locked(
    dependencies: list[Dependency],
    member: object,
    path: str,
    files: Files,
    problems: list[str],
) -> Contents:
    """Return *dependencies* with the versions of the lock file that knows the package *member*."""
    lock_path = files.nearest(path, "Cargo.lock")
    if lock_path is None or not isinstance(member, str):
        return Contents(dependencies=dependencies, problems=problems)
    try:
        lock = files.parsed(lock_path, locks.parse, MAX_LOCK_BYTES)
    except ManifestError as error:
        return Contents(dependencies=dependencies, problems=[*problems, str(error)])
    if member not in lock.uses:
        return Contents(dependencies=dependencies, problems=problems)
    resolved = [
        replace(one, resolved=lock.resolve(member, one.name) or one.resolved)
        for one in dependencies
    ]
    return Contents(dependencies=resolved, locked_by=lock_path, problems=problems)
