"""What is around a script in a Gradle build: settings, catalogs, properties, scripts it applies."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, TypeVar

from repomill.digest import names
from repomill.digest.dependencies import gradle_catalog
from repomill.digest.dependencies.base import ManifestError, beside
from repomill.digest.dependencies.gradle_catalog import Catalog, Coordinates, accessor
from repomill.digest.dependencies.gradle_declarations import Declarations, Place
from repomill.digest.dependencies.gradle_script import Token, blocks, names_of, split, within
from repomill.digest.dependencies.gradle_values import Script, Values, properties, script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.gradle_script import Group, Statement

_Value = TypeVar("_Value")

_MAX_APPLIED = 20
_CATALOG = "gradle/libs.versions.toml"


class Build:
    """The build that the script at *path* is a part of, as far as it is in the tree."""

    def __init__(self, path: str, files: Files) -> None:
        self.problems: list[str] = []
        self.script = files.parsed(path, script)
        self._path = path
        self._files = files
        settings = files.nearest(path, "settings.gradle", "settings.gradle.kts")
        self._root = posixpath.dirname(path if settings is None else settings)
        self._said = self._properties()
        self._settings = self._read(settings, script) if settings else None
        self._catalogs = self._all_catalogs(settings)

    def values(self) -> Values:
        """Return what names may stand for: of the script itself first, then of the root's."""
        scripts = [*reversed(list(self._scripts()))]
        return Values([*scripts, self.script], self._said, self._catalogs)

    def plugin_versions(self) -> dict[str, str]:
        """Return what the settings say of the versions of plugins: id → version."""
        if self._settings is None:
            return {}
        declarations = Declarations(Values([self._settings], self._said, {}))
        for block in _blocks_of(self._settings.statements, "pluginManagement"):
            for plugins in _blocks_of(block.statements, "plugins"):
                declarations.read(plugins.statements, Place(kind="plugins"))
        return dict(declarations.plugins)

    def _properties(self) -> dict[str, str]:
        said: dict[str, str] = {}
        for folder in (self._root, posixpath.dirname(self._path)):
            said |= self._read(posixpath.join(folder, "gradle.properties"), properties) or {}
        return said

    def _scripts(self) -> Iterator[Script]:
        """Yield the scripts that the script applies, the root's, and those that it applies."""
        waiting: list[tuple[str, Script]] = [(self._path, self.script)]
        seen = {self._path}
        for name in ("build.gradle", "build.gradle.kts"):
            root = posixpath.join(self._root, name)
            if root != self._path and (found := self._read(root, script)):
                seen.add(root)
                yield found
                waiting.append((root, found))
        while waiting and len(seen) < _MAX_APPLIED:
            path, applying = waiting.pop()
            for token in applying.applied:
                target = self._applied(path, token)
                if target and target not in seen and (found := self._read(target, script)):
                    seen.add(target)
                    yield found
                    waiting.append((target, found))

    def _applied(self, path: str, token: Token) -> str | None:
        """Return the path that *token* means: below a folder of the build, or beside the script."""
        variables = [part for is_expression, part in token.parts if is_expression]
        plain = "".join(part for is_expression, part in token.parts if not is_expression)
        if "root" in "".join(variables):
            return beside(posixpath.join(self._root, "build.gradle"), plain.lstrip("/"))
        return beside(path, plain.lstrip("/"))

    def _read(self, path: str, parse: Callable[[str], _Value]) -> _Value | None:
        if path not in self._files:
            return None
        try:
            return self._files.parsed(path, parse, gradle_catalog.MAX_BYTES)
        except ManifestError as error:
            self.problems.append(f"{names.quote(path)} cannot be read: {error}")
            return None

    def _all_catalogs(self, settings: str | None) -> dict[str, Catalog]:
        found = {}
        if settings is None:
            usual = self._files.nearest(self._path, _CATALOG)
        else:
            usual = posixpath.join(self._root, _CATALOG)
        if usual and (catalog := self._read(usual, gradle_catalog.parse)):
            found["libs"] = catalog
        if self._settings is not None and settings is not None:
            values = Values([self._settings], self._said, {})
            for block in _blocks_of(self._settings.statements, "versionCatalogs"):
                for statement in block.statements:
                    name, catalog = self._catalog(statement, settings, values)
                    found[name] = catalog
        return found

    def _catalog(self, statement: Statement, settings: str, values: Values) -> tuple[str, Catalog]:
        """Return the catalog that ``create("libs") { … }`` makes, and its name."""
        path = names_of(statement)
        following = statement[2 * len(path) - 1 :] if path else []
        called = within(following[0], "(") if following else None
        name = values.text(called) if called else None
        catalog = Catalog(versions={}, libraries={}, bundles={}, plugins={})
        for block in blocks(statement):
            for said in block.statements:
                self._add(catalog, said, settings, values)
        return name or ".".join(path[:1]), catalog

    def _add(self, catalog: Catalog, said: Statement, settings: str, values: Values) -> None:
        match said:
            case [Token(text="from"), call, *rest]:
                inner = within(call, "(") or [call, *rest]
                files_call = within(inner[-1], "(")
                path = values.text(files_call) if files_call else None
                target = beside(settings, path) if path else None
                read = self._read(target, gradle_catalog.parse) if target else None
                if read is None:
                    self.problems.append("a version catalog that is not in the repository")
                else:
                    catalog.versions.update(read.versions)
                    catalog.libraries.update(read.libraries)
                    catalog.bundles.update(read.bundles)
                    catalog.plugins.update(read.plugins)
            case [Token(text="version" | "library" | "plugin" as kind), call, *rest]:
                pieces = [values.text(one) or "" for one in split(within(call, "(") or [])]
                _declare(catalog, kind, pieces, _version(rest, catalog, values))


def _declare(catalog: Catalog, kind: str, pieces: list[str], version: str) -> None:
    match kind, pieces:
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


def _version(rest: Statement, catalog: Catalog, values: Values) -> str:
    match rest:
        case [Token(text="."), Token(text="version" | "versionRef" as kind), call, *_]:
            text = values.text(within(call, "(") or []) or ""
            return text if kind == "version" else catalog.versions.get(accessor(text), "")
    return ""


def _blocks_of(statements: list[Statement], name: str) -> Iterator[Group]:
    """Yield the blocks called *name*, wherever they are."""
    for statement in statements:
        is_meant = name in names_of(statement)
        for block in blocks(statement):
            if is_meant:
                yield block
            else:
                yield from _blocks_of(block.statements, name)
