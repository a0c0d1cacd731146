"""What names mean in the files of an sbt build: scopes, what they inherit, what they import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.sbt.scala_tree import Block, Definition, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_STEPS = 100_000
"""Looked at for one build, names and values together: the largest known takes a seventh."""
MAX_STEPS_TOGETHER = 1_000_000
"""For all builds of a commit."""


class Module(NamedTuple):
    """A ModuleID, as far as it is said: "organization" %% "name" % "version" % "configuration"."""

    path: str
    """Of the file that names it."""
    node: int
    """Which tells two that are written the same from each other."""
    organization: str
    separator: str
    name: str
    parts: int = 2
    version: str | None = None
    configuration: str = ""
    cross: str = ""
    classifier: str = ""


class Frame(NamedTuple):
    """Where an expression stands: its scope, what parameters are bound to, its file."""

    scope: Scope
    bound: tuple[tuple[str, Values], ...]
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """An object, whose names can be selected; there is one for a scope in a frame."""

    scope: Scope
    frame: Frame


Value = str | Module | Members
Values = tuple[Value, ...]


class Found(NamedTuple):
    """A definition, and a frame of the file that it is in."""

    definition: Definition
    frame: Frame


class Budget:
    """Bounds what is done for one build, whatever it says, and for all of them *together*."""

    def __init__(self, steps: int = MAX_STEPS, together: Budget | None = None) -> None:
        """Allow *steps*."""
        self._left = steps
        self._together = together

    def spend(self, steps: int) -> None:
        """Take *steps*. Raises ManifestError where there are none left."""
        self._left -= steps
        if self._left < 0:
            raise ManifestError("the build is too intricate to be worked out")
        if self._together is not None:
            self._together.spend(steps)


class Names:
    """Finds definitions."""

    def __init__(self, objects: Mapping[str, tuple[Definition, str]], budget: Budget) -> None:
        """*objects* are those that every file sees, with the paths of theirs."""
        self._objects = objects
        self._budget = budget
        self._imports: dict[int, Found | None] = {}
        """What each import in the files of the build leads to, by its identity."""

    def shared(self, name: str) -> Found | None:
        """Return the definition of *name* that every file sees."""
        if name not in self._objects:
            return None
        definition, path = self._objects[name]
        return Found(definition, Frame(definition.scope, (), path))

    def find(self, name: str, frame: Frame) -> Found | None:
        """Return the definition that *name* means in *frame*."""
        scope: Scope | None = frame.scope
        while scope is not None:
            self._budget.spend(1)
            if name in scope.names:
                return Found(scope.names[name], frame)
            found = self._inherited(name, scope, frame) or self._imported(name, scope, frame)
            if found is not None:
                return found
            scope = scope.parent
        return self.shared(name)

    def member(self, name: str, values: Values) -> Found | None:
        """Return the definition of *name* in the object that *values* are."""
        for value in values:
            if isinstance(value, Members):
                if name in value.scope.names:
                    return Found(value.scope.names[name], value.frame)
                inside = value.frame._replace(scope=value.scope)
                if found := self._inherited(name, value.scope, inside):
                    return found
        return None

    def _inherited(self, name: str, scope: Scope, frame: Frame) -> Found | None:
        """Find *name* in what *scope* extends; it is seen from *scope*, which may override it."""
        for base in scope.bases:
            self._budget.spend(1)
            outer = self._start(base, frame._replace(scope=scope)) if base != name else None
            if outer is not None and name in (members := _members(outer.definition)):
                return Found(members[name], frame)
        return None

    def _imported(self, name: str, scope: Scope, frame: Frame) -> Found | None:
        for path in scope.imports:
            self._budget.spend(1)
            if path and path[-1] != name:
                if id(path) not in self._imports:
                    self._imports[id(path)] = self._along(path, frame._replace(scope=scope))
                found = self._imports[id(path)]
                if found is not None and name in (members := _members(found.definition)):
                    definition = members[name]
                    return Found(definition, Frame(definition.scope, (), found.frame.path))
        return None

    def _along(self, path: Sequence[str], frame: Frame) -> Found | None:
        """Return the object at the end of *path*; packages before it do not count."""
        found = self.shared(path[-1])
        if found is not None:
            return found
        start = self._start(path[0], frame)
        for part in path[1:]:
            if start is None or part not in (members := _members(start.definition)):
                return None
            start = Found(members[part], start.frame)
        return start

    def _start(self, name: str, frame: Frame) -> Found | None:
        """Find *name* with no regard to what is inherited or imported."""
        scope: Scope | None = frame.scope
        while scope is not None:
            self._budget.spend(1)
            if name in scope.names:
                return Found(scope.names[name], frame)
            scope = scope.parent
        return self.shared(name)


def _members(definition: Definition) -> Mapping[str, Definition]:
    return definition.body.scope.names if isinstance(definition.body, Block) else {}
