"""The version catalogs that Gradle's settings declare.

Source: https://docs.gradle.org/current/userguide/version_catalogs.html#sec:version-catalog-api.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest.dependencies.gradle import catalog as gradle_catalog
from repomill.digest.dependencies.gradle.catalog import Catalog, Coordinates, accessor
from repomill.digest.dependencies.gradle.script import (
    Group,
    Statement,
    Token,
    blocks,
    names_of,
    split,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from repomill.digest.dependencies.gradle.script import Items
    from repomill.digest.dependencies.gradle.values import Values


def catalogs(
    statements: list[Statement],
    values: Values,
    imported: Callable[[str], Catalog | None],
    usual: Mapping[str, Catalog],
) -> dict[str, Catalog]:
    """Return what is in each catalog by its name; *imported* reads the file at a path.

    To a catalog that there is without the settings, among the *usual* ones, they add.
    """
    found: dict[str, Catalog] = {}
    for block in blocks_of(statements, "versionCatalogs"):
        for statement in block.statements:
            name = _name(statement, values)
            if name not in found:
                found[name] = _copied(usual.get(name))
            for inner in blocks(statement):
                for said in inner.statements:
                    _add(found[name], said, values, imported)
    return {**usual, **found}


def _copied(known: Catalog | None) -> Catalog:
    catalog = Catalog(versions={}, libraries={}, bundles={}, plugins={})
    if known is not None:
        _update(catalog, known)
    return catalog


def _update(catalog: Catalog, more: Catalog) -> None:
    catalog.versions.update(more.versions)
    catalog.libraries.update(more.libraries)
    catalog.bundles.update(more.bundles)
    catalog.plugins.update(more.plugins)


def blocks_of(statements: list[Statement], name: str) -> Iterator[Group]:
    """Yield the blocks called *name*, wherever they are, but not within each other."""
    waiting = statements[::-1]
    while waiting:
        statement = waiting.pop()
        if name in names_of(statement):
            yield from blocks(statement)
        else:
            inner = [one for block in blocks(statement) for one in block.statements]
            waiting += reversed(inner)


def _name(statement: Statement, values: Values) -> str:
    """Return the name in ``create("libs") { … }`` or ``libs { … }``."""
    match statement:
        case [Token(text="create" | "register"), Group() as call, *_]:
            return values.text(within(call, "(") or []) or ""
        case [Token(kind="name", text=name), *_]:
            return name
    return ""


def _add(
    catalog: Catalog, said: Statement, values: Values, imported: Callable[[str], Catalog | None]
) -> None:
    match said:
        case [Token(text="from"), *arguments]:
            path = values.text(_innermost(arguments))
            if path is not None and (found := imported(path)) is not None:
                _update(catalog, found)
        case [Token(text="version" | "library" | "plugin" | "bundle" as kind), *arguments]:
            call = within(arguments[0], "(") if arguments else None
            pieces = list(split(arguments if call is None else call))
            if kind == "bundle":
                _add_bundle(catalog, pieces, values)
            else:
                texts = [values.text(piece) or "" for piece in pieces]
                _declare(catalog, kind, texts, _version(arguments[1:], catalog, values))


def _innermost(arguments: Items) -> Items:
    """Return the path in ``(files("path"))``."""
    inner = arguments
    while inner and (deeper := within(inner[-1], "(")) is not None:
        inner = deeper
    return inner


def _add_bundle(catalog: Catalog, pieces: list[Statement], values: Values) -> None:
    if len(pieces) == 2:  # noqa: PLR2004 its name, its libraries
        alias = values.text(pieces[0]) or ""
        group = pieces[1][-1]
        inner = group.statements[0] if isinstance(group, Group) else []
        libraries = [values.text(piece) or "" for piece in split(inner)]
        catalog.bundles[accessor(alias)] = [accessor(library) for library in libraries]


def _declare(catalog: Catalog, kind: str, texts: list[str], version: str) -> None:
    match kind, texts:
        case "version", [alias, stated]:
            catalog.versions[accessor(alias)] = stated
        case "plugin", [alias, name]:
            catalog.plugins[accessor(alias)] = (name, version)
        case "library", [alias, group, name]:
            catalog.libraries[accessor(alias)] = Coordinates(group, name, version)
        case "library", [alias, text]:
            module = gradle_catalog.coordinates(text)
            if module is not None:
                catalog.libraries[accessor(alias)] = module


def _version(rest: Items, catalog: Catalog, values: Values) -> str:
    match rest:
        case [Token(kind="."), Token(text="version" | "versionRef" as kind), call, *_]:
            text = values.text(within(call, "(") or []) or ""
            return text if kind == "version" else catalog.versions.get(accessor(text), "")
    return ""
