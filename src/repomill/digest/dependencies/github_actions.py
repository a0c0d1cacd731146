"""Actions, reusable workflows and images that GitHub runs for a repository.

Source of the forms: https://docs.github.com/actions/reference/workflows-and-actions. They are read
from the workflows in ``.github/workflows``, and from the ``action.yml`` of a composite or container
action. What is used is fetched anew for each run at the ref after ``@``: that is its requirement
and its version; where that is a commit, the release that a comment names behind it is told as well.
All of it is of the scope ``build``: it builds, tests and ships what the
repository holds, and no part of it. What begins with ``./`` or ``$/`` is the repository's own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest import names
from repomill.digest.dependencies import images
from repomill.digest.dependencies.base import Contents, Dependency, Scope
from repomill.digest.dependencies.formats import yaml_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.formats.yaml_tree import Tree

NAME = "GitHub Actions"
FILE_NAMES = r".+\.ya?ml"
LOCK_NAMES = ""

_WORKFLOW = re.compile(r"\.github/workflows/[^/]+", re.DOTALL)
_ACTION = re.compile(r"(?:.*/)?action\.ya?ml", re.DOTALL)
_USED = re.compile(r"([\w.-]+)/([\w.-]+)(?:/([^@\s]+))?@([^@\s]+)", re.ASCII)
_RELEASE = re.compile(r"@([0-9a-f]{40})['\"]?[ \t]+#[ \t]*(v?\d[\w.+-]{0,40})", re.ASCII)
_IMAGE = "docker://"
_OWN = ("./", "../", "$/")
_MAX_CHARACTERS = 1000


def claims(path: str) -> bool:
    """Whether *path* is a workflow or an action."""
    return _WORKFLOW.fullmatch(path) is not None or _ACTION.fullmatch(path) is not None


def read(path: str, files: Files) -> Contents:
    """Return what the workflow or the action at *path* uses."""
    return files.parsed(path, _parse_workflow if _WORKFLOW.fullmatch(path) else _parse_action)


def _parse_workflow(text: str) -> Contents:
    return _contents(set(_in_jobs(yaml_tree.read(text))), text)


def _parse_action(text: str) -> Contents:
    runs = yaml_tree.get(yaml_tree.read(text), "runs")
    used = set(_in_steps(runs, set()))
    image = yaml_tree.text(runs, "image")
    return _contents(used | {image} if image.startswith(_IMAGE) else used, text)


def _in_jobs(workflow: Tree) -> Iterator[str]:
    """Yield what each job and each of its steps uses, images as such steps name them."""
    entered: set[int] = set()
    for job in yaml_tree.values(yaml_tree.get(workflow, "jobs"), entered):
        yield yaml_tree.text(job, "uses")
        yield from _in_steps(job, entered)
        yield from _in_container(yaml_tree.get(job, "container"))
        for service in yaml_tree.values(yaml_tree.get(job, "services"), entered):
            yield from _in_container(service)


def _in_steps(tree: Tree | None, entered: set[int]) -> Iterator[str]:
    for step in yaml_tree.values(yaml_tree.get(tree, "steps"), entered):
        yield yaml_tree.text(step, "uses")


def _in_container(container: Tree | None) -> Iterator[str]:
    image = container if isinstance(container, str) else yaml_tree.text(container, "image")
    if image:
        yield image if image.startswith(_IMAGE) else _IMAGE + image


def _contents(used: set[str], text: str) -> Contents:
    dependencies, problems = [], []
    releases = dict(_RELEASE.findall(text))
    for written in sorted(used):
        if not written or written.startswith(_OWN):
            continue
        if found := _dependency(written, releases.get(written.rpartition("@")[2])):
            dependencies.append(found)
        else:
            shown = names.cut(written.removeprefix(_IMAGE), 80)
            problems.append(f"what {shown} stands for is not certain")
    return Contents(dependencies=dependencies, problems=problems)


@lru_cache(maxsize=1024)
def _dependency(used: str, release: str | None = None) -> Dependency | None:
    """Return what *used* names, a commit of *release* perhaps; None where that depends on the run.

    >>> _dependency("github/codeql-action/init@v3").purl
    'pkg:github/github/codeql-action@v3#init'
    """
    if used.startswith(_IMAGE):
        return images.dependency(used.removeprefix(_IMAGE), Scope.BUILD)
    found = _USED.fullmatch(used) if len(used) <= _MAX_CHARACTERS else None
    if found is None:
        return None
    owner, name, subpath, ref = found.groups()
    return Dependency(
        name=used.partition("@")[0],
        package=PackageURL("github", owner, name, subpath=subpath),
        requirement=f"{ref} # {release}" if release else ref,
        scope=Scope.BUILD,
        resolved=ref,
    )
