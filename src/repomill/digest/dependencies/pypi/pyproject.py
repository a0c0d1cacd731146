"""pyproject.toml, as the standards have it and as the tools that came before them.

Sources: https://packaging.python.org/en/latest/specifications/pyproject-toml/ (``project``,
``build-system``), https://packaging.python.org/en/latest/specifications/dependency-groups/,
setuptools' ``tool.setuptools.dynamic``, ``tool.uv.dev-dependencies``, ``tool.pdm.dev-dependencies``
and ``tool.flit.metadata``. Poetry's tables are read by :mod:`.pypi_poetry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Contents, Scope, mapping, sequence
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.pypi import included as pypi_included
from repomill.digest.dependencies.pypi import poetry, requirement, sources

if TYPE_CHECKING:
    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.pypi.requirement import Found


def read(path: str, files: Files) -> Contents:
    """Return what the pyproject.toml at *path* asks for. Raises ManifestError."""
    document = files.parsed(path, toml_document.parse)
    found = requirement.Found()
    project = mapping(document.get("project"))
    tool = mapping(document.get("tool"))
    build = sequence(mapping(document.get("build-system")).get("requires"))
    found.add_all(build, Scope.BUILD, "build-system")
    _add_project(project, found)
    _add_groups(mapping(document.get("dependency-groups")), found)
    _add_dynamic(project, tool, path, files, found)
    _add_flit(mapping(mapping(tool.get("flit")).get("metadata")), found)
    development = sequence(mapping(tool.get("uv")).get("dev-dependencies"))
    found.add_all(development, Scope.DEVELOPMENT, "tool.uv.dev-dependencies")
    for name, group in mapping(mapping(tool.get("pdm")).get("dev-dependencies")).items():
        found.add_all(sequence(group), Scope.DEVELOPMENT, f"tool.pdm.dev-dependencies.{name}")
    poetry.add(document, found)
    dependencies = sources.applied(found.dependencies, document)
    return Contents(dependencies=dependencies, problems=found.problems)


def _add_project(project: Mapping[str, object], found: Found) -> None:
    found.add_all(sequence(project.get("dependencies")), Scope.RUNTIME, "project.dependencies")
    for extra, texts in mapping(project.get("optional-dependencies")).items():
        scope = requirement.scope_of_extra(extra)
        found.add_all(sequence(texts), scope, f"extra {extra}")


def _add_groups(groups: Mapping[str, object], found: Found) -> None:
    """Add what the groups ask for; to include one in another changes nothing of that."""
    known = {canonicalize_name(name) for name in groups}
    for name, members in groups.items():
        for member in sequence(members):
            if not isinstance(member, Mapping):
                found.add_written(member, Scope.DEVELOPMENT, f"group {name}")
                continue
            included = member.get("include-group")
            if not isinstance(included, str) or canonicalize_name(included) not in known:
                found.note(f"group {name} includes a group that is not there")


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
        pypi_included.add_named(named, path, files, Scope.RUNTIME, found)
    if "optional-dependencies" in declared:
        for extra, directive in mapping(dynamic.get("optional-dependencies")).items():
            scope = requirement.scope_of_extra(extra)
            pypi_included.add_named(_file_names(directive), path, files, scope, found)


def _file_names(directive: object) -> list[str]:
    named = mapping(directive).get("file")
    return [name for name in [named, *sequence(named)] if isinstance(name, str)]


def _add_flit(metadata: Mapping[str, object], found: Found) -> None:
    found.add_all(sequence(metadata.get("requires")), Scope.RUNTIME, "tool.flit.metadata")
    for extra, texts in mapping(metadata.get("requires-extra")).items():
        scope = requirement.scope_of_extra(extra)
        found.add_all(sequence(texts), scope, f"extra {extra}")
