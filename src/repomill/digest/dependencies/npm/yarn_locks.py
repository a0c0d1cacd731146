"""Lock files of Yarn: ``yarn.lock`` of version 1 and of Berry (2 and later).

Both are written by Yarn alone, an entry a paragraph: a line at the margin with the descriptors
``name@range`` that share it, then indented fields. So lines are read, not YAML. Source of the
forms: src/lockfile/stringify.js of yarnpkg/yarn, packages/yarnpkg-parsers/sources/syml.ts of
yarnpkg/berry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.digest.dependencies.npm.locks import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = re.compile(rf'  version:? "?({VERSION})"?')
_WORKSPACE = "@workspace:"
_PATCH = "@patch:"
_BOUND = "::locator="
"""Before whose patch it is, where its path is relative: what asks for it does not say so."""
_LOCAL = "0.0.0-use.local"
"""The version that Berry gives to what lies in the repository."""


@dataclass(frozen=True, slots=True)
class YarnLock:
    """A lock file of Yarn."""

    folders: frozenset[str]
    """Of the workspaces; empty in version 1, which does not name them."""
    versions: Mapping[str, str]
    """Descriptor → version."""

    def knows(self, folder: str) -> bool | None:
        """Whether it is one of the workspaces; version 1 leaves them to ``package.json``."""
        if self.folders:
            return folder in self.folders
        return None if folder else True

    def version(self, folder: str, name: str, requirement: str) -> str | None:  # noqa: ARG002 any
        """Berry writes the registry's protocol before a range that has none."""
        written = self.versions.get(f"{name}@{requirement}")
        return written or self.versions.get(f"{name}@npm:{requirement}")


def parse(text: str) -> YarnLock:
    r"""Return what a lock file of Yarn says.

    >>> parse('ms@^2.1.1, "ms@>= 2":\n  version "2.1.3"\n').version("", "ms", ">= 2")
    '2.1.3'
    >>> parse('"ms@npm:^2.1.1, ms@npm:>= 2":\n  version: 2.1.3\n').version("", "ms", ">= 2")
    '2.1.3'
    """
    folders: set[str] = set()
    versions: dict[str, str] = {}
    heading = ""
    for line in text.split("\n"):
        if not line.startswith(" "):
            # The colon of a heading over 1,024 characters stands on a line of its own.
            heading = heading if line.startswith(":") else line
        elif heading and (found := _VERSION.fullmatch(line.rstrip())):
            descriptors = _descriptors(heading)
            heading = ""
            if found[1] == _LOCAL:
                folders.update(_folders(descriptors))
            else:
                versions.update(dict.fromkeys(descriptors, found[1]))
    return YarnLock(frozenset(folders), versions)


def _descriptors(line: str) -> list[str]:
    """Return the descriptors of an entry; Berry begins a line over 1,024 characters with ``? ``."""
    descriptors = line.removeprefix("? ").rstrip("\r:").replace('"', "").split(", ")
    if _PATCH not in line:
        return descriptors
    return [one.partition(_BOUND)[0] if _PATCH in one else one for one in descriptors]


def _folders(descriptors: list[str]) -> set[str]:
    folders = {name.partition(_WORKSPACE)[2] for name in descriptors if _WORKSPACE in name}
    return {"" if folder == "." else folder for folder in folders}
