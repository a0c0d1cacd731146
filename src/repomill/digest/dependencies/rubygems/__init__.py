"""RubyGems: Gemfiles and gemspecs, with the versions that Bundler locked."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
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
)
from repomill.digest.dependencies.rubygems import gemfile, gemspec, loading, locks
from repomill.digest.dependencies.rubygems.gemfile import DEFAULT, Gem, Include

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NAME = "RubyGems"
FILE_NAMES = r"Gemfile|gems\.rb|[^/]*\.gemspec"
LOCK_NAMES = r"Gemfile\.lock|gems\.locked"

_LOCKS = {"Gemfile": "Gemfile.lock", "gems.rb": "gems.locked"}
_EXACT = re.compile(r"(?:=\s*)?(\d{1,16}(?:\.\w{1,50}){0,9}(?:-[\w.-]{1,100})?)", re.ASCII)
"""Of the versions, which are all there is where a gem comes from the registry."""
_MAX_INCLUDED = 50
_MAX_GEMS = 50_000
MAX_GEMS_TOGETHER = 50_000
"""Of all Gemfiles of a commit with what they include; the most known are a fortieth of that."""


def claims(path: str) -> bool:
    """Take every file so called."""
    del path
    return True


def read(path: str, files: Files) -> Contents:
    """Return what a Gemfile or a gemspec says.

    To a Gemfile belong the files it evaluates and, where it says ``gemspec``, what that gemspec
    asks for. Raises ManifestError.
    """
    if path.endswith(".gemspec"):
        return _read_gemspec(path, files)
    gems, problems = _gather(path, files)
    lock = beside(path, _LOCKS[posixpath.basename(path)])
    return _locked(_dependencies(gems), lock if lock in files else None, files, problems)


def _read_gemspec(path: str, files: Files) -> Contents:
    said = loading.read(path, files, gemspec.parse)
    dependencies = [*_dependencies(said.runtime), *_dependencies(said.development, developing=True)]
    lock = files.nearest(path, *_LOCKS.values())
    if lock is None or _name(path, said) not in _own(lock, files):
        return Contents(dependencies=dependencies, problems=said.problems)
    return _locked(dependencies, lock, files, said.problems)


def _own(lock: str, files: Files) -> frozenset[str]:
    try:
        return files.parsed(lock, locks.parse, MAX_LOCK_BYTES).own
    except ManifestError:
        return frozenset()


def _gather(path: str, files: Files) -> tuple[list[Gem], list[str]]:
    """Return the gems of a Gemfile and of the files it includes, and what could not be read."""
    gems: list[Gem] = []
    problems: list[str] = []
    waiting = [(path, DEFAULT)]
    seen = {path}
    while waiting:
        current, groups = waiting.pop()
        said = loading.read(current, files, gemfile.parse)
        files.spend("gems of Gemfiles", len(said.gems), MAX_GEMS_TOGETHER)
        problems += said.problems
        gems += (replace(gem, groups=_together(groups, gem.groups)) for gem in said.gems)
        for include in said.gemspecs:
            gems += _of_gemspec(current, include, files, problems)
            if len(gems) + len(problems) > _MAX_GEMS:
                raise ManifestError(f"asks for more than {_MAX_GEMS} gems")
        for include in said.gemfiles:
            target = beside(current, include.path)
            if target is None or target not in files:
                if include.must_exist:
                    problems.append(f"{names.quote(include.path)} is not in the repository")
            elif target not in seen and len(seen) < _MAX_INCLUDED:
                seen.add(target)
                waiting.append((target, _together(groups, include.groups)))
    return gems, problems


def _together(outer: frozenset[str], inner: frozenset[str]) -> frozenset[str]:
    return outer if inner == DEFAULT else inner if outer == DEFAULT else outer | inner


def _of_gemspec(path: str, include: Include, files: Files, problems: list[str]) -> Iterator[Gem]:
    """Yield what the gemspec asks for that ``gemspec`` in the Gemfile at *path* means."""
    inside = beside(path, posixpath.join(include.path, "*"))
    folder = None if inside is None else posixpath.dirname(inside)
    if include.name is None:
        found = files.once(_gemspecs).get(folder, [])
    else:
        found = files.once(_named_gemspecs).get((folder, include.name), [])
    if len(found) != 1:
        problems.append(f"gemspec: {len(found)} of them in {names.quote(include.path)}")
        return
    said = loading.read(found[0], files, gemspec.parse)
    files.spend("gems of Gemfiles", len(said.runtime) + len(said.development), MAX_GEMS_TOGETHER)
    problems += said.problems
    for gem in said.runtime:
        yield replace(gem, groups=include.groups)
    for gem in said.development:
        yield replace(gem, groups=frozenset({include.development, "development"}))


def _named_gemspecs(files: Files) -> Mapping[tuple[str | None, str], Sequence[str]]:
    """Return folder and name of a gem → the gemspecs of that name in it."""
    found: dict[tuple[str | None, str], list[str]] = {}
    for folder, paths in files.once(_gemspecs).items():
        for path in paths:
            try:
                said = loading.read(path, files, gemspec.parse)
            except ManifestError:  # it is named where it is read itself
                continue
            found.setdefault((folder, _name(path, said)), []).append(path)
    return found


def _gemspecs(files: Files) -> Mapping[str | None, Sequence[str]]:
    """Return folder → the gemspecs in it."""
    found: dict[str | None, list[str]] = {}
    for path in files:
        if path.endswith(".gemspec"):
            found.setdefault(posixpath.dirname(path), []).append(path)
    return found


def _name(path: str, said: gemspec.Gemspec) -> str:
    return said.name or posixpath.basename(path).removesuffix(".gemspec")


def _dependencies(gems: Iterable[Gem], *, developing: bool = False) -> Iterator[Dependency]:
    for gem in gems:
        yield Dependency(
            name=gem.name,
            package=PackageURL("gem", None, gem.name, qualifiers={"vcs_url": gem.repository}),
            requirement=gem.requirement,
            scope=Scope.DEVELOPMENT if developing else gem.scope,
            resolved=found[1] if (found := _EXACT.fullmatch(gem.requirement)) else None,
        )


def _locked(
    dependencies: Iterable[Dependency], lock: str | None, files: Files, problems: Iterable[str]
) -> Contents:
    """Return *dependencies* with the versions that *lock* settles."""
    if lock is None:
        return Contents(dependencies=tuple(dependencies), problems=tuple(problems))
    try:
        versions = files.parsed(lock, locks.parse, MAX_LOCK_BYTES).versions
    except ManifestError as error:
        return Contents(dependencies=tuple(dependencies), problems=(*problems, str(error)))
    return Contents(
        dependencies=tuple(
            replace(dependency, resolved=versions.get(dependency.name) or dependency.resolved)
            for dependency in dependencies
        ),
        locked_by=lock,
        problems=tuple(problems),
    )
