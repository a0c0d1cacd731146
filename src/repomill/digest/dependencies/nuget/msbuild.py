"""MSBuild's files: their properties, items and imports, without running any of its logic.

What a file says is read from https://learn.microsoft.com/visualstudio/msbuild/msbuild-project-file-schema-reference.
Conditions are not decided: an item that is there under a condition is there, and a property has
a value where only one is to be had.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import ManifestError, beside
from repomill.digest.dependencies.formats import xml_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from repomill.digest.dependencies.base import Files

BUILD_PROPS = "Directory.Build.props"
PACKAGES_PROPS = "Directory.Packages.props"

_MAX_IMPORTS = 10
"""Files that import each other, one within the other."""
_MAX_LAYERS = 50
"""Files that are looked into for one property."""
_MAX_CHOICES = 100
"""Items with one name, one of which is there under this or that condition."""
MAX_ITEMS = 20_000
"""Of one kind, each change to one counted."""
MAX_CENTRAL = 200_000
"""Of all folders of a commit, for each what is said above it."""
MAX_CHANGES = 1_000_000
"""Of items, in all projects of a commit."""
MAX_ABOVE = 10_000
"""Imports of whatever lies above a file, in all of a commit."""
_MAX_NESTED = 5
"""Properties within properties."""
_MAX_VALUE = 1_000
"""Characters of a property, whether or not it is made of others."""
_WANTED = frozenset({"version", "versionoverride", "privateassets"})
"""Metadata that anyone asks for: more would be copied with each change of an item."""
_PROPERTY = re.compile(r"\$\(\s*+([A-Za-z_][\w.-]*+)\s*+\)")
_ABOVE = re.compile(r"GetPathOfFileAbove\(\s*+'?([\w.]++)")
_HERE = re.compile(r"\$\(MSBuildThisFileDirectory\)[\\/]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """An item, or a change to those that are there."""

    kind: str
    """In lower case, as are the keys of *metadata*: MSBuild does not tell the cases apart."""
    action: str
    """``include``, ``update`` or ``remove``."""
    names: str
    metadata: Mapping[str, str]
    is_conditional: bool


@dataclass(frozen=True, slots=True)
class Project:
    """What one file says."""

    properties: dict[str, set[str]] = field(default_factory=dict)
    """Name in lower case → the values that it may have at the end of the file."""
    items: list[Item] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    sdks: list[tuple[str, str]] = field(default_factory=list)
    """Names and versions of what the file is built with, where it says a version."""


def parse(text: str) -> Project:
    """Return what *text* says. Raises ManifestError where it is no MSBuild file."""
    root = xml_document.parse(text)
    if root.tag != "Project":
        raise ManifestError(f"its root is <{root.tag[:40]}>, not <Project>")
    project = Project()
    _read_sdks(root.get("Sdk", ""), project)
    _read_group(root, project, is_conditional=False)
    return project


class Properties:
    """The values of properties as a file sees them: its own, else those of what it comes after."""

    def __init__(self, *layers: Mapping[str, set[str]]) -> None:
        """Look into *layers* one after the other."""
        self._layers = layers
        self._known: dict[str, str | None] = {}

    def expand(self, text: str) -> str:
        """Return *text* with the properties in it replaced, as far as each has one value."""
        for _ in range(_MAX_NESTED):
            if "$(" not in text:
                break
            expanded = _PROPERTY.sub(self._value, text)
            if expanded == text or len(expanded) > _MAX_VALUE:
                break
            text = expanded
        return text

    def _value(self, match: re.Match[str]) -> str:
        name = match[1].lower()
        if name not in self._known:
            self._known[name] = self._find(name)
        value = self._known[name]
        return match.group() if value is None else value

    def _find(self, name: str) -> str | None:
        values = next((layer[name] for layer in self._layers if layer.get(name)), set())
        value = next(iter(values), "")
        return value if len(values) == 1 and len(value) <= _MAX_VALUE else None


class Tree:
    """The MSBuild files of a commit, and what each gets from others."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[str, tuple[Project, ...]] = {}
        self._left_above = MAX_ABOVE
        self._left_changes = MAX_CHANGES
        self._central: dict[str, Mapping[str, Sequence[Item]]] = {}

    def project(self, path: str) -> Project:
        """Return what the file at *path* says by itself. Raises ManifestError."""
        return self._files.parsed(path, parse)

    def properties(self, path: str) -> Properties:
        """Return the properties that hold in the file at *path*.

        The nearest of the files that MSBuild imports by itself count, and what they import. One
        that cannot be read says nothing: it has a manifest of its own to say so.
        """
        projects = self._with_imports(path)
        for name in (PACKAGES_PROPS, BUILD_PROPS):
            projects += self._with_imports(self._files.nearest(path, name))
        return Properties(*(project.properties for project in projects))

    def central(self, path: str) -> Mapping[str, Sequence[Item]]:
        """Return the ``PackageVersion`` items for the file at *path*, by name in lower case."""
        found = self._files.nearest(path, PACKAGES_PROPS)
        if found is None:
            return {}
        if found not in self._central:
            projects = reversed(self._with_imports(found))
            items = [item for project in projects for item in project.items]
            self._spend(len(items))
            self._central[found] = self.by_name(items, "packageversion", self.properties(found))
            self._spend(sum(map(len, self._central[found].values())))
        return self._central[found]

    def _spend(self, count: int) -> None:
        self._files.spend("central packages", count, MAX_CENTRAL)

    def by_name(
        self, items: Sequence[Item], kind: str, properties: Properties
    ) -> dict[str, list[Item]]:
        """Return the items of *kind* that are left in the end, by their names in lower case.

        An unconditional change replaces what it changes; under a condition both are to be had.
        Raises ManifestError past MAX_ITEMS, or MAX_CHANGES of all projects.
        """
        found: dict[str, list[Item]] = {}
        end = max(0, self._left_changes - MAX_ITEMS)
        for item in items:
            if item.kind != kind:
                continue
            for written in properties.expand(item.names).split(";"):
                name = written.strip()
                known = found.setdefault(name.lower(), []) if name else []
                self._left_changes -= max(1, len(known)) if item.action == "update" else 1
                if self._left_changes < end:
                    most = MAX_ITEMS if end else MAX_CHANGES
                    raise ManifestError(f"more than {most} items")
                if item.action == "include" and name and len(known) < _MAX_CHOICES:
                    known.append(Item(kind, "include", name, item.metadata, item.is_conditional))
                elif item.action == "update" and known and item.is_conditional:
                    if len(known) < _MAX_CHOICES:
                        known.append(_changed(known[0], item))
                elif item.action == "update":
                    found[name.lower()] = [_changed(one, item) for one in known]
                elif item.action == "remove" and not item.is_conditional:
                    known.clear()
        return {name: items for name, items in found.items() if items}

    def _with_imports(self, path: str | None, depth: int = 0) -> tuple[Project, ...]:
        """Return what the file at *path* says, then what those that it imports say."""
        if path is None or depth > _MAX_IMPORTS:
            return ()
        if path not in self._known:
            self._known[path] = ()  # which is what it is to those that it imports
            self._known[path] = self._read(path, depth)
        return self._known[path]

    def _read(self, path: str, depth: int) -> tuple[Project, ...]:
        try:
            own = self.project(path)
        except ManifestError:
            return ()
        found = [own]
        for project in reversed(own.imports[-_MAX_LAYERS:]):
            found += self._with_imports(self._imported(path, project), depth + 1)
        unique = {id(project): project for project in found}
        return tuple(unique.values())[:_MAX_LAYERS]

    def _imported(self, path: str, project: str) -> str | None:
        """Return the path of what the file at *path* imports as *project*, if it is in the tree."""
        above = _ABOVE.search(project)
        folder = posixpath.dirname(path)
        if above is not None:
            self._left_above -= 1
            is_looked_for = folder and self._left_above >= 0
            return self._files.nearest(folder, above[1]) if is_looked_for else None
        found = beside(path, _HERE.sub("", project).replace("\\", "/"))
        return found if found is not None and found in self._files else None


