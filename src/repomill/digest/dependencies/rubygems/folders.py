"""What Ruby's ``Dir`` and ``File`` tell of the folders of a commit.

Source: https://docs.ruby-lang.org/en/3.4/Dir.html, of whose patterns ``*``, ``?`` and ``**/`` are
known here.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING

from repomill.digest.dependencies.rubygems.ruby_values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.rubygems.ruby_values import Value

MAX_LISTED = 300_000
"""Files and folders that are looked at for all that ask, of one commit."""
_MAX_WILD = 2
"""Of ``*`` in a name: with many of them trying takes long."""
_WILD = re.compile(r"[*?]")
_OTHER = re.compile(r"[\[\]{}\\]")

_Tree = dict[str, dict[str, None]]
"""Folder → names of what is in it, sorted."""


def answer(files: Files, folder: str, method: str, path: str) -> Value:
    """Return what *method* gives for *path*, as a file in *folder* writes it.

    Paths outside the repository, and patterns of another kind, are unknown. Raises ManifestError
    where there is too much to look at.
    """
    tree = files.once(_tree)
    if method == "Dir.glob":
        return _matches(files, tree, folder, path)
    place = _place(folder, path)
    if place is None:
        return Unknown()
    if method == "File.directory?":
        return place in tree
    if place not in tree:
        return Unknown()
    files.spend("names in folders of Ruby's", len(tree[place]), MAX_LISTED)
    return (*((".", "..") if method == "Dir.entries" else ()), *tree[place])


def _place(folder: str, path: str) -> str | None:
    """Return *path* from the root, which is an empty text; None where it leads outside."""
    place = posixpath.normpath(posixpath.join(folder, path))
    return None if place.startswith(("/", "..")) else "" if place == "." else place


def _tree(files: Files) -> _Tree:
    found: _Tree = {"": {}}
    for path in files:
        name = path
        while name:
            folder, _, last = name.rpartition("/")
            inside = found.setdefault(folder, {})
            if last in inside:
                break
            inside[last] = None
            name = folder
    return {folder: dict.fromkeys(sorted(inside)) for folder, inside in found.items()}


def _matches(files: Files, tree: _Tree, folder: str, pattern: str) -> Value:
    parts = pattern.split("/")
    first = next((place for place, one in enumerate(parts) if _WILD.search(one)), len(parts) - 1)
    start = _place(folder, "/".join(parts[:first]) or ".")
    wild = parts[first:]
    is_odd = any(one.count("*") > _MAX_WILD for one in wild) or wild.count("**") > 1
    if start is None or is_odd or _OTHER.search(pattern) or pattern.startswith("/"):
        return Unknown()
    before = "".join(f"{one}/" for one in parts[:first])
    return tuple(f"{before}{path}" for path in sorted(_walk(files, tree, start, wild)))


def _walk(files: Files, tree: _Tree, start: str, wild: Sequence[str]) -> Iterator[str]:
    """Yield what matches the parts *wild* of a pattern below the folder *start*."""
    waiting = [("", wild)]
    while waiting:
        path, parts = waiting.pop()
        names = tree.get(posixpath.join(start, path).rstrip("/"), {})
        files.spend("names in folders of Ruby's", len(names), MAX_LISTED)
        rest = parts[1:]
        if parts[0] == "**":
            folders = [one for one in names if posixpath.join(start, path, one) in tree]
            waiting += [(f"{path}{one}/", parts) for one in folders if not one.startswith(".")]
            waiting.append((path, rest or ["*"]))
            continue
        is_wanted = re.compile(fnmatch.translate(parts[0])).match
        for name in names:
            if is_wanted(name) and (parts[0].startswith(".") or not name.startswith(".")):
                if rest and rest != [""]:
                    waiting.append((f"{path}{name}/", rest))
                elif not rest or posixpath.join(start, path, name) in tree:
                    yield f"{path}{name}" + "/" * len(rest)
