"""Requirements files together with those that they include."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.digest.dependencies.base import Files, ManifestError, beside
from repomill.digest.dependencies.pypi import requirement, requirements_txt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repomill.digest.dependencies.base import Scope
    from repomill.digest.dependencies.pypi.requirement import Found
    from repomill.digest.dependencies.pypi.requirements_txt import RequirementsFile

MAX_FILES = 50
"""That one includes, directly or not."""
MAX_LINES = 1_000_000
"""Of all that manifests include, each time they do."""
_PER_FILE = 10
"""Lines that take as long as the file itself."""


def with_included(path: str, files: Files, found: Found) -> Iterator[tuple[str, RequirementsFile]]:
    """Yield the file at *path* and those it includes, each once; note those that cannot be read."""
    waiting, seen = [path], {path}
    while waiting:
        path = waiting.pop()
        try:
            file = requirements_txt.parsed(path, files)
        except ManifestError as error:
            found.note(f"{names.quote(path)}: {error}")
            continue
        files.spend("lines of requirements", _PER_FILE + file.size, MAX_LINES)
        for problem in file.problems:
            found.note(problem if len(seen) == 1 else f"{names.quote(path)}, {problem}")
        yield path, file
        for target in reversed(targets(file.included, path, files, found)):
            if target not in seen and len(seen) < MAX_FILES:
                seen.add(target)
                waiting.append(target)


def targets(named: Iterable[str], path: str, files: Files, found: Found) -> list[str]:
    """Return the paths that *named* means in the file at *path*; note what is not there."""
    there = []
    for name in named:
        target = None if requirement.LINK.match(name) else beside(path, name)
        if target is None or target not in files:
            found.note(f"{requirement.shown(name)} is not in the repository")
        else:
            there.append(target)
    return there


def add_named(named: Iterable[str], path: str, files: Files, scope: Scope, found: Found) -> None:
    """Add what the requirements files *named* in that at *path* ask for, all of it for *scope*."""
    for target in targets(named, path, files, found):
        for _path, file in with_included(target, files, found):
            for line in file.lines:
                found.add(line.dependency, scope)
