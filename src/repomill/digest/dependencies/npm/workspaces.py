"""What lies above a ``package.json``: its workspace's lock file, resolutions and catalogs."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

import yaml

from repomill.digest.dependencies.base import (
    MAX_LOCK_BYTES,
    ManifestError,
    mapping,
    sequence,
)
from repomill.digest.dependencies.formats import json_object, yaml_tree
from repomill.digest.dependencies.npm import locks, pnpm_locks, yarn_locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from repomill.digest.dependencies.base import Files, Scope
    from repomill.digest.dependencies.npm.locks import Lock

_YARN = "yarn.lock"
LOCKS: Mapping[str, Callable[[str], Lock]] = {
    "npm-shrinkwrap.json": locks.parse,
    "package-lock.json": locks.parse,
    "pnpm-lock.yaml": pnpm_locks.parse,
    _YARN: yarn_locks.parse,
}
"""In npm's order, where a folder has several and its manifest names no package manager."""
CATALOGS = ("pnpm-workspace.yaml", ".yarnrc.yml")

_MAX_CATALOG_BYTES = 256 << 10
_MAX_PATTERNS = 200
"""Of a manifest, those counted each that one with braces stands for."""
_BRACES = re.compile(r"\{([^{},]*+(?:,[^{},]*+)++)\}")
_MAX_PARTS = 20
"""Of a pattern; each may double what is tried."""
_MAX_TRIED = 1_000_000
"""Parts of folders that patterns are held against, of all manifests together."""
_MAX_DEPTH = 20
_MAX_PATTERN = 300
_MAX_RANGE = 300
"""Characters, of one that counts for thousands of manifests, or by aliases of YAML of names."""
_ITEM = "\n-"
"""Stands where a list has no key."""
_CATALOG = "catalog:"
_DEFAULT = "default"

Catalogs = dict[str, dict[str, str]]
"""Name of a catalog → name of a package → range."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A manifest's lock file."""

    path: str
    folder: str
    """The manifest's, relative to the lock file's own."""
    lock: Lock
    resolutions: Mapping[str, str]
    """What Yarn takes instead of a range: name, perhaps with the range behind it → range."""

    def wanted(self, name: str, written: str) -> str:
        """Return the range that counts for *name*, for which the manifest has *written*.

        Source: https://yarnpkg.com/configuration/manifest#resolutions. pnpm's overrides hold for
        some ranges and not for others; its lock file says what came of them.
        """
        if isinstance(self.lock, pnpm_locks.PnpmLock):
            return self.lock.overridden.get(self.folder, {}).get(name, written)
        for pattern in (f"{name}@{written}", f"{name}@npm:{written}", name, f"**/{name}"):
            instead = self.resolutions.get(pattern)
            if instead:
                return instead
        return written

    def version(self, name: str, requirement: str) -> str | None:
        """Return the version that is used of *name*, which the manifest wants so."""
        return self.lock.version(self.folder, name, requirement)


def lock_of(path: str, files: Files, problems: list[str]) -> Locked | None:
    """Return the lock file of the manifest at *path*: the nearest that knows it.

    One beside the manifest that cannot be read is a problem.
    """
    folder = posixpath.dirname(path)
    above = folder
    while True:
        below = folder[len(above) :].lstrip("/")
        for name in _names(above, files):
            candidate = posixpath.join(above, name)
            try:
                lock = files.parsed(candidate, LOCKS[name], MAX_LOCK_BYTES)
            except ManifestError as error:
                if not below:
                    problems.append(f"{name}: {error}")
                continue
            known = lock.knows(below)
            if known or (known is None and _is_member(below, above, files)):
                resolutions = files.once(_resolutions, above) if name == _YARN else {}
                return Locked(candidate, below, lock, resolutions)
        if not above:
            return None
        above = posixpath.dirname(above)


def catalogs_for(
    declared: Sequence[tuple[Scope, str, str]], path: str, files: Files, problems: list[str]
) -> Catalogs:
    """Return the catalogs of the workspace, where a range among *declared* stands in one.

    Source: https://pnpm.io/catalogs, https://yarnpkg.com/features/catalogs.
    """
    if not any(written.startswith(_CATALOG) for _scope, _name, written in declared):
        return {}
    settings = files.nearest(path, *CATALOGS)
    if settings is None:
        return {}
    try:
        return files.parsed(settings, _catalogs, _MAX_CATALOG_BYTES)
    except ManifestError as error:
        problems.append(f"{posixpath.basename(settings)}: {error}")
        return {}


def in_catalog(name: str, written: str, catalogs: Catalogs) -> str:
    """Return the range that ``catalog:…`` stands for; what is in no catalog is as *written*."""
    if not written.startswith(_CATALOG):
        return written
    chosen = written.removeprefix(_CATALOG).strip() or _DEFAULT
    return catalogs.get(chosen, {}).get(name, written)


