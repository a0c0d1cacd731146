"""Requirements of Python packages: PEP 508 as ``packaging`` reads it, and links as pip does."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from packageurl import PackageURL
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from repomill.digest import names
from repomill.digest.dependencies.base import Dependency, ManifestError, Scope, mapping
from repomill.digest.dependencies.origins import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet

MAX_REQUIREMENT_CHARACTERS = 2_048
MAX_REQUIREMENTS = 5_000
MAX_CHARACTERS = 256 << 10
"""Of all requirements of a manifest: packaging takes a second for a megabyte."""
MAX_PROBLEMS = 5
MAX_REFUSED = 500

LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:git|hg|svn|bzr)\+\S|file:")
"""How a URL begins, and what pip takes for one: ``git+git@github.com:owner/name``."""

_PLACE = re.compile(
    r"(?P<url>(?:(?P<vcs>(?:git|hg|svn|bzr)\+)[a-z]+|https?)://[^\s#]+)(?:#\S*)?", re.ASCII
)
_HEAD = re.compile(r"\s*[\w.-]+\s*(?:\[[^\]]*\])?")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_ON_GITHUB = re.compile(r"github\.com[/:]([\w-]+)/([\w.-]+?)(?:\.git)?(?:[@#/?]|$)")

_MAX_WHEEL_CHARACTERS = 1_000
_ANY = "py3-none-any.whl"
"""What a wheel's name ends in that is for all machines."""

_WORDS = re.compile(r"[A-Za-z]+")
_DEVELOPMENT = frozenset(
    [
        "ci",
        "coverage",
        "dev",
        "devel",
        "develop",
        "development",
        "doc",
        "docs",
        "documentation",
        "lint",
        "linter",
        "linters",
        "linting",
        "mypy",
        "qa",
        "test",
        "tests",
        "testing",
        "typing",
    ]
)
_FOR_DEVELOPERS = _DEVELOPMENT | {"local"}
_FOLDERS_OF_DEVELOPERS = frozenset({"doc", "docs", "test", "tests", "testing"})


@dataclass(slots=True)
class Found:
    """What a manifest asks for, as it is being read."""

    dependencies: list[Dependency] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    characters: int = 0
    refused: int = 0
    """How many requirements were none."""

    def add(self, dependency: Dependency, scope: Scope) -> None:
        """Add *dependency*, needed for *scope*. Raises ManifestError when there are too many."""
        if len(self.dependencies) >= MAX_REQUIREMENTS:
            raise ManifestError(f"more than {MAX_REQUIREMENTS} requirements")
        if dependency.scope is not scope:
            dependency = replace(dependency, scope=scope)
        self.dependencies.append(dependency)

    def add_written(self, text: object, scope: Scope, where: str) -> None:
        """Add the PEP 508 requirement *text* that stands at *where*; note it where it is none."""
        if not isinstance(text, str):
            self.refuse(f"{where}: a requirement that is no text")
            return
        self.characters += len(text)
        if self.characters > MAX_CHARACTERS:
            raise ManifestError(f"more than {MAX_CHARACTERS >> 10} KiB of requirements")
        try:
            dependency = parse(text)
        except ManifestError as error:
            self.refuse(f"{where}: {error}")
        else:
            self.add(dependency, scope)

    def add_all(self, texts: Iterable[object], scope: Scope, where: str) -> None:
        """Add every requirement of *texts*."""
        for text in texts:
            self.add_written(text, scope, where)

    def add_list(self, value: object, scope: Scope, where: str) -> None:
        """Add every requirement of the list *value* at *where*; note it where that is none."""
        if isinstance(value, list):
            self.add_all(value, scope, where)
        elif value is not None:
            self.note(f"{where}: no list")

    def table(self, value: object, where: str) -> Mapping[str, object]:
        """Return the table *value* at *where*; note it where that is none, and take it as empty."""
        if value is not None and not isinstance(value, Mapping):
            self.note(f"{where}: no table")
        return mapping(value)

    def refuse(self, problem: str) -> None:
        """Count a requirement that is none, and note *problem*."""
        self.refused += 1
        if self.refused > MAX_REFUSED:
            raise ManifestError(self.problems[0])
        self.note(problem)

    def note(self, problem: str) -> None:
        """Remember *problem*, if there are not enough already."""
        if len(self.problems) < MAX_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)


def parse(text: str) -> Dependency:
    """Return what the PEP 508 requirement *text* asks for; its marker and extras are left out.

    Raises ManifestError.

    >>> parse("Django[argon2] >= 4.2, < 5; python_version > '3.8'").requirement
    '>= 4.2, < 5'
    >>> parse("zope.interface==7.2").purl
    'pkg:pypi/zope-interface@7.2'
    """
    if len(text) > MAX_REQUIREMENT_CHARACTERS:
        raise ManifestError(f"a requirement of more than {MAX_REQUIREMENT_CHARACTERS} characters")
    try:
        found = Requirement(text)
    except InvalidRequirement:
        raise ManifestError(f"{shown(text)} is no requirement") from None
    if found.url is not None:
        asked = named(found.name, without_credentials(found.url), _version_of_wheel(found.url))
    else:
        asked = named(found.name, _as_written(text), exact(found.specifier))
    return replace(asked, is_conditional=True) if found.marker else asked


