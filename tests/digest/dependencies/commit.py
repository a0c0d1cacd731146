"""Commits made up for the tests of manifests."""

from collections.abc import Mapping
from hashlib import sha1

from repomill.digest.dependencies.base import Files
from repomill.digest.linguist import Nature
from repomill.model import Entry, Kind


def files(contents: Mapping[str, str | bytes]) -> Files:
    """Return the files of a commit that holds *contents*: path → text."""
    stored = {
        path.encode("utf-8", "surrogateescape"): text.encode() if isinstance(text, str) else text
        for path, text in contents.items()
    }
    entries = [
        Entry(path, Kind.FILE, sha1(text, usedforsecurity=False).hexdigest(), len(text))
        for path, text in sorted(stored.items())
    ]
    return Files(entries, lambda entry: stored[entry.path])


def all_source(_path: str) -> Nature:
    """Take every file for the team's own."""
    return Nature.SOURCE
