"""Where a build adds dependencies: in settings, and in definitions that nothing visible uses."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from repomill.digest.dependencies.sbt.names import Frame, Module
from repomill.digest.dependencies.sbt.scala_tree import (
    Block,
    Call,
    Definition,
    Infix,
    Name,
    Node,
    Select,
    children,
)
from repomill.digest.dependencies.sbt.values import COLLECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.digest.dependencies.sbt.names import Values
    from repomill.digest.dependencies.sbt.values import Evaluation

_DEPENDENCIES = "libraryDependencies"
_ADDS = frozenset({":=", "+=", "++="})
_NO_DEPENDENCIES = frozenset(
    {
        "dependencyOverrides",
        "excludeDependencies",
        "libraryDependencySchemes",
        "mimaPreviousArtifacts",
        "scalafixDependencies",
    }
)
"""Settings that hold modules which are none of the build's dependencies by that."""
MAX_CALLS = 1_000
"""Of one function: how many are looked at."""
_MODULE = 3
"""Parts of a module at the least: the organization, the name, the version."""


class Added(NamedTuple):
    """A module, and what the build does with it."""

    module: Module
    configuration: str
    is_plugin: bool = False


class _Setting(NamedTuple):
    """Something that may add dependencies, and where it stands."""

    node: Node
    frame: Frame
    owner: Definition | None
    """The ``def`` with parameters that it is part of."""


class Settings:
    """What the files of a build set, and what they define."""

    def __init__(self, evaluation: Evaluation, blocks: Mapping[str, Block]) -> None:
        self._evaluation = evaluation
        self._settings: list[_Setting] = []
        self._definitions: list[tuple[Definition, Frame]] = []
        self._calls: dict[str, list[tuple[Call, Frame]]] = defaultdict(list)
        self._names: Counter[str] = Counter()
        self.unknown: dict[tuple[str, str], None] = {}
        """Path of a file, and a name that it adds to the dependencies and nothing defines."""
        for path, block in blocks.items():
            self._walk(block, Frame(block.scope, (), path))
        self._aliases = {
            definition.name
            for definition, _ in self._definitions
            if isinstance(definition.body, Name | Select) and definition.body.name == _DEPENDENCIES
        } | {_DEPENDENCIES}

    def strings(self, name: str) -> list[tuple[str, str]]:
        """Return the path of each file that sets *name*, and the string it sets it to."""
        return [
            (frame.path, value)
            for node, frame, _ in self._settings
            if isinstance(node, Infix) and _key(node.left)[0] == name
            for value in self._evaluation.values(node.right, frame)
            if isinstance(value, str)
        ]

    def dependencies(self, *, is_whole: bool) -> list[Added]:
        """Return what settings add, then what is in definitions that none of them uses.

        Where all files of the build are there, what nothing so much as names is left out.
        """
        found: list[Added] = []
        for setting in self._settings:
            if isinstance(setting.node, Call):
                for frame in self._frames(setting):
                    found += self._added(setting.node, frame)
            elif isinstance(setting.node, Infix):
                found += self._set(setting.node, setting)
        return [*found, *self._unused(is_whole=is_whole)]

    def _walk(self, root: Block, frame: Frame) -> None:
        nodes: list[_Setting] = [_Setting(root, frame, None)]
        while nodes:
            setting = nodes.pop()
            node, frame, owner = setting
            if _adds(node):
                self._settings.append(setting)
            if isinstance(node, Block):
                frame = frame._replace(scope=node.scope)
            elif isinstance(node, Definition):
                frame = self._evaluation.inside(node, frame, {})
                owner = node if node.parameters else owner
                if not isinstance(node.body, Block) or not node.body.is_template:
                    self._definitions.append((node, frame))
            elif isinstance(node, Name | Select):
                self._names[node.name] += 1
            elif isinstance(node, Call) and isinstance(node.function, Name | Select):
                self._calls[node.function.name].append((node, frame))
            nodes += [_Setting(child, frame, owner) for child in children(node)]

    def _frames(self, setting: _Setting) -> Iterator[Frame]:
        """Yield the frame of *setting* for each call of the ``def`` that it is part of."""
        owner = setting.owner
        calls = self._calls[owner.name][:MAX_CALLS] if owner is not None else []
        if owner is None or not calls:
            yield setting.frame
            return
        for call, frame in calls:
            given = self._evaluation.given(owner, call.arguments, frame)
            yield self._evaluation.bind(setting.frame, given)

    def _set(self, node: Infix, setting: _Setting) -> list[Added]:
        key, configuration = _key(node.left)
        if key not in self._aliases and key not in _NO_DEPENDENCIES:
            return []
        found: list[Added] = []
        for frame in self._frames(setting):
            values = self._evaluation.values(node.right, frame)
            if key in self._aliases:
                found += _found(values, configuration)
                self._note_unknown(node.right, frame)
        return found

    def _note_unknown(self, node: Node, frame: Frame) -> None:
        """Note the names that are added by *node*, or in the list that it is, and mean nothing."""
        parts = [node]
        if isinstance(node, Call) and isinstance(node.function, Name):
            parts = node.arguments if node.function.name in COLLECTIONS else []
        for part in parts:
            name = self._evaluation.unknown(_without_configuration(part), frame)
            is_told = not name or name.partition(".")[0] in self._aliases
            if not (is_told or self._evaluation.values(part, frame)):
                self.unknown[frame.path, name] = None

    def _added(self, call: Call, frame: Frame) -> list[Added]:
        values: Values = ()
        for argument in call.arguments:
            values += self._evaluation.values(argument, frame)
        if isinstance(call.function, Name) and call.function.name == "addSbtPlugin":
            return [one._replace(is_plugin=True) for one in _found(values, "")]
        return _found(values, "plugin")

    def _unused(self, *, is_whole: bool) -> list[Added]:
        reached = self._evaluation.reached
        found = []
        for definition, frame in self._definitions:
            if id(definition) in reached or (is_whole and self._is_dead(definition, frame)):
                continue
            inside = self._evaluation.inside(definition, frame, {})
            found.append((definition, self._evaluation.values(definition.body, inside)))
        return [
            one
            for definition, values in found
            if id(definition) not in reached
            for one in _found(values, "")
        ]

    def _is_dead(self, definition: Definition, frame: Frame) -> bool:
        """Whether nothing can use *definition*; sbt itself takes up what ``*.sbt`` defines."""
        if frame.path.endswith(".sbt") or definition.scope.bases:
            return False
        return definition.name != "apply" and not self._names[definition.name]


