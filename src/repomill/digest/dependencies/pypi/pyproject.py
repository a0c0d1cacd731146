"""pyproject.toml, as the standards have it and as the tools that came before them.

Sources: https://packaging.python.org/en/latest/specifications/pyproject-toml/ (``project``,
``build-system``), https://packaging.python.org/en/latest/specifications/dependency-groups/,
setuptools' ``tool.setuptools.dynamic``, ``tool.uv.dev-dependencies``, ``tool.pdm.dev-dependencies``
and ``tool.flit.metadata``. Poetry's tables are read by :mod:`.poetry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Contents, Scope, mapping, sequence
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.pypi import included, poetry, requirement, sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.pypi.requirement import Found


def read(path: str, files: Files) -> Contents:
    """Return what the pyproject.toml at *path* asks for. Raises ManifestError."""
    document = files.parsed(path, toml_document.parse)
    found = requirement.Found()
    project = found.table(document.get("project"), "project")
    tool = mapping(document.get("tool"))
    build = found.table(document.get("build-system"), "build-system")
    found.add_list(build.get("requires"), Scope.BUILD, "build-system")
    _add_project(project, found)
    _add_groups(found.table(document.get("dependency-groups"), "dependency-groups"), found)
    _add_dynamic(project, tool, path, files, found)
    _add_flit(mapping(mapping(tool.get("flit")).get("metadata")), found)
    _add_development(tool, found)
    poetry.add(document, found)
    dependencies = sources.applied(found.dependencies, document)
    return Contents(dependencies=dependencies, problems=found.problems)


def _add_development(tool: Mapping[str, object], found: Found) -> None:
    """Add what uv and PDM took for developers' dependencies before there were groups."""
    of_uv = mapping(tool.get("uv")).get("dev-dependencies")
    found.add_list(of_uv, Scope.DEVELOPMENT, "tool.uv.dev-dependencies")
    where = "tool.pdm.dev-dependencies"
    for name, group in found.table(mapping(tool.get("pdm")).get("dev-dependencies"), where).items():
        found.add_list(group, Scope.DEVELOPMENT, f"{where}.{name}")


def _add_project(project: Mapping[str, object], found: Found) -> None:
    found.add_list(project.get("dependencies"), Scope.RUNTIME, "project.dependencies")
    _add_extras(project.get("optional-dependencies"), "project.optional-dependencies", found)


def _add_extras(extras: object, where: str, found: Found) -> None:
    for extra, texts in found.table(extras, where).items():
        found.add_list(texts, requirement.scope_of_extra(extra), f"extra {extra}")


def _add_groups(groups: Mapping[str, object], found: Found) -> None:
    """Add what the groups ask for; to include one in another changes nothing of that."""
    includes: dict[str, list[str]] = {canonicalize_name(name): [] for name in groups}
    for name, members in groups.items():
        if not isinstance(members, list):
            found.note(f"group {name}: no list")
        for member in sequence(members):
            if not isinstance(member, Mapping):
                found.add_written(member, Scope.DEVELOPMENT, f"group {name}")
                continue
            other = member.get("include-group")
            if isinstance(other, str) and canonicalize_name(other) in includes:
                includes[canonicalize_name(name)].append(canonicalize_name(other))
            else:
                found.note(f"group {name} includes a group that is not there")
    _note_circle(includes, found)


def _note_circle(includes: Mapping[str, Iterable[str]], found: Found) -> None:
    try:
        TopologicalSorter(includes).prepare()
    except CycleError as error:
        circle = ", ".join(error.args[1][1:])
        found.note(f"groups include each other in a circle: {requirement.shown(circle)}")


def _add_dynamic(
    project: Mapping[str, object],
    tool: Mapping[str, object],
    path: str,
    files: Files,
    found: Found,
) -> None:
    """Add what setuptools reads from the files that are named in place of a list."""
    dynamic = mapping(mapping(tool.get("setuptools")).get("dynamic"))
    declared = sequence(project.get("dynamic"))
    if "dependencies" in declared:
        named = _file_names(dynamic.get("dependencies"))
        included.add_named(named, path, files, Scope.RUNTIME, found)
    if "optional-dependencies" in declared:
        for extra, directive in mapping(dynamic.get("optional-dependencies")).items():
            scope = requirement.scope_of_extra(extra)
            included.add_named(_file_names(directive), path, files, scope, found)


def _file_names(directive: object) -> list[str]:
    named = mapping(directive).get("file")
    return [name for name in [named, *sequence(named)] if isinstance(name, str)]


def _add_flit(metadata: Mapping[str, object], found: Found) -> None:
    found.add_list(metadata.get("requires"), Scope.RUNTIME, "tool.flit.metadata")
    _add_extras(metadata.get("requires-extra"), "tool.flit.metadata.requires-extra", found)
