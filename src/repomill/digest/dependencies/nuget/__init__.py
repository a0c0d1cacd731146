"""NuGet: MSBuild projects and what they share, ``packages.config``, ``dotnet-tools.json``.

A ``PackageReference`` is told under the file that writes it: those of ``Directory.Build.props``
and of other shared files are not repeated for every project that they reach. What is there under
a condition is there. Versions come from the item, else from the nearest
``Directory.Packages.props``; what is no version is left as written.

Packages of which nothing is passed on to those who use the project, ``PrivateAssets="all"``, are
for development: it is what NuGet writes for packages that call themselves development
dependencies, and what a ``GlobalPackageReference`` is. So are tools. An SDK with a version and
the tool of a ``DotNetCliToolReference`` are for building. That a project is called ``….Tests``
changes nothing.

``1.2.3`` is the lowest version that will do, and NuGet takes the lowest there is; since nothing
else can raise what a project itself references, that is the version in use
(https://learn.microsoft.com/nuget/concepts/dependency-resolution), as in ``[1.2.3]``. A lock file
beside the project overrules it.
"""

from __future__ import annotations

import json
import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest.dependencies.base import (
    MAX_LOCK_BYTES,
    Contents,
    Dependency,
    ManifestError,
    Scope,
    mapping,
)
from repomill.digest.dependencies.formats import xml_document
from repomill.digest.dependencies.nuget import msbuild
from repomill.digest.names import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.nuget.msbuild import Item, Properties

NAME = "NuGet"
FILE_NAMES = r".+\.(?:cs|fs|vb)proj|.+\.(?:props|targets)|packages\.config|dotnet-tools\.json"
LOCK_NAMES = r"packages(?:\..+)?\.lock\.json"

_ID = re.compile(r"[\w.-]{1,100}+")
_MAX_VERSION = 200
_VERSION = re.compile(r"\[?\s*+(\d++(?:\.\d++){0,3}(?:-[\w.-]++)?)(?:\+[\w.-]++)?\s*+\]?")
_REFERENCES = {"packagereference": Scope.RUNTIME, "globalpackagereference": Scope.DEVELOPMENT}
_REFERENCES |= {"dotnetclitoolreference": Scope.BUILD}


def claims(path: str) -> bool:  # noqa: ARG001 what the names say is enough
    """Whether *path* is a manifest."""
    return True


def read(path: str, files: Files) -> Contents:
    """Return what the manifest at *path* says. Raises ManifestError."""
    match posixpath.basename(path):
        case "packages.config":
            return Contents(dependencies=files.parsed(path, _packages))
        case "dotnet-tools.json":
            return Contents(dependencies=files.parsed(path, _tools))
    return _project(path, files)


def _packages(text: str) -> list[Dependency]:
    root = xml_document.parse(text)
    if root.tag != "packages":
        raise ManifestError(f"its root is <{cut(root.tag, 40)}>, not <packages>")
    packages = [one for one in root.iter("package") if _ID.fullmatch(one.get("id", ""))]
    if len(packages) > msbuild.MAX_ITEMS:
        raise ManifestError(f"more than {msbuild.MAX_ITEMS} packages")
    return [
        _dependency(
            package.get("id", ""),
            package.get("version", ""),
            _scope_of(package),
            _exact(package.get("version", "")),
        )
        for package in packages
    ]


def _tools(text: str) -> list[Dependency]:
    try:
        tools = mapping(mapping(json.loads(text)).get("tools"))
    except json.JSONDecodeError as error:
        raise ManifestError(f"line {error.lineno} is no JSON: {error.msg}") from None
    if len(tools) > msbuild.MAX_ITEMS:
        raise ManifestError(f"more than {msbuild.MAX_ITEMS} tools")
    return [
        _dependency(name, version, Scope.DEVELOPMENT, _exact(version))
        for name, tool in tools.items()
        if _ID.fullmatch(name) and isinstance(version := mapping(tool).get("version", ""), str)
    ]


def _scope_of(package: Element) -> Scope:
    is_development = package.get("developmentDependency", "").lower() == "true"
    return Scope.DEVELOPMENT if is_development else Scope.RUNTIME


