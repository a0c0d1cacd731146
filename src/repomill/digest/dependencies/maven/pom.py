"""One pom.xml, as it is written: https://maven.apache.org/ref/3.9.9/maven-model/maven.html.

Profiles that are active when nobody asks for any are part of it, as Maven makes them before it
looks at the parent: those ``activeByDefault``, or, where there are some, those for which a property
must be unset, or for which no JDK is too new (``[11,)``). What hangs on another JDK, the operating
system or a file is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.entities import name2codepoint
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.formats import xml_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

_OF_HTML = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z]{2,8}[0-9]{0,2});")
"""Maven knows HTML's entities, XML does not."""

_OR_NEWER = re.compile(r"[\[(][^,()\[\]]{1,40},\s{0,9}[\])]")
"""A range of versions without an upper bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A ``<dependency>``, with ``${…}`` as written; empty where it says nothing."""

    group: str
    artifact: str
    version: str
    type: str
    classifier: str
    scope: str
    optional: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A ``<parent>``; *relative_path* is empty where no file is meant."""

    group: str
    artifact: str
    version: str
    relative_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pom:
    """What one pom.xml says by itself."""

    fields: dict[str, str]
    """``groupId``, ``scm.url``: those of the project that hold text alone."""
    parent: Parent | None
    properties: dict[str, str]
    dependencies: tuple[Declared, ...]
    """The last of those that are the same counts."""
    managed: dict[str, list[Declared]]
    """Artifact as written → what dependencyManagement says of it; the first to match counts."""
    imports: tuple[Declared, ...]
    """The BOMs of dependencyManagement, in their order."""
    variable_artifacts: list[Declared] = field(default_factory=list)
    """What dependencyManagement says of artifacts that have ``${…}`` in their name."""


def parse(text: str) -> Pom:
    """Return what *text* says. Raises ManifestError."""
    root = xml_document.parse(_OF_HTML.sub(_character, text))
    if root.tag != "project":
        raise ManifestError("its root is not <project>")
    parts = [root, *_active(root.iterfind("profiles/profile"))]
    managed = [
        declared
        for part in (*parts[1:], root)
        for declared in _declared(part.iterfind("dependencyManagement/dependencies/dependency"))
    ]
    imports = [one for one in managed if one.scope == "import" and one.type == "pom"]
    by_artifact: dict[str, list[Declared]] = {}
    for one in managed:
        by_artifact.setdefault(one.artifact, []).append(one)
    return Pom(
        fields=dict(_fields(root)),
        parent=_parent(root),
        properties={
            one.tag: _stripped(one.text) for part in parts for one in part.iterfind("properties/*")
        },
        dependencies=_last(
            one for part in parts for one in _declared(part.iterfind("dependencies/dependency"))
        ),
        managed=by_artifact,
        imports=tuple(imports),
        variable_artifacts=[one for one in managed if "${" in one.artifact],
    )


def _last(declared: Iterable[Declared]) -> tuple[Declared, ...]:
    """Return the last of those that are written the same, in the order of these."""
    found: dict[tuple[str, ...], Declared] = {}
    for one in declared:
        key = (one.group, one.artifact, one.type, one.classifier)
        found.pop(key, None)
        found[key] = one
    return tuple(found.values())


def _character(entity: re.Match[str]) -> str:
    code = name2codepoint.get(entity[1])
    return entity[0] if code is None else f"&#{code};"


def _declared(elements: Iterable[Element]) -> Iterator[Declared]:
    for element in elements:
        says = {child.tag: _stripped(child.text) for child in element}
        yield Declared(
            group=says.get("groupId", ""),
            artifact=says.get("artifactId", ""),
            version=says.get("version", ""),
            type=says.get("type", "") or "jar",
            classifier=says.get("classifier", ""),
            scope=says.get("scope", ""),
            optional=says.get("optional", ""),
        )


def _parent(root: Element) -> Parent | None:
    parent = root.find("parent")
    if parent is None:
        return None
    path = parent.find("relativePath")
    return Parent(
        group=_stripped(parent.findtext("groupId")),
        artifact=_stripped(parent.findtext("artifactId")),
        version=_stripped(parent.findtext("version")),
        relative_path="../pom.xml" if path is None else _stripped(path.text),
    )


def _fields(root: Element) -> Iterator[tuple[str, str]]:
    for child in root:
        if len(child) == 0:
            yield child.tag, _stripped(child.text)
        elif child.tag in {"parent", "scm", "organization", "prerequisites"}:
            yield from ((f"{child.tag}.{one.tag}", _stripped(one.text)) for one in child)


def _active(profiles: Iterable[Element]) -> list[Element]:
    triggered, default = [], []
    for profile in profiles:
        activation = profile.find("activation")
        if activation is None:
            continue
        if _stripped(activation.findtext("activeByDefault")) == "true":
            default.append(profile)
        elif _is_met(activation):
            triggered.append(profile)
    return triggered or default


def _is_met(activation: Element) -> bool:
    """Whether all that it asks for is that a property is not set, or that the JDK is a new one."""
    conditions = [one for one in activation if one.tag != "activeByDefault"]
    return bool(conditions) and all(map(_is_usual, conditions))


def _is_usual(condition: Element) -> bool:
    if condition.tag == "jdk":
        return _OR_NEWER.fullmatch(_stripped(condition.text)) is not None
    asked = _stripped(condition.findtext("value") or condition.findtext("name"))
    return condition.tag == "property" and asked.startswith("!")


def _stripped(text: str | None) -> str:
    return text.strip() if text else ""
