"""``package.json``: what npm, Yarn and pnpm install.

Source: https://docs.npmjs.com/cli/v11/configuring-npm/package-json. A package named in several
sections counts as npm's own reader, @npmcli/arborist, has it: optional before needed before peer;
what is needed for development counts besides. A member of a workspace is a dependency of those
that name it, not of the root.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest.dependencies.base import Contents, Dependency, Scope, mapping
from repomill.digest.dependencies.formats import json_object
from repomill.digest.dependencies.npm import workspaces
from repomill.digest.dependencies.npm.locks import VERSION
from repomill.digest.dependencies.npm.sources import qualifiers, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.digest.dependencies.base import Files

NAME = "npm"
FILE_NAMES = r"package\.json"
LOCK_NAMES = (
    r"(?:npm-shrinkwrap|package-lock)\.json|yarn\.lock|pnpm-lock\.yaml"
    r"|pnpm-workspace\.yaml|\.yarnrc\.yml"
)

# What npm lets a package be called, https://github.com/npm/validate-npm-package-name; and ``$``,
# which it lets a folder be called.
_NAME = re.compile(r"(?:@[\w.~!$'()*-]{1,214}/)?(?![.])[\w.~!$'()*-]{1,214}", re.ASCII)
_ALIAS = re.compile(
    rf"(?:npm|workspace):(?P<name>{_NAME.pattern})@(?P<range>.*)"
    r"|npm:(?P<any>(?:@[^@/\s]{1,214}/)?[A-Za-z][\w.-]{0,213})",  # npm:^2 is a range
    re.ASCII | re.DOTALL,
)
_EXACT = re.compile(rf"[=v]?({VERSION})")


def claims(path: str) -> bool:  # noqa: ARG001 every file of that name is one
    """Whether *path* is a manifest."""
    return True


def read(path: str, files: Files) -> Contents:
    """Return the dependencies of the package at *path*. Raises ManifestError."""
    manifest = files.parsed(path, json_object.parse)
    problems: list[str] = []
    locked = workspaces.lock_of(path, files, problems)
    declared = list(_declared(manifest, problems, locked))
    catalogs = workspaces.catalogs_for(declared, path, files, problems)
    dependencies = []
    for scope, name, written in declared:
        requirement = workspaces.in_catalog(name, written, catalogs)
        version = locked.version(name, requirement) if locked else None
        dependencies.append(_dependency(scope, name, requirement, version))
    return Contents(
        dependencies=dependencies,
        locked_by=locked.path if locked else None,
        problems=tuple(problems),
    )


def _declared(
    manifest: Mapping[str, object], problems: list[str], locked: workspaces.Locked | None
) -> Iterator[tuple[Scope, str, str]]:
    """Yield the scope, the name and the range of each dependency that *manifest* names.

    What the root of its workspace has instead of a range is that range, but not for a peer, which
    others are to have.
    """

    def section(name: str) -> Iterator[tuple[str, str]]:
        for package, written in json_object.ranges(manifest, name, _NAME, problems):
            yield package, locked.wanted(package, written) if locked else written

    optional_peers = {
        name
        for name, peer in mapping(manifest.get("peerDependenciesMeta")).items()
        if mapping(peer).get("optional")
    }
    needed = {
        name: (Scope.OPTIONAL if name in optional_peers else Scope.RUNTIME, requirement)
        for name, requirement in json_object.ranges(manifest, "peerDependencies", _NAME, problems)
    }
    for name, requirement in section("dependencies"):
        needed[name] = Scope.RUNTIME, requirement
    for name, requirement in section("optionalDependencies"):
        needed[name] = Scope.OPTIONAL, requirement
    for name, (scope, requirement) in needed.items():
        yield scope, name, requirement
    for name, requirement in section("devDependencies"):
        yield Scope.DEVELOPMENT, name, requirement


def _dependency(scope: Scope, name: str, requirement: str, version: str | None) -> Dependency:
    """Return the dependency; an alias names the package that it stands for."""
    package, wanted = name, requirement.removeprefix("npm:")
    if alias := _ALIAS.fullmatch(requirement):
        package, wanted = alias["name"] or alias["any"], alias["range"] or ""
    exact = _EXACT.fullmatch(wanted.strip())
    # A lone surrogate, which JSON can spell, is no text.
    shown = without_credentials(requirement).encode(errors="replace").decode()
    return Dependency(
        name=name,
        package=_package(package, shown),
        requirement=shown,
        scope=scope,
        resolved=version or (exact[1] if exact else None),
    )


@lru_cache(maxsize=1 << 12)
def _package(name: str, requirement: str) -> PackageURL:
    namespace, _, rest = name.rpartition("/")
    return PackageURL(
        type="npm", namespace=namespace or None, name=rest, qualifiers=dict(qualifiers(requirement))
    )