def _read_sdks(text: str, project: Project) -> None:
    """Read ``Name/1.0; Other``."""
    for sdk in text.split(";"):
        name, _, version = sdk.strip().partition("/")
        if name and version:
            project.sdks.append((name, version))


def _read_group(group: Element, project: Project, *, is_conditional: bool) -> None:
    for element in group:
        conditional = is_conditional or bool(element.get("Condition"))
        match element.tag:
            case "PropertyGroup":
                _read_properties(element, project, is_conditional=conditional)
            case "ItemGroup":
                _read_items(element, project, is_conditional=conditional)
            case "Choose" | "ImportGroup":
                _read_group(element, project, is_conditional=conditional)
            case "When" | "Otherwise":
                _read_group(element, project, is_conditional=True)
            case "Import":
                project.imports.append(element.get("Project", ""))
            case "Sdk":
                project.sdks.append((element.get("Name", ""), element.get("Version", "")))


def _read_properties(group: Element, project: Project, *, is_conditional: bool) -> None:
    for element in group:
        name, value = element.tag.lower(), (element.text or "").strip()
        values = project.properties.setdefault(name, set())
        if not is_conditional and not element.get("Condition"):
            values.clear()
        values.add(value)


def _read_items(group: Element, project: Project, *, is_conditional: bool) -> None:
    for element in group:
        attributes = {key.lower(): value for key, value in element.attrib.items()}
        for action in ("include", "update", "remove"):
            if action in attributes:
                metadata = {child.tag.lower(): (child.text or "").strip() for child in element}
                metadata = {key: value for key, value in metadata.items() if key in _WANTED}
                conditional = is_conditional or "condition" in attributes
                item = Item(
                    element.tag.lower(),
                    action,
                    attributes[action],
                    {key: attributes[key] for key in _WANTED & attributes.keys()} | metadata,
                    conditional,
                )
                project.items.append(item)


def _changed(item: Item, by: Item) -> Item:
    metadata = {**item.metadata, **by.metadata}
    conditional = item.is_conditional or by.is_conditional
    return Item(item.kind, "include", item.names, metadata, conditional)