def _names(folder: str, files: Files) -> Sequence[str]:
    """Return the names of lock files in *folder*, that of its package manager first."""
    found = [name for name in LOCKS if posixpath.join(folder, name) in files]
    if len(found) > 1:
        manager = str(_manifest(folder, files).get("packageManager", "")).partition("@")[0]
        found.sort(key=lambda name: not (manager and name.startswith(manager)))
    return found


def _is_member(below: str, folder: str, files: Files) -> bool:
    """Whether the workspaces that the manifest in *folder* names have the folder *below*."""
    parts = below.split("/")
    patterns = files.once(_patterns, folder)
    try:
        tried = len(parts) * sum(map(len, patterns))
        files.spend("parts of workspaces' patterns", tried, _MAX_TRIED)
    except ManifestError:
        return False
    return any(_matches(parts, pattern) for pattern in patterns)


def _patterns(files: Files, folder: str) -> list[list[str]]:
    """Return the patterns of folders that the manifest in *folder* names, each in its parts."""
    workspaces = _manifest(folder, files).get("workspaces")
    if isinstance(workspaces, dict):
        workspaces = workspaces.get("packages")
    written = (
        one
        for pattern in sequence(workspaces)[:_MAX_PATTERNS]
        if isinstance(pattern, str) and len(pattern) <= _MAX_PATTERN
        for one in _without_braces(pattern)
    )
    return [
        one.removeprefix("./").rstrip("/").split("/")[:_MAX_PARTS]
        for one in islice(written, _MAX_PATTERNS)
    ]


def _without_braces(pattern: str) -> Iterator[str]:
    """Yield the patterns that *pattern* stands for, the innermost braces first; there may be many.

    >>> list(_without_braces("{a,b/{c,d}}/*"))
    ['a/*', 'b/c/*', 'a/*', 'b/d/*']
    """
    waiting = [pattern]
    while waiting:
        one = waiting.pop()
        if braces := _BRACES.search(one):
            before, after = one[: braces.start()], one[braces.end() :]
            waiting += [before + each + after for each in reversed(braces[1].split(","))]
        else:
            yield one


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the folder *parts* matches *pattern*, where ``**`` stands for any folders.

    >>> _matches(["packages", "ui", "icons"], ["packages", "**"]), _matches(["a", "b"], ["*"])
    (True, False)
    """
    reached = {0}
    for expected in pattern:
        if not reached:
            return False
        if expected == "**":
            reached = set(range(min(reached), len(parts) + 1))
        else:
            reached = {
                place + 1
                for place in reached
                if place < len(parts) and fnmatchcase(parts[place], expected)
            }
    return len(parts) in reached


def _resolutions(files: Files, folder: str) -> Mapping[str, str]:
    written = mapping(_manifest(folder, files).get("resolutions"))
    return {
        pattern: instead
        for pattern, instead in written.items()
        if isinstance(instead, str) and len(instead) <= _MAX_RANGE
    }


def _manifest(folder: str, files: Files) -> Mapping[str, object]:
    try:
        return files.parsed(posixpath.join(folder, "package.json"), json_object.parse)
    except ManifestError:
        return {}


def _catalogs(text: str) -> Catalogs:
    """Return the catalogs of a ``pnpm-workspace.yaml`` or ``.yarnrc.yml``. Raises ManifestError."""
    catalogs: Catalogs = {}
    try:
        for keys, value in _scalars(text):
            if len(value) > _MAX_RANGE:
                continue
            if len(keys) == 2 and keys[0] == "catalog":  # noqa: PLR2004 catalog, package
                catalogs.setdefault(_DEFAULT, {})[keys[1]] = value
            elif len(keys) == 3 and keys[0] == "catalogs":  # noqa: PLR2004 catalogs, name, package
                catalogs.setdefault(keys[1], {})[keys[2]] = value
    except yaml.YAMLError as error:
        raise ManifestError(f"no YAML: {str(error).splitlines()[0]}") from None
    return catalogs


def _scalars(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield each scalar, as written, with the keys that lead to it. Aliases are not followed.

    Events are read and no values made of them: ``1.10`` stays, and nothing can grow.
    """
    keys: list[str | None] = []  # of each collection around; None where a key is to come
    anchors: dict[str | None, str] = {}
    for event in yaml_tree.events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            if len(keys) == _MAX_DEPTH:
                raise ManifestError("nested too deeply")
            keys.append(None if isinstance(event, yaml.MappingStartEvent) else _ITEM)
        elif isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            _pass(keys, "")
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            value = anchors.get(event.anchor, "")
            if isinstance(event, yaml.ScalarEvent):
                value = anchors[event.anchor] = event.value
            if keys and keys[-1] is not None:
                yield [str(key) for key in keys], value
            _pass(keys, value)


def _pass(keys: list[str | None], node: str) -> None:
    """Go on after *node*: it was the innermost mapping's key, or the value of its key."""
    if keys and keys[-1] != _ITEM:
        keys[-1] = node if keys[-1] is None else None