def _project(path: str, files: Files) -> Contents:
    tree = files.once(msbuild.Tree)
    project, properties = tree.project(path), tree.properties(path)
    lock_path, locked = _locked(path, files)
    central = tree.central(path)
    dependencies: list[Dependency] = []
    problems: list[str] = []
    for kind, scope in _REFERENCES.items():
        for name, items in tree.by_name(project.items, kind, properties).items():
            if not _ID.fullmatch(name):
                problems.append(f"{cut(items[0].names, 100)}: not the name of a package")
                continue
            of_center = _central_version(central.get(name, ()), properties)
            for item in items:
                requirement, is_settled = _requirement(item, properties) or of_center
                resolved = locked.get(name) or (_exact(requirement) if is_settled else None)
                dependencies.append(
                    _dependency(item.names, requirement, _scope(item, scope), resolved)
                )
    dependencies += [
        _dependency(name, version, Scope.BUILD, _exact(version))
        for name, version in project.sdks
        if version and _ID.fullmatch(name)
    ]
    return Contents(dependencies=dependencies, locked_by=lock_path, problems=problems)


def _requirement(item: Item, properties: Properties) -> tuple[str, bool] | None:
    """Return the version that *item* itself asks for, which is it under all conditions."""
    for key in ("versionoverride", "version"):
        if item.metadata.get(key):
            return properties.expand(item.metadata[key]), True
    return None


def _central_version(central: Sequence[Item], properties: Properties) -> tuple[str, bool]:
    """Return the version that *central* has, and whether it is that under all conditions."""
    versions = [
        properties.expand(one.metadata.get("version", ""))
        for one in sorted(central, key=lambda one: one.is_conditional)
    ]
    is_certain = len(central) > 0 and not all(one.is_conditional for one in central)
    is_settled = len(set(versions)) == 1
    return (versions[0] if is_certain or is_settled else ""), is_settled


def _scope(item: Item, scope: Scope) -> Scope:
    assets = item.metadata.get("privateassets", "").lower().split(";")
    is_private = any(asset.strip() == "all" for asset in assets)
    return Scope.DEVELOPMENT if scope is Scope.RUNTIME and is_private else scope


def _locked(path: str, files: Files) -> tuple[str | None, Mapping[str, str]]:
    """Return the path of the lock file of the project at *path*, and the versions it settles.

    NuGet looks for ``packages.NAME.lock.json`` first, blanks of the name as underscores.
    """
    if not path.endswith("proj"):
        return None, {}
    folder, _, name = path.rpartition("/")
    own = name.rpartition(".")[0].replace(" ", "_")
    for lock in (f"packages.{own}.lock.json", "packages.lock.json"):
        lock_path = posixpath.join(folder, lock)
        if lock_path in files:
            try:
                return lock_path, files.parsed(lock_path, _lock, MAX_LOCK_BYTES)
            except ManifestError:
                return None, {}
    return None, {}


def _lock(text: str) -> Mapping[str, str]:
    """Return the versions of the direct packages, by name in lower case.

    https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files: one
    object a target framework; where they do not agree, nothing is settled.
    """
    found: dict[str, set[str]] = {}
    for packages in mapping(mapping(json.loads(text)).get("dependencies")).values():
        for name, package in mapping(packages).items():
            said = mapping(package)
            resolved = said.get("resolved")
            if said.get("type") == "Direct" and isinstance(resolved, str) and resolved:
                found.setdefault(name.lower(), set()).add(resolved)
    return {name: versions.pop() for name, versions in found.items() if len(versions) == 1}


def _exact(version: str) -> str | None:
    """Return the one version that *version* comes to.

    >>> [_exact(text) for text in ("1.2.0", "[1.2]", "1.*", "[1.0,2.0)", "$(Version)")]
    ['1.2.0', '1.2', None, None, None]
    """
    match = _VERSION.fullmatch(version.strip())
    return match[1] if match and version.count("[") == version.count("]") else None


@lru_cache(maxsize=1 << 12)
def _package(name: str) -> PackageURL:
    return PackageURL("nuget", None, name)


def _dependency(name: str, version: str, scope: Scope, resolved: str | None) -> Dependency:
    return Dependency(
        name=name,
        package=_package(name),
        requirement=version if len(version) <= _MAX_VERSION else "",
        scope=scope,
        resolved=resolved,
    )
