"""Lock files of npm: ``package-lock.json`` and ``npm-shrinkwrap.json``, of every version.

Source of the format: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json. Versions 2
and 3 have ``packages``, whose keys are folders; version 1 has nested ``dependencies`` alone.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from repomill.digest.dependencies.base import mapping
from repomill.digest.dependencies.formats import json_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = r"\d{1,16}\.\d{1,16}\.\d{1,16}(?:[-+][0-9A-Za-z.+-]{1,200})?"
"""One version, as https://semver.org has it."""
_LOCKED = re.compile(rf"(?:npm:[^\s]{{1,300}}@)?({VERSION})")


class Lock(Protocol):
    """What a lock file says of a folder with a manifest: *folder* is relative to the lock's own."""

    def knows(self, folder: str) -> bool | None:
        """Whether the manifest in *folder* is locked by it; None where it does not say."""

    def version(self, folder: str, name: str, requirement: str) -> str | None:
        """Return the version of the dependency *name* that is used by the manifest in *folder*."""


@dataclass(frozen=True, slots=True)
class PackageLock:
    """A lock file of npm."""

    folders: frozenset[str]
    versions: Mapping[str, str]
    """Folder of an installed package → its version."""

    def knows(self, folder: str) -> bool:
        """Whether it is the root, a member of its workspaces, or a folder it links to."""
        return folder in self.folders

    def version(self, folder: str, name: str, requirement: str) -> str | None:  # noqa: ARG002 any
        """Look where Node.js does: in the folder's own node_modules, then in those above."""
        while True:
            found = posixpath.join(folder, "node_modules", name)
            if found in self.versions or not folder:
                return self.versions.get(found)
            folder = posixpath.dirname(folder)


def parse(text: str) -> PackageLock:
    """Return what a lock file of npm says. Raises ManifestError."""
    lock = json_object.parse(text)
    packages = lock.get("packages")
    if isinstance(packages, dict):
        folders = frozenset(key for key in packages if "node_modules/" not in key)
        return PackageLock(folders, dict(_versions(packages, "")))
    installed = mapping(lock.get("dependencies"))
    return PackageLock(frozenset({""}), dict(_versions(installed, "node_modules/")))


def _versions(packages: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, package in packages.items():
        version = package.get("version") if isinstance(package, dict) else None
        found = _LOCKED.fullmatch(version) if isinstance(version, str) else None
        if found:
            yield prefix + key, found[1]
