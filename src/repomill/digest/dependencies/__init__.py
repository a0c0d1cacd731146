"""Direct dependencies of a repository, read from the manifests of the commit itself.

Nothing is run, nothing is fetched, and what gitingest leaves out is read too. A manifest that
cannot be read is named, and costs only itself.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.digest.dependencies import (
    cargo,
    composer,
    docker,
    github_actions,
    golang,
    gradle,
    maven,
    npm,
    nuget,
    origins,
    pypi,
    rubygems,
    sbt,
    terraform,
)
from repomill.digest.dependencies.base import (
    MAX_MANIFEST_BYTES,
    Contents,
    Dependency,
    Files,
    ManifestError,
    Scope,
)
from repomill.digest.dependencies.ranges import contradicts
from repomill.digest.linguist import Nature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from repomill.digest.dependencies.base import Ecosystem

__all__ = ["Dependency", "Files", "Manifest", "Scope", "is_read", "read_all"]

BUILT_FROM: tuple[Ecosystem, ...] = (
    npm,
    pypi,
    rubygems,
    maven,
    gradle,
    sbt,
    golang,
    cargo,
    nuget,
    composer,
)
RUNS_ON: tuple[Ecosystem, ...] = (
    docker,
    terraform,
    github_actions,
)
ECOSYSTEMS = BUILT_FROM + RUNS_ON
"""Add a module here, and its manifests are read."""

MAX_MANIFESTS = 2_000
"""Of one ecosystem."""
MAX_DEPENDENCIES = 100_000
MAX_BYTES = 24 << 20
"""Of all manifests themselves; those that are equal take their time each."""
_WEIGHTS = {
    "npm": 2,
    "Composer": 2,
    "PyPI": 8,
    "RubyGems": 8,
    "Gradle": 4,
    "sbt": 24,
    "Go": 4,
    "NuGet": 4,
    "Cargo": 4,
    "Docker": 4,
    "GitHub Actions": 4,
}
"""Ecosystem → for how many bytes each of its manifests' counts, where it takes longer to read."""
MAX_FOLDERS = 40
"""That a manifest lies in: readers look through all of them for what lies above it."""
_FOR_DEVELOPERS = re.compile(
    r"(?i:(?:\A|[-_./])(?:dev|docs?|e2e|lint|mocks?|tests?|testing)[-_./])"
    r"|[a-z.]Tests?(?:Harness|Helpers?)?[./]"
)
"""Of manifests beside each other, those so called come last."""
_FIXTURE = re.compile(
    r"(?:\A|/)(?:src/(?=\w*[Tt]est)\w+/resources[^/]*+|sbt-test|(?:__)?fixtures?(?:__)?"
    r"|\{\{[^/{}]*\}\}|\.terraform|\.bundle|\.venv|venv|\.yarn|\.tox|\.nox)/"
)
"""What tests read, what is yet to be filled in, and what tools put there; linguist's besides."""
_MOST_PROBLEMS = 20
"""Of one manifest."""
_MOST_CHARACTERS = 1_000
"""Of a name; a longer one is none. Of a range and of a problem; longer ones are cut."""
_MOST_OUTDATED = 10_000
"""Characters of what is said of a lock file that is out of date."""
_NOT_THE_TEAMS = frozenset({Nature.VENDORED, Nature.GENERATED})
_SCOPES = {scope: place for place, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A file that names dependencies, and what it says."""

    path: str
    ecosystem: str
    dependencies: tuple[Dependency, ...] = ()
    """Each once; by scope, then by name."""
    locked_by: str | None = None
    problems: tuple[str, ...] = ()
    """What could not be read, if anything."""


def read_all(files: Files, nature_of: Callable[[str], Nature]) -> list[Manifest]:
    """Return every manifest that is the team's own and names a dependency, or cannot be read.

    First those of what is built, then those of what it runs on; those near the root first. Past
    MAX_MANIFESTS of an ecosystem, MAX_DEPENDENCIES, MAX_BYTES or MAX_FOLDERS they are only counted.
    """
    left, left_bytes = MAX_DEPENDENCIES, MAX_BYTES
    manifests: list[Manifest] = []
    unread: dict[str, list[str]] = defaultdict(list)
    read = Counter[str]()
    for path, ecosystem in find(files, nature_of):
        # One that is too large by itself is refused by its reader, by name.
        size = files.size(path)
        weighed = size * _WEIGHTS.get(ecosystem.NAME, 1) if size <= MAX_MANIFEST_BYTES else 0
        is_beyond = path.count("/") > MAX_FOLDERS or weighed > left_bytes
        if read[ecosystem.NAME] == MAX_MANIFESTS or not left or is_beyond:
            unread[ecosystem.NAME].append(path)
            continue
        read[ecosystem.NAME] += 1
        left_bytes -= weighed
        manifest, refused = _read(ecosystem, path, files, left)
        left = max(0, left - len(manifest.dependencies) - refused)
        if manifest.dependencies or manifest.problems:
            manifests.append(manifest)
    return manifests + [_unread(name, paths) for name, paths in unread.items()]


def find(files: Iterable[str], nature_of: Callable[[str], Nature]) -> list[tuple[str, Ecosystem]]:
    """Return the paths of all manifests that are the team's own, in the order of reading."""
    found = (
        (
            *(max(0, place + 1 - len(BUILT_FROM)), path.count("/")),
            *(_FOR_DEVELOPERS.search(path) is not None, path, place),
        )
        for path in files
        for place in _places(path.rpartition("/")[2])
        if _is_manifest(path, place, nature_of)
    )
    return [(path, ECOSYSTEMS[place]) for *_order, path, place in sorted(found)]


def is_read(path: str, nature_of: Callable[[str], Nature]) -> bool:
    """Whether *path* is that of a manifest or of a lock file that would be read."""
    name = path.rpartition("/")[2]
    if _LOCKS.fullmatch(name):
        return nature_of(path) is not Nature.VENDORED
    return any(_is_manifest(path, place, nature_of) for place in _places(name))


@lru_cache(maxsize=1 << 14)
def _places(name: str) -> tuple[int, ...]:
    """Return the place of each ecosystem that may have manifests called *name*."""
    if not _ANY.fullmatch(name):
        return ()
    return tuple(place for place, one in enumerate(_NAMES) if one.fullmatch(name))


def _is_manifest(path: str, place: int, nature_of: Callable[[str], Nature]) -> bool:
    if not ECOSYSTEMS[place].claims(path) or _FIXTURE.search(path):
        return False
    return nature_of(path) not in _NOT_THE_TEAMS


def _unread(ecosystem: str, paths: list[str]) -> Manifest:
    others = f", like {len(paths) - 1} more" if len(paths) > 1 else ""
    told = f"not read{others}: too many or too large together, or too deep in folders"
    return Manifest(path=paths[0], ecosystem=ecosystem, problems=(told,))


def _read(ecosystem: Ecosystem, path: str, files: Files, most: int) -> tuple[Manifest, int]:
    """Return what is read, and how much there is besides of what cannot be made out."""
    try:
        contents = ecosystem.read(path, files)
        believed, outdated = _believed(contents)
        dependencies = sorted(set(believed), key=_order)
    except RecursionError:
        return Manifest(path=path, ecosystem=ecosystem.NAME, problems=("nested too deeply",)), 0
    except (ManifestError, ValueError) as error:
        return Manifest(path=path, ecosystem=ecosystem.NAME, problems=(_shown(str(error)),)), 0
    problems = (*map(_shown, contents.problems[:_MOST_PROBLEMS]), *outdated)
    if len(dependencies) > most:
        problems += (f"{len(dependencies) - most} dependencies more than are read of a repository",)
    manifest = Manifest(
        path=path,
        ecosystem=ecosystem.NAME,
        dependencies=tuple(dependencies[:most]),
        locked_by=contents.locked_by,
        problems=problems,
    )
    return manifest, len(contents.problems)


def _shown(problem: str) -> str:
    return origins.problem_without_credentials(names.cut(problem, _MOST_CHARACTERS))


def _believed(contents: Contents) -> tuple[list[Dependency], list[str]]:
    """Return the dependencies, but no version that a lock file has for another; and the outdated.

    A lock file is out of date where none that asks for a package can mean the version it has.
    """
    dependencies = [_public(one) for one in contents.dependencies if _is_named(one)]
    if not contents.locked_by:
        return dependencies, []
    fitting, contradicted = set(), []
    for place, one in enumerate(dependencies):
        if one.resolved and contradicts(one.requirement, one.resolved):
            contradicted.append(one)
            dependencies[place] = replace(one, resolved=None)
        elif one.resolved:
            fitting.add(_locked(one))
    outdated = {
        f"{one.name} {one.resolved}"
        for one in contradicted
        if not one.is_conditional and _locked(one) not in fitting
    }
    told = f"{contents.locked_by} is out of date, it has {', '.join(sorted(outdated))}"
    return dependencies, [names.cut(told, _MOST_OUTDATED)] if outdated else []


def _locked(dependency: Dependency) -> tuple[str | None, ...]:
    of = dependency.package
    return of.type, of.namespace, of.name, dependency.resolved


def _public(dependency: Dependency) -> Dependency:
    """Return *dependency* without anybody's credentials, whatever its reader has left in.

    And without what is longer than anybody writes: of such a range the beginning stays.
    """
    package, resolved = dependency.package, dependency.resolved
    qualifiers, subpath = package.qualifiers or {}, package.subpath or ""
    texts = (dependency.name, dependency.requirement, resolved or "", subpath, *qualifiers.values())
    longest = max(len(dependency.requirement), len(resolved or ""))
    if longest <= _MOST_CHARACTERS and not any(map(origins.may_tell_a_secret, texts)):
        return dependency
    clean = origins.without_credentials
    return replace(
        dependency,
        name=clean(dependency.name),
        package=package._replace(
            qualifiers={key: clean(qualifiers[key]) for key in qualifiers},
            subpath=clean(subpath) or None,
        ),
        requirement=names.cut(clean(dependency.requirement), _MOST_CHARACTERS),
        resolved=clean(resolved) if resolved and len(resolved) <= _MOST_CHARACTERS else None,
    )


def _is_named(dependency: Dependency) -> bool:
    name, package = dependency.name, dependency.package
    if not name.strip() or len(name) > _MOST_CHARACTERS or not package.name:
        return False
    # Where an address stands for a name, it is none; and who knows what is in it.
    qualifiers = package.qualifiers or {}
    parts = [package.namespace or "", package.name]
    parts += [qualifiers[key] for key in qualifiers if not key.endswith("_url")]
    return not any(
        len(part) > _MOST_CHARACTERS or "//" in part or origins.may_tell_a_secret(part)
        for part in parts
    )


def _order(dependency: Dependency) -> tuple[object, ...]:
    return (
        _SCOPES[dependency.scope],
        dependency.name.casefold(),
        dependency.name,
        dependency.requirement,
        dependency.resolved or "",
        dependency.purl,
    )


def _together(expressions: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in expressions if one) or r"(?!)", re.DOTALL)


_NAMES = [_together([ecosystem.FILE_NAMES]) for ecosystem in ECOSYSTEMS]
_ANY = _together(ecosystem.FILE_NAMES for ecosystem in ECOSYSTEMS)
_LOCKS = _together(ecosystem.LOCK_NAMES for ecosystem in ECOSYSTEMS)
