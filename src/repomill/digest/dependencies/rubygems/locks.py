"""Read Gemfile.lock: the sections of Bundler::LockfileParser, with specs four spaces deep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A version and, after the first hyphen, the platform that the gem is built for.
_SPEC = re.compile(r" {4}([^\s(]+) \(([^-)]+)(?:-[^)]*)?\)")
_SECTIONS = frozenset({"GIT", "GEM", "PATH"})


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file settles."""

    versions: Mapping[str, str | None]
    """Gem → its version; None where it has several, one a platform."""
    own: frozenset[str]
    """The gems that lie in the repository itself."""


def parse(text: str) -> Lock:
    r"""Return what a lock file settles.

    >>> parse("GEM\n  specs:\n    rack (3.1.0-java)\n      webrick (>= 1)\n").versions
    {'rack': '3.1.0'}
    """
    section, own = "", set()
    versions: dict[str, str | None] = {}
    for line in text.splitlines():
        if not line.startswith(" "):
            section = line
        elif section in _SECTIONS and (found := _SPEC.fullmatch(line)):
            name, version = found.groups()
            versions[name] = version if versions.get(name, version) == version else None
            if section == "PATH":
                own.add(name)
    return Lock(versions, frozenset(own))