def _without_configuration(node: Node) -> Node:
    """Return the module in ``module % Test``."""
    if isinstance(node, Infix) and node.operator == "%" and isinstance(node.right, Name):
        return node.left
    return node


def _adds(node: Node) -> bool:
    if isinstance(node, Infix):
        return node.operator in _ADDS
    return (
        isinstance(node, Call)
        and isinstance(node.function, Name)
        and node.function.name in {"addSbtPlugin", "addCompilerPlugin"}
    )


def _key(node: Node) -> tuple[str, str]:
    """Return the name of a setting and the configuration it is for.

    Both ``Test / name`` and ``name in Test`` are in use.
    """
    configuration = ""
    while isinstance(node, Infix) and node.operator == "/":
        if isinstance(node.left, Name) and not configuration:
            configuration = node.left.name
        node = node.right
    if isinstance(node, Call) and isinstance(node.function, Select) and node.function.name == "in":
        first = node.arguments[0] if node.arguments else None
        configuration = first.name if isinstance(first, Name) else ""
        node = node.function.of
    name = node.name if isinstance(node, Name | Select) else ""
    return name, "" if configuration in {"ThisBuild", "Global", "Zero"} else configuration


def _found(values: Values, configuration: str) -> list[Added]:
    return [
        Added(value, value.configuration or configuration)
        for value in values
        if isinstance(value, Module) and value.parts >= _MODULE
    ]
