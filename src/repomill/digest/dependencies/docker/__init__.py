"""Container images: what Dockerfiles build on, and what compose files start.

The image that the last stage of a Dockerfile stands on is needed at run time; those of other
stages, and those that files are copied or mounted from, to build. An image that is both counts as
the former. Stages are none themselves, nor is ``scratch``, nor the image of the syntax directive.
What a compose file starts is for development: https://docs.docker.com/reference/compose-file/.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.digest.dependencies import images
from repomill.digest.dependencies.base import Contents, Dependency, ManifestError, Scope
from repomill.digest.dependencies.docker import dockerfile
from repomill.digest.dependencies.formats import yaml_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.docker.dockerfile import Stage

NAME = "Docker"
_COMPOSE = r"(?:.{1,100}[.\-_])?compose(?:[.\-_].{1,100})?\.ya?ml"
FILE_NAMES = rf"(?:.+\.)?[Dd]ockerfile(?:[.\-_].+)?|Containerfile(?:[.\-_].+)?|{_COMPOSE}"
LOCK_NAMES = ""

_MAX_IMAGES = 10_000
_IS_COMPOSE = re.compile(_COMPOSE, re.DOTALL)
_NO_DOCKERFILE = (
    ".dockerignore",
    *(".erb", ".j2", ".jinja", ".jinja2", ".template", ".tmpl", ".tpl", ".tt"),
    *(".adoc", ".bats", ".go", ".js", ".json", ".md", ".py", ".rb", ".sh", ".txt", ".yaml", ".yml"),
)
"""Endings of what is called after a Dockerfile: templates, programs, words about it."""


def claims(path: str) -> bool:
    """Whether *path* is a Dockerfile or a compose file."""
    return _is_compose(path) or not path.endswith(_NO_DOCKERFILE)


def read(path: str, files: Files) -> Contents:
    """Return what the Dockerfile or the compose file at *path* says."""
    if _is_compose(path):
        return files.parsed(path, _parse_compose)
    return files.parsed(path, _parse_dockerfile)


def _is_compose(path: str) -> bool:
    return _IS_COMPOSE.fullmatch(path.rpartition("/")[2]) is not None


def _parse_dockerfile(text: str) -> Contents:
    stages = dockerfile.stages(text)
    if not stages:
        raise ManifestError("no FROM in it that names an image")
    problems: list[str] = []
    needed: dict[str, Dependency] = {}
    references = list(islice(_references(stages), _MAX_IMAGES + 1))
    if len(references) > _MAX_IMAGES:
        raise ManifestError(f"more than {_MAX_IMAGES} images")
    for reference, scope, line in references:
        found = images.dependency(reference, scope)
        if found is None:
            problems.append(f"line {line}: the image {names.cut(reference, 200)} is not certain")
        elif scope is Scope.RUNTIME or reference not in needed:
            needed[reference] = found
    return Contents(dependencies=needed.values(), problems=problems)


def _references(stages: list[Stage]) -> Iterator[tuple[str, Scope, int]]:
    """Yield each image that is named, what it is needed for, and the line of its stage."""
    roots: dict[str, Stage] = {}
    """Name of a stage → the one, it or an earlier one, that names the image it stands on."""
    bases = []
    for stage in stages:
        bases.append(roots.get(stage.base.lower(), stage))
        if stage.name:
            roots[stage.name] = bases[-1]
    for stage in {id(base): base for base in bases}.values():
        if stage.base.lower() != "scratch":
            scope = Scope.RUNTIME if stage is bases[-1] else Scope.BUILD
            yield stage.base, scope, stage.line
    for stage in stages:
        for source in stage.copied_from:
            if source and source.lower() not in roots and not source.isdecimal():
                yield source, Scope.BUILD, stage.line


def _parse_compose(text: str) -> Contents:
    if "image" not in text:
        return Contents(dependencies=())
    entered: set[int] = set()
    services = list(yaml_tree.values(yaml_tree.get(yaml_tree.read(text), "services"), entered))
    built = {yaml_tree.text(each, "image") for each in services if yaml_tree.get(each, "build")}
    named = {yaml_tree.text(each, "image") for each in services} - built - {""}
    return _started(named)


def _started(references: Iterable[str]) -> Contents:
    problems, started = [], []
    for written in sorted(references):
        found = images.dependency(dockerfile.expand(written, {}), Scope.DEVELOPMENT)
        if found:
            started.append(found)
        else:
            problems.append(f"the image {names.cut(written, 200)} is not certain")
    return Contents(dependencies=started, problems=problems)
