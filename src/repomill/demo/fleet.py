"""A small fleet on a git host of its own: real code, and every way to fail.

The repositories are the Python packages installed here. Seven more stand for what a fleet of
strangers' repositories holds: one that fails and then works, one renamed, one missing, one silent,
one damaged, one private and one empty.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pygit2

from repomill.demo.behaviours import Corrupt, Delay, Redirect, RequireToken, Status
from repomill.demo.repositories import package_repositories, write_repository

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from repomill.demo.githost import GitHost

OWNER = "demo"
FAULTS = ("corrupt", "empty", "flaky", "missing", "private", "renamed", "silent")
_AGES_SECONDS = 3600.0
_FILES = {
    "README.md": b"# A repository of the demo\n",
    "package.json": b'{"dependencies": {"express": "^4.18.0"}}\n',
    "src/main.py": b"print('hello')\n" * 100,
}


def make(root: Path, *, packages: int = 26) -> list[str]:
    """Make the fleet's bare repositories below *root*; return their names, `OWNER/NAME`."""
    made = package_repositories(root, owner="packages", count=packages)
    for name in ("corrupt", "flaky", "private", "silent", "new-name"):
        write_repository(root / OWNER / f"{name}.git", _FILES)
    pygit2.init_repository(str(root / OWNER / "empty.git"), bare=True)
    names = [f"{path.parent.name}/{path.name.removesuffix('.git')}" for path in made]
    return names + [f"{OWNER}/{name}" for name in FAULTS]


def script(host: GitHost) -> None:
    """Have *host* fail as the names of the repositories say."""
    host.script(f"{OWNER}/flaky", Status(503), times=1, on="info/refs")
    host.script(f"{OWNER}/corrupt", Corrupt())
    host.script(f"{OWNER}/private", RequireToken("nobody-knows-it"))
    host.script(f"{OWNER}/silent", Delay(_AGES_SECONDS))
    host.script(f"{OWNER}/renamed", Redirect(host.url(f"{OWNER}/new-name") + "{rest}"))


def write_feed(path: Path, host: GitHost, names: Sequence[str]) -> None:
    """Write a feed of *names*, shaped like the UK government's."""
    entries = []
    for name in names:
        owner, _, short = name.partition("/")
        entries.append({"owner": owner, "name": short, "url": host.url(name), "isArchived": False})
    path.write_text(json.dumps(entries, indent=1))