def _as_written(text: str) -> str:
    head = _HEAD.match(text)
    written = text[head.end() if head else 0 :].partition(";")[0].strip()
    return written[1:-1].strip() if written.startswith("(") else written


def exact(allowed: SpecifierSet) -> str | None:
    """Return the one version that *allowed* lets through, if it names it.

    >>> from packaging.specifiers import SpecifierSet
    >>> exact(SpecifierSet("==1.2")), exact(SpecifierSet("==1.*")), exact(SpecifierSet("<2"))
    ('1.2', None, None)
    """
    for one in allowed:
        if one.operator in {"==", "==="} and not one.version.endswith(".*"):
            return one.version
    return None


def named(name: str, requirement: str, resolved: str | None = None) -> Dependency:
    """Return the dependency on the package *name* of PyPI."""
    package = PackageURL(
        type="pypi", name=canonicalize_name(name), qualifiers=_elsewhere(requirement)
    )
    return Dependency(name=name, package=package, requirement=requirement, resolved=resolved)


def _elsewhere(requirement: str) -> dict[str, str]:
    """Return what a package URL says of what *requirement* takes from no registry."""
    if len(requirement) > MAX_REQUIREMENT_CHARACTERS or not (url := _PLACE.fullmatch(requirement)):
        return {}
    return {"vcs_url" if url["vcs"] else "download_url": url["url"]}


def linked(url: str) -> Dependency | None:
    """Return what the link *url* brings; None where nothing in it says what that is.

    >>> linked("git+https://me:secret@github.com/alphagov/notify.git@v1#egg=notify").requirement
    'git+https://github.com/alphagov/notify.git@v1#egg=notify'
    >>> linked("https://github.com/alphagov/notify/archive/v1.zip").purl
    'pkg:github/alphagov/notify'
    """
    shown_url = without_credentials(url)
    if egg := _EGG.search(url):
        return named(egg[1], shown_url)
    if wheel := _wheel(url):
        return named(wheel[0], shown_url, wheel[1])
    if place := _ON_GITHUB.search(url):
        package = PackageURL(type="github", namespace=place[1], name=place[2])
        return Dependency(name=f"{place[1]}/{place[2]}", package=package, requirement=shown_url)
    return None


def shown(text: str) -> str:
    """Return *text* fit for a message."""
    return names.quote(names.cut(without_credentials(text[:MAX_REQUIREMENT_CHARACTERS]), 60))


def scope_of_extra(name: str) -> Scope:
    """Return what an extra is for, which by custom its name says.

    >>> scope_of_extra("postgres"), scope_of_extra("dev-tools")
    (<Scope.OPTIONAL: 'optional'>, <Scope.DEVELOPMENT: 'development'>)
    """
    return Scope.DEVELOPMENT if _words(name) & _DEVELOPMENT else Scope.OPTIONAL


@lru_cache(maxsize=1 << 12)
def scope_of_file(path: str) -> Scope:
    """Return what the requirements in the file at *path* are for, which by custom its name says.

    >>> scope_of_file("requirements.txt"), scope_of_file("requirements/dev/extra.txt")
    (<Scope.RUNTIME: 'runtime'>, <Scope.DEVELOPMENT: 'development'>)
    """
    folders = path.lower().split("/")
    name = folders.pop()
    words = _words(posixpath.splitext(name)[0])
    if "requirements" in folders:
        for folder in folders[folders.index("requirements") :]:
            words |= _words(folder)
    if words & _FOR_DEVELOPERS or not _FOLDERS_OF_DEVELOPERS.isdisjoint(folders):
        return Scope.DEVELOPMENT
    return Scope.BUILD if "build" in words else Scope.RUNTIME


def _words(name: str) -> set[str]:
    return set(_WORDS.findall(name.lower()))


def _version_of_wheel(url: str) -> str | None:
    found = _wheel(url)
    return found[1] if found else None


def _wheel(url: str) -> tuple[str, str] | None:
    """Return name and version of the wheel at *url*; None where it is none.

    What it is built for is left out before packaging sees it, which writes out every combination.
    """
    name = re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2]
    if not name.endswith(".whl") or len(name) > _MAX_WHEEL_CHARACTERS:
        return None
    plain = "-".join([*name.split("-")[:-3], _ANY])
    try:
        project, version, _build, _tags = parse_wheel_filename(plain)
    except InvalidWheelFilename:
        return None
    return project, str(version)
