"""What is around a script in a Gradle build: settings, catalogs, properties, scripts it applies."""

from __future__ import annotations

import posixpath
from collections import ChainMap
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from repomill.digest import names
from repomill.digest.dependencies.base import MAX_MANIFEST_BYTES, Files, ManifestError, beside
from repomill.digest.dependencies.gradle import catalog as gradle_catalog
from repomill.digest.dependencies.gradle.declarations import Declarations, Place
from repomill.digest.dependencies.gradle.settings import blocks_of, catalogs
from repomill.digest.dependencies.gradle.values import Script, Values, properties, script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repomill.digest.dependencies.gradle.catalog import Catalog
    from repomill.digest.dependencies.gradle.script import Token

_Value = TypeVar("_Value")

_MAX_APPLIED = 20
_MAX_IMPORTED = 20
"""Files that catalogs in settings are taken from; Gradle allows each catalog one."""
_MAX_BYTES = 256 << 10
"""Of a catalog and of a gradle.properties: TOML is slow to read."""
_CATALOG = "gradle/libs.versions.toml"

_roots: WeakKeyDictionary[Files, dict[str, Root]] = WeakKeyDictionary()


class Root:
    """What all scripts of a build share: what lies in the *folder* of its settings.

    It keeps no *files*, since it is kept as long as they are.
    """

    def __init__(self, folder: str, settings: str | None, files: Files) -> None:
        self.problems: list[str] = []
        self.folder = folder
        self._left_imports = _MAX_IMPORTED
        self.properties = _read_properties(folder, files, self.problems)
        self._settings = _read(settings, script, files, self.problems) if settings else None
        self.catalogs = self._catalogs(settings, files)
        self.scripts = [
            one
            for name in ("build.gradle", "build.gradle.kts")
            for one in self.applied(posixpath.join(folder, name), files, self.problems)
        ]
        """The root's script, and those that it applies."""

    @cached_property
    def plugin_versions(self) -> dict[str, str]:
        """What the settings say of the versions of plugins: id → version."""
        if self._settings is None:
            return {}
        declarations = Declarations(Values([self._settings], self.properties, {}))
        for block in blocks_of(self._settings.statements, "pluginManagement"):
            for plugins in blocks_of(block.statements, "plugins"):
                declarations.read(plugins.statements, Place(kind="plugins"))
        return dict(declarations.plugins)

    def applied(self, path: str, files: Files, problems: list[str]) -> Iterator[Script]:
        """Yield the script at *path*, then those that it applies, and that those apply."""
        waiting = [path]
        for one in islice(waiting, _MAX_APPLIED):
            if (found := _read(one, script, files, problems)) is not None:
                yield found
                targets = [self._target(one, token) for token in found.applied[:_MAX_APPLIED]]
                waiting += [target for target in targets if target and target not in waiting]

    def _target(self, path: str, token: Token) -> str | None:
        """Return the path that *token* means: below the root, if it says so, or beside *path*."""
        variables = "".join(part for is_expression, part in token.parts if is_expression)
        plain = "".join(part for is_expression, part in token.parts if not is_expression)
        if "root" in variables:
            path = posixpath.join(self.folder, "build.gradle")
        return beside(path, plain.lstrip("/"))

    def _catalogs(self, settings: str | None, files: Files) -> dict[str, Catalog]:
        found = {}
        usual = posixpath.join(self.folder, _CATALOG)
        if settings is None:
            usual = files.nearest(posixpath.join(self.folder, "build.gradle"), _CATALOG) or usual
        if (catalog := self._catalog(usual, files)) is not None:
            found["libs"] = catalog
        if settings is not None and self._settings is not None:
            values = Values([self._settings], self.properties, {})
            imported = partial(self._imported, files=files)
            found = catalogs(self._settings.statements, values, imported, found)
        return found

    def _imported(self, path: str, files: Files) -> Catalog | None:
        self._left_imports -= 1
        if self._left_imports < 0:
            return None
        target = beside(posixpath.join(self.folder, "settings.gradle"), path)
        catalog = self._catalog(target, files) if target else None
        if catalog is None:
            self.problems.append(f"no version catalog at {names.quote(names.cut(path, 100))}")
        return catalog

    def _catalog(self, path: str, files: Files) -> Catalog | None:
        return _read(path, gradle_catalog.parse, files, self.problems, _MAX_BYTES)


class Build:
    """The script at *path*, and the build that it is a part of. Raises ManifestError."""

    def __init__(self, path: str, files: Files) -> None:
        self.script = files.parsed(path, script)
        self._files = files
        self._path = path
        self._root = _root(path, files)
        self.problems = [*self._root.problems]

    @property
    def plugin_versions(self) -> dict[str, str]:
        """What the settings say of the versions of plugins: id → version."""
        return self._root.plugin_versions

    def values(self) -> Values:
        """Return what names may stand for: in the script, what it applies, then in the root's."""
        folder = posixpath.dirname(self._path)
        own: dict[str, str] = {}
        if folder != self._root.folder:
            own = _read_properties(folder, self._files, self.problems)
        scripts = [self.script]
        if self.script.applied:
            scripts += islice(self._root.applied(self._path, self._files, self.problems), 1, None)
        said = ChainMap(own, self._root.properties)
        return Values([*scripts, *self._root.scripts], said, self._root.catalogs)


def _read_properties(folder: str, files: Files, problems: list[str]) -> dict[str, str]:
    path = posixpath.join(folder, "gradle.properties")
    return _read(path, properties, files, problems, _MAX_BYTES) or {}


def _read(
    path: str,
    parse: Callable[[str], _Value],
    files: Files,
    problems: list[str],
    max_bytes: int = MAX_MANIFEST_BYTES,
) -> _Value | None:
    """Return what *parse* makes of the file at *path*; None where there is none to be read."""
    if path not in files:
        return None
    try:
        return files.parsed(path, parse, max_bytes)
    except ManifestError as error:
        problems.append(f"{names.quote(path)} cannot be read: {error}")
        return None


def _root(path: str, files: Files) -> Root:
    settings = files.nearest(path, "settings.gradle", "settings.gradle.kts")
    folder = posixpath.dirname(path if settings is None else settings)
    known = _roots.setdefault(files, {})
    if folder not in known:
        known[folder] = Root(folder, settings, files)
    return known[folder]
