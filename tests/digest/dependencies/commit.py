"""Commits made up for the tests of manifests."""

from collections.abc import Mapping

from repomill.digest.dependencies.base import Files
from repomill.digest.linguist import Nature
from repomill.model import Entry, Kind


def files(contents: Mapping[str, str | bytes]) -> Files:
    """Return the files of a commit that holds *contents*: path → text."""
    stored = {
        path.encode("utf-8", "surrogateescape"): text.encode() if isinstance(text, str) else text
        for path, text in contents.items()
    }
    entries = [Entry(path, Kind.FILE, "1" * 40, len(stored[path])) for path in sorted(stored)]
    return Files(entries, lambda entry: stored[entry.path])


def all_source(_path: str) -> Nature:
    """Take every file for the team's own."""
    return Nature.SOURCE
