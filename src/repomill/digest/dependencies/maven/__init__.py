"""Maven: pom.xml, made complete by the parents and imported BOMs that are in the repository.

Dependencies are those of the effective model, so what a parent in the repository gives to each of
its children is the children's too: https://maven.apache.org/ref/3.8.7/maven-model-builder/. A
parent or a BOM from elsewhere is a dependency of the build, of the pom.xml that names it alone;
where it says the version of another, the requirement is empty. Plugins and extensions are no
dependencies of the project, as Maven counts.
"""

from __future__ import annotations

import posixpath
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest import names
from repomill.digest.dependencies.base import (
    Contents,
    Dependency,
    Files,
    ManifestError,
    Scope,
    beside,
)
from repomill.digest.dependencies.maven import pom
from repomill.digest.dependencies.maven.model import Key, Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repomill.digest.dependencies.maven.pom import Pom

NAME = "Maven"
FILE_NAMES = r"pom\.xml"
LOCK_NAMES = ""

_MAX_ANCESTORS = 30
_MAX_BOMS = 50
_MAX_INDEXED = 10_000
MAX_DECLARATIONS = 300_000
"""That all projects of a commit look at together, their own and those of parents and BOMs."""
_VARIABLE = "${"
_SCOPES = {
    "provided": Scope.BUILD,
    "system": Scope.BUILD,
    "test": Scope.DEVELOPMENT,
}
_NOT_ONE_VERSION = ("[", "(", "LATEST", "RELEASE")

_Bom = tuple[Model, list[str]]
"""Its model, and the paths of those that it imports."""
_Index = dict[tuple[str, str], dict[str, tuple[int, str]]]
"""Group and artifact → version → place and path of the first pom.xml that has them.

Versions with a variable are one here: each may be any.
"""


def claims(_path: str) -> bool:
    """Whether it is a manifest: wherever it lies."""
    return True


def read(path: str, files: Files) -> Contents:
    """Return what the pom.xml at *path* says. Raises ManifestError."""
    problems: list[str] = []
    model = _model(path, files, problems)
    boms = list(_boms(_imported(model, files), files, {path}))
    dependencies = []
    for key, version, scope in (*_used(model, boms), *_from_elsewhere(path, model, files)):
        if not key.group or not key.artifact:
            problems.append(f"a dependency without a name: {names.cut(_name(key), 100)}")
        elif "${" in _name(key):
            problems.append(f"nothing says what is meant by {names.cut(_name(key), 100)}")
        else:
            dependencies.append(_dependency(key, version, scope))
    return Contents(dependencies=dependencies, problems=problems)


def _used(model: Model, boms: list[Model]) -> Iterator[tuple[Key, str, Scope]]:
    """Yield what is on a class path, its version and its scope."""
    for key, declared in model.dependencies().items():
        version, scope = model.value(declared.version), model.value(declared.scope)
        if not version or not scope:
            managed_version, managed_scope = _managed(key, model, boms)
            version, scope = version or managed_version, scope or managed_scope
        yield key, version, _scope(scope, optional=model.value(declared.optional) == "true")


def _from_elsewhere(path: str, model: Model, files: Files) -> Iterator[tuple[Key, str, Scope]]:
    """Yield the parent, and the BOMs that the pom.xml itself imports, but none of the tree."""
    own = model.lineage[0]
    if own.parent and files.once(_parent, path) is None:
        parent = Key(own.parent.group, own.parent.artifact, "pom", "")
        yield parent, model.value(own.parent.version), Scope.BUILD
    for bom in own.imports:
        key, version = model.key(bom), model.value(bom.version)
        if _find(key.group, key.artifact, version, files) is None:
            yield key, version, Scope.BUILD


@lru_cache(maxsize=1 << 12)
def _package(key: Key) -> PackageURL:
    qualifiers = {"classifier": key.classifier, "type": "" if key.type == "jar" else key.type}
    return PackageURL("maven", key.group, key.artifact, qualifiers=qualifiers)


def _dependency(key: Key, version: str, scope: Scope) -> Dependency:
    return Dependency(
        name=_name(key),
        package=_package(key),
        requirement=version,
        scope=scope,
        resolved=_settled(version),
    )


def _managed(key: Key, model: Model, boms: list[Model]) -> tuple[str, str]:
    """Return version and scope, as the model manages them, else as the first of its BOMs does."""
    for one in (model, *boms):
        if (declared := one.managed(key)) is not None:
            return one.value(declared.version), one.value(declared.scope)
    return "", ""


def _scope(scope: str, *, optional: bool) -> Scope:
    if scope in _SCOPES:
        return _SCOPES[scope]
    return Scope.OPTIONAL if optional else Scope.RUNTIME


