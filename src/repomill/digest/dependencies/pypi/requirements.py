"""Requirements files as manifests.

What ``-r`` names counts as if it stood in the file, as it does for pip, but keeps the scope of the
file that it does stand in: what ``dev.txt`` takes from ``base.txt`` is not for developers alone. Of
what ``-c`` names nothing counts but the pins: they settle versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import Contents
from repomill.digest.dependencies.origins import without_credentials
from repomill.digest.dependencies.pypi import (
    compiled,
    included,
    locks,
    project_name,
    requirement,
    requirements_txt,
)

if TYPE_CHECKING:
    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.pypi.requirement import Found
    from repomill.digest.dependencies.pypi.requirements_txt import RequirementsFile


def read(path: str, files: Files) -> Contents:
    """Return what the requirements file at *path* asks for. Raises ManifestError."""
    requirements_txt.parsed(path, files)
    found = requirement.Found()
    constraints: list[str] = []
    for source, file in included.with_included(path, files, found):
        for dependency, scope in compiled.direct(source, files):
            found.add(dependency, scope)
        _add_folders(file, source, files, found)
        constraints += included.targets(file.constraints, source, files, found)
    return Contents(
        dependencies=locks.settle(found.dependencies, _pins(constraints, files, found)),
        problems=found.problems,
    )


def _pins(constraints: list[str], files: Files, found: Found) -> locks.Versions:
    wanted = {dependency.package.name for dependency in found.dependencies}
    pinned = [
        line.dependency
        for constraint in constraints[: included.MAX_FILES]
        for _path, file in included.with_included(constraint, files, found)
        for line in file.lines
        if line.dependency.package.name in wanted
    ]
    return locks.versions_of(pinned)


def _add_folders(file: RequirementsFile, path: str, files: Files, found: Found) -> None:
    """Add the projects of the repository that *file* installs, but not the one it belongs to."""
    for written in file.paths:
        folder = project_name.folder_of(written, path, files)
        if folder is not None and f"{path}/".startswith(f"{folder}/" if folder else ""):
            continue
        name = None if folder is None else project_name.read(folder, files)
        if name is None:
            found.note(f"{requirement.shown(written)} does not say its name")
        else:
            scope = requirement.scope_of_file(path)
            found.add(requirement.named(name, without_credentials(written)), scope)
