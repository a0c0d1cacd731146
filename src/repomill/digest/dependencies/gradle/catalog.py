"""Gradle's version catalogs: https://docs.gradle.org/current/userguide/version_catalogs.html."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from repomill.digest.dependencies.base import mapping, sequence
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.origins import may_tell_a_secret

_SEPARATOR = re.compile(r"[-_.]")
_MAX_CHARACTERS = 1_000
"""Of what a module or a plugin is called, or a version: scripts can name a long one often."""
_RICH = ("strictly", "require", "prefer")


class Coordinates(NamedTuple):
    """What a module is called, and which versions of it will do."""

    group: str
    name: str
    version: str = ""
    classifier: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What a catalog says, by the names that scripts use: ``spring.boot``."""

    versions: dict[str, str]
    libraries: dict[str, Coordinates]
    bundles: dict[str, list[str]]
    """Names of libraries, as scripts use them."""
    plugins: dict[str, tuple[str, str]]
    """Id and version."""

    def modules(self, names: list[str]) -> list[Coordinates] | None:
        """Return what ``libs.NAMES…`` stands for; None where the catalog does not know it."""
        if names[:1] == ["bundles"]:
            bundle = self.bundles.get(".".join(names[1:]))
            if bundle is None:
                return None
            return [self.libraries[name] for name in bundle if name in self.libraries]
        found = self.libraries.get(".".join(names))
        return None if found is None else [found]


def parse(text: str) -> Catalog:
    """Return the catalog in *text*. Raises ManifestError or ValueError."""
    tables = mapping(toml_document.parse(text))
    written = {alias: _version(said) for alias, said in mapping(tables.get("versions")).items()}
    libraries = {}
    for alias, said in mapping(tables.get("libraries")).items():
        module = _library(said, written)
        if module is not None:
            libraries[accessor(alias)] = module
    return Catalog(
        versions={accessor(alias): version for alias, version in written.items()},
        libraries=libraries,
        bundles={
            accessor(alias): [accessor(name) for name in sequence(said) if isinstance(name, str)]
            for alias, said in mapping(tables.get("bundles")).items()
        },
        plugins={
            accessor(alias): _plugin(said, written)
            for alias, said in mapping(tables.get("plugins")).items()
        },
    )


def accessor(alias: str) -> str:
    """Return how scripts write *alias*.

    >>> accessor("spring-boot_starter")
    'spring.boot.starter'
    """
    return _SEPARATOR.sub(".", alias)


def coordinates(text: str) -> Coordinates | None:
    """Return what ``group:name:version:classifier@extension`` says, the version and on optional.

    None where it says no such thing, or has an address in it.

    >>> coordinates("a:b:1:tests@zip")
    Coordinates(group='a', name='b', version='1', classifier='tests', extension='zip')
    """
    if len(text) > _MAX_CHARACTERS or may_tell_a_secret(text):
        return None
    plain, _at, extension = text.partition("@")
    parts = [part.strip() for part in plain.split(":")]
    if len(parts) < 2 or not all(parts[:2]):  # noqa: PLR2004 group and name
        return None
    group, name, version, classifier = [*parts, "", ""][:4]
    return Coordinates(group, name, version, classifier, extension)


def _version(said: object) -> str:
    """Return a version: plain, or one with several constraints, of which the tightest counts."""
    if isinstance(said, str):
        return _bounded(said)
    rich = mapping(said)
    return _bounded(next((rich[key] for key in _RICH if key in rich), ""))


def _bounded(said: object) -> str:
    return said if isinstance(said, str) and len(said) <= _MAX_CHARACTERS else ""


def _version_of(table: object, written: dict[str, str]) -> str:
    said = mapping(table).get("version")
    reference = mapping(said).get("ref") or mapping(table).get("version.ref")
    if isinstance(reference, str):
        return written.get(reference, "")
    return _version(said)


def _library(said: object, written: dict[str, str]) -> Coordinates | None:
    if isinstance(said, str):
        return coordinates(said)
    table = mapping(said)
    module = table.get("module")
    if not isinstance(module, str):
        module = f"{table.get('group', '')}:{table.get('name', '')}"
    found = coordinates(module)
    return found and found._replace(version=_version_of(table, written))


def _plugin(said: object, written: dict[str, str]) -> tuple[str, str]:
    if isinstance(said, str):
        name, _colon, version = _bounded(said).partition(":")
        return name, version
    return _bounded(mapping(said).get("id")), _version_of(said, written)
