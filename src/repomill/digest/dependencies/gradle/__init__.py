"""Gradle: its scripts in Groovy or Kotlin, version catalogs, and what a lock file settled.

Plugins that a script asks for by version are dependencies of the build, and so are the BOMs that
Spring's plugin imports; a ``platform`` is one of its configuration. Modules whose version is only
managed (``constraints``, ``dependencyManagement``) and other projects of the same build are none.
A version is settled by a lock file, or where it is strict: another module may raise it otherwise
(https://docs.gradle.org/current/userguide/dependency_versions.html).
"""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from functools import cache, lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest.dependencies.base import (
    MAX_LOCK_BYTES,
    Contents,
    Dependency,
    Files,
    ManifestError,
    Scope,
)
from repomill.digest.dependencies.gradle.build import Build
from repomill.digest.dependencies.gradle.declarations import Declarations
from repomill.digest.dependencies.gradle.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from repomill.digest.dependencies.gradle.catalog import Coordinates
    from repomill.digest.dependencies.gradle.declarations import Declared

NAME = "Gradle"
FILE_NAMES = r".+\.gradle(?:\.kts)?"
LOCK_NAMES = r"gradle\.lockfile"

_IS_SCRIPT = re.compile(f"(?:.*/)?{FILE_NAMES}", re.DOTALL).fullmatch
MAX_BYTES = 8 << 20
"""Of all scripts of a commit: each is read in the light of others, though it equals one before."""
MAX_ARGUMENTS = 300_000
"""In all scripts of a commit: a list counts again where it is named."""
_MAX_BELOW = 100
"""Scripts that are read to find out what a root script's configurations are for."""
MAX_SCRIPTS = 4_000
"""Of a commit, that are looked at to find those."""

_Lock = dict[str, dict[str, str]]
"""Module → version → the configurations it was locked for, as written."""
_MAX_BYTES_BELOW = 2 << 20
_MAX_EXTENDS = 1_000
"""Of all those scripts together."""


def claims(_path: str) -> bool:
    """Whether it is a manifest: wherever it lies."""
    return True


def read(path: str, files: Files) -> Contents:
    """Return what the script at *path* declares. Raises ManifestError."""
    files.spend("bytes of Gradle's scripts", files.size(path), MAX_BYTES)
    build = Build(path, files)
    files.spend("arguments in Gradle's scripts", 0, MAX_ARGUMENTS)
    declarations = Declarations(build.values())
    declarations.read(build.script.statements)
    files.spend("arguments in Gradle's scripts", declarations.looked_at, MAX_ARGUMENTS)
    lock_path = posixpath.join(posixpath.dirname(path), "gradle.lockfile")
    problems = [*build.problems, *declarations.problems]
    lock: _Lock = {}
    if declarations.modules and lock_path in files:
        try:
            lock = files.parsed(lock_path, locked, MAX_LOCK_BYTES)
        except ManifestError as error:
            problems.append(str(error))
    scopes = _scopes(path, files, declarations)
    settle = cache(partial(_locked_version, lock))
    dependencies = [_module(one, _scope(one, scopes), settle) for one in declarations.modules]
    versions = build.plugin_versions if declarations.plugins else {}
    dependencies += [
        _plugin(name, version or versions[name])
        for name, version in declarations.plugins
        if name and "${" not in name and (version or versions.get(name))
    ]
    return Contents(
        dependencies=dependencies, locked_by=lock_path if lock else None, problems=problems
    )


def locked(text: str) -> _Lock:
    """Return what a lock file settled.

    Source: https://docs.gradle.org/current/userguide/dependency_locking.html.

    >>> locked("a:b:1=compileClasspath,runtimeClasspath")
    {'a:b': {'1': 'compileClasspath,runtimeClasspath'}}
    """
    found: _Lock = {}
    for line in text.splitlines():
        module, _sign, configurations = line.partition("=")
        name, _colon, version = module.rpartition(":")
        if name and not line.startswith("#"):
            found.setdefault(name, {})[version] = configurations
    return found


def _module(
    declared: Declared, scope: Scope, settle: Callable[[str, Scope], str | None]
) -> Dependency:
    module = declared.module
    name = f"{module.group}:{module.name}"
    settled = module.version.removesuffix("!!") if module.version.endswith("!!") else None
    return Dependency(
        name=name,
        package=_package(module._replace(version="")),
        requirement=module.version,
        scope=scope,
        resolved=settle(name, scope) or settled,
    )


@lru_cache(maxsize=1 << 12)
def _package(module: Coordinates) -> PackageURL:
    extension = "" if module.extension == "jar" else module.extension
    return PackageURL(
        type="maven",
        namespace=module.group,
        name=module.name,
        qualifiers={"classifier": module.classifier, "type": extension},
    )


def _plugin(name: str, version: str) -> Dependency:
    """Return the plugin, which is where its marker artifact is: named after the plugin's id."""
    return Dependency(
        name=name,
        package=PackageURL(type="maven", namespace=name, name=f"{name}.gradle.plugin"),
        requirement=version,
        scope=Scope.BUILD,
        resolved=None if "${" in version or "+" in version else version,
    )


def _locked_version(lock: _Lock, name: str, scope: Scope) -> str | None:
    """Return the one version, or of several that on the class path of *scope*."""
    versions = lock.get(name, {})
    if len(versions) == 1:
        return next(iter(versions))
    classpath = "testRuntimeClasspath" if scope is Scope.DEVELOPMENT else "runtimeClasspath"
    return next(
        (version for version, where in versions.items() if classpath in where.split(",")), None
    )


def _scopes(path: str, files: Files, declarations: Declarations) -> Scopes:
    """Return what configurations are for; those of a root script, as the scripts below use them."""
    scopes = Scopes(declarations.extends)
    used = {one.configuration for one in declarations.modules if one.place.is_for_projects}
    if all(scopes.known(configuration) for configuration in used):
        return scopes
    folder = posixpath.dirname(path)
    below = (one for one in files.once(_scripts) if one.startswith(folder) and one != path)
    extends = [one for script in islice(below, _MAX_BELOW) for one in _extends(script, files)]
    return Scopes([*declarations.extends, *extends[:_MAX_EXTENDS]])


def _scripts(files: Files) -> list[str]:
    return [path for path in files if _IS_SCRIPT(path)][:MAX_SCRIPTS]


def _extends(path: str, files: Files) -> list[tuple[str, str]]:
    """Return what configurations extend in the script at *path*; each is read once for that."""
    known = files.once(_no_extends)
    if path not in known:
        known[path] = []
        with suppress(ManifestError):
            build = Build(path, files)
            if not build.script.may_extend:
                return []
            files.spend("bytes of scripts below others", files.size(path), _MAX_BYTES_BELOW)
            said = Declarations(build.values())
            said.read(build.script.statements)
            known[path] = said.extends[:_MAX_EXTENDS]
    return known[path]


def _no_extends(_files: Files) -> dict[str, list[tuple[str, str]]]:
    """Return path → what configurations extend there, of those asked for so far."""
    return {}


def _scope(declared: Declared, scopes: Scopes) -> Scope:
    if declared.place.is_for_build:
        return Scope.BUILD
    return Scope.DEVELOPMENT if declared.place.is_for_tests else scopes.of(declared.configuration)
