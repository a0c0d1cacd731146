"""Where a pyproject.toml says apart from its requirements that packages come from.

Sources: https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources and
https://python-poetry.org/docs/dependency-specification/#projectdependencies-and-toolpoetrydependencies.
A registry of another name is no such place.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from repomill.digest.dependencies.base import Dependency, mapping, sequence
from repomill.digest.dependencies.pypi import poetry, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packageurl import PackageURL

MAX_SOURCES = 20
"""Of one package; one by platform and extra has a handful."""
_MAX_CHARACTERS = 300
"""Of a place, for one says it of thousands of requirements."""


def applied(dependencies: Sequence[Dependency], document: Mapping[str, object]) -> list[Dependency]:
    """Return *dependencies*, with the places that the pyproject.toml *document* has for them.

    A place takes that of the range, as a link in the requirement itself would. Where it holds under
    a condition alone, the range stays besides. Raises ManifestError.
    """
    places = _places(document, frozenset(one.package.name for one in dependencies))
    found = requirement.Found()
    for one in dependencies:
        for told in _placed(one, places):
            found.add(told, told.scope)
    return found.dependencies


class _Place:
    """A place of a package, and whether it is one under a condition alone."""

    def __init__(self, name: str, details: Mapping[str, object]) -> None:
        """Take what *details*, a table of uv or Poetry, say of the package *name*."""
        written = "workspace" if details.get("workspace") is True else poetry.place(details)
        self.written: str = written[:_MAX_CHARACTERS]
        self.package: PackageURL = requirement.named(name, self.written).package
        self.is_conditional: bool = poetry.is_conditional(details)


def _placed(one: Dependency, places: Mapping[str, list[_Place]]) -> Iterator[Dependency]:
    known = places.get(one.package.name, ())
    if not known or one.package.type != "pypi" or requirement.LINK.match(one.requirement):
        yield one
        return
    for place in known:
        yield replace(one, package=place.package, requirement=place.written, resolved=None)
    if all(place.is_conditional for place in known):
        yield replace(one, is_conditional=True)


def _places(document: Mapping[str, object], asked: frozenset[str]) -> dict[str, list[_Place]]:
    """Return name, normalised → the places of that package, of those in *asked*."""
    places: dict[str, list[_Place]] = defaultdict(list)
    uv = mapping(mapping(mapping(document.get("tool")).get("uv")).get("sources"))
    for table in (poetry.said_besides(document), uv):
        for name, value in table.items():
            if (wanted := canonicalize_name(name)) in asked:
                known = (_Place(wanted, mapping(one)) for one in sequence(value) or [value])
                places[wanted] += islice((one for one in known if one.written), MAX_SOURCES)
    return places
