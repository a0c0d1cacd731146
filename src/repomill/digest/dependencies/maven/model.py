"""A pom.xml and those above it, as one model: what ``${…}`` stands for, and what is managed.

The order in which things count is that of Maven's model builder, as its release 3.8.7 shows it:
https://maven.apache.org/ref/3.8.7/maven-model-builder/.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from repomill.digest.dependencies.maven.pom import Declared, Pom

_EXPRESSION = re.compile(r"\$\{([^${}]{1,200})\}")
_MAX_CHARACTERS = 1000
"""Of a text with expressions, before and after: names and versions are shorter."""
_MAX_NESTED = 30
_FREE = 8
"""Expressions that are worked out within what one declaration counts."""
_NOT_INHERITED = frozenset({"artifactId", "name", "packaging"})


class Key(NamedTuple):
    """What makes two dependencies the same to Maven."""

    group: str
    artifact: str
    type: str
    classifier: str


class Model:
    """A project's pom.xml and its parents, the project first."""

    def __init__(self, lineage: Sequence[Pom], spend: Callable[[int], None]) -> None:
        """*spend* is told how many declarations are looked at; each child looks at all anew."""
        self.lineage = lineage
        self._spend = spend
        self._known: dict[str, str | None] = {}
        self._nested = 0
        self._managed: dict[str, dict[Key, Declared]] = {}

    def value(self, text: str) -> str:
        """Return *text* with what its expressions stand for; those that are unknown stay."""
        if "${" not in text or len(text) > _MAX_CHARACTERS:
            return text
        self._spend(text.count("${") // _FREE)
        value = _EXPRESSION.sub(self._replacement, text)
        return value if len(value) <= _MAX_CHARACTERS else text

    def key(self, declared: Declared) -> Key:
        """Return what *declared* is compared by."""
        return Key(
            self.value(declared.group),
            self.value(declared.artifact),
            self.value(declared.type),
            self.value(declared.classifier),
        )

    def dependencies(self) -> dict[Key, Declared]:
        """Return each dependency once; a child's own before its parent's."""
        found: dict[Key, Declared] = {}
        for level in self.lineage:
            self._spend(len(level.dependencies))
            own = {self.key(one): one for one in level.dependencies}
            found = own | found
        return found

    def managed(self, key: Key) -> Declared | None:
        """Return what dependencyManagement says of the dependency with *key*."""
        if key.artifact not in self._managed:
            named = [one for level in self.lineage for one in level.managed.get(key.artifact, ())]
            self._managed[key.artifact] = self._first(named)
        return self._managed[key.artifact].get(key) or self._managed_by_variable.get(key)

    def imports(self) -> Iterator[Declared]:
        """Yield the BOMs that are imported; the first that manages something counts."""
        for level in self.lineage:
            self._spend(len(level.imports))
            yield from level.imports

    @cached_property
    def _managed_by_variable(self) -> dict[Key, Declared]:
        return self._first([one for level in self.lineage for one in level.variable_artifacts])

    def _first(self, declared: Sequence[Declared]) -> dict[Key, Declared]:
        self._spend(len(declared))
        found: dict[Key, Declared] = {}
        for one in declared:
            found.setdefault(self.key(one), one)
        return found

    def _replacement(self, expression: re.Match[str]) -> str:
        found = self._lookup(expression[1].strip())
        return expression[0] if found is None or len(found) > _MAX_CHARACTERS else found

    def _lookup(self, name: str) -> str | None:
        """Return what *name* stands for, each found out once; itself, in a circle, is unknown."""
        if name in self._known:
            return self._known[name]
        if self._nested >= _MAX_NESTED:
            return None
        self._known[name] = None
        raw = self._raw(name)
        if raw is not None:
            self._nested += 1
            self._known[name] = self.value(raw)
            self._nested -= 1
        return self._known[name]

    def _raw(self, name: str) -> str | None:
        prefix, _dot, rest = name.partition(".")
        if prefix in {"project", "pom"} and (found := self._field(rest)) is not None:
            return found
        for level in self.lineage:
            if name in level.properties:
                return level.properties[name]
        return self._field(name)

    def _field(self, name: str) -> str | None:
        """Return the project's own *name*, or what it inherits."""
        if name == "packaging":
            return self.lineage[0].fields.get(name, "jar")
        for level in self.lineage:
            if level.fields.get(name):
                return level.fields[name]
            if name in _NOT_INHERITED or name.startswith("parent."):
                return None
            above = level.fields.get(f"parent.{name}")
            if name in {"groupId", "version"} and above:
                return above
        return None