def _settled(version: str) -> str | None:
    """Return the version that is used: the one nearest to the project, so its own, unless a range.

    Source: https://maven.apache.org/pom.html#dependency-version-requirement-specification.

    >>> _settled("1.2"), _settled("[1.2]"), _settled("[1.2,2)"), _settled("${revision}")
    ('1.2', '1.2', None, None)
    """
    if version.startswith("[") and version.endswith("]") and "," not in version:
        return version[1:-1].strip() or None
    if not version or version.startswith(_NOT_ONE_VERSION) or "${" in version:
        return None
    return version


def _name(key: Key) -> str:
    return f"{key.group}:{key.artifact}"


def _model(path: str, files: Files, problems: list[str]) -> Model:
    """Return the model of the pom.xml at *path*; a parent that cannot be read is a problem."""
    lineage = [files.parsed(path, pom.parse)]
    seen = {path}
    while (above := files.once(_parent, path)) and above not in seen:
        try:
            lineage.append(files.parsed(above, pom.parse))
        except ManifestError as error:
            problems.append(f"its parent {names.quote(above)} cannot be read: {error}")
            break
        if len(lineage) > _MAX_ANCESTORS:
            problems.append(f"more than {_MAX_ANCESTORS} parents above it")
            break
        seen.add(above)
        path = above
    return Model(lineage, partial(files.spend, "declarations", most=MAX_DECLARATIONS))


def _parent(files: Files, path: str) -> str | None:
    """Return the path of the parent: where the child says it is, else anywhere in the tree."""
    parent = files.parsed(path, pom.parse).parent
    if parent is None:
        return None
    near = beside(path, parent.relative_path) if parent.relative_path else None
    for candidate in (near, posixpath.join(near, "pom.xml") if near else None):
        if candidate and candidate in files and _is(candidate, parent, files):
            return candidate
    return _find(parent.group, parent.artifact, parent.version, files)


def _is(path: str, parent: pom.Parent, files: Files) -> bool:
    """Whether the parent that is meant is at *path*: Maven looks elsewhere if the name differs."""
    try:
        found = files.parsed(path, pom.parse)
    except ManifestError:
        return True
    group, artifact, version = _coordinates(found)
    return (
        parent.group in {"", group}
        and parent.artifact in {"", artifact}
        and _same_version(parent.version, version)
    )


def _same_version(wanted: str, found: str) -> bool:
    return not wanted or wanted == found or "${" in found or "${" in wanted


def _coordinates(found: Pom) -> tuple[str, str, str]:
    fields = found.fields
    return (
        fields.get("groupId") or fields.get("parent.groupId", ""),
        fields.get("artifactId", ""),
        fields.get("version") or fields.get("parent.version", ""),
    )


def _boms(imported: Iterable[str], files: Files, seen: set[str]) -> Iterator[Model]:
    """Yield the model of each BOM at one of the paths *imported*, and of those that it imports."""
    for path in imported:
        if path in seen or len(seen) > _MAX_BOMS:
            continue
        seen.add(path)
        model, further = files.once(_bom, path)
        yield model
        yield from _boms(further, files, seen)


def _bom(files: Files, path: str) -> tuple[Model, list[str]]:
    """Return the model of the BOM at *path*, and the paths of those that it imports."""
    model = _model(path, files, [])
    return model, _imported(model, files)


def _imported(model: Model, files: Files) -> list[str]:
    """Return the path of each BOM in the tree that *model* imports."""
    keys = ((model.key(one), model.value(one.version)) for one in model.imports())
    found = (_find(key.group, key.artifact, version, files) for key, version in keys)
    return [path for path in found if path is not None]


def _find(group: str, artifact: str, version: str, files: Files) -> str | None:
    """Return the path of the first pom.xml of that name and version in the tree."""
    if not group or not artifact:
        return None
    versions = files.once(_index).get((group, artifact), {})
    alike = list(versions)[:1]
    if version and _VARIABLE not in version:
        alike = [one for one in (version, _VARIABLE) if one in versions]
    return min((versions[one] for one in alike), default=(0, None))[1]


def _index(files: Files) -> _Index:
    found: _Index = {}
    everywhere = (path for path in files if path.rpartition("/")[2] == "pom.xml")
    for place, path in enumerate(islice(everywhere, _MAX_INDEXED)):
        try:
            group, artifact, version = _coordinates(files.parsed(path, pom.parse))
        except ManifestError:
            continue
        versions = found.setdefault((group, artifact), {})
        versions.setdefault(_VARIABLE if _VARIABLE in version else version, (place, path))
    return found
