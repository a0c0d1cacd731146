"""Where a build adds dependencies: in its settings, and in definitions that nothing visible uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from repomill.digest.dependencies.sbt_values import Frame, Module
from repomill.digest.dependencies.scala_source import (
    Block,
    Call,
    Case,
    Definition,
    If,
    Infix,
    Lambda,
    Match,
    Name,
    Node,
    Select,
    Several,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from repomill.digest.dependencies.sbt_values import Evaluation, Values

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
_MODULE = 3
"""Parts of a module at the least: the organization, the name, the version."""


class Found(NamedTuple):
    """A module, and what the build does with it."""

    module: Module
    configuration: str
    is_plugin: bool = False


class Settings:
    """Goes through the files of a build."""

    def __init__(self, evaluation: Evaluation, blocks: Mapping[str, Block]) -> None:
        self._evaluation = evaluation
        self._blocks = blocks
        self._definitions: list[tuple[Definition, Frame]] = []

    def scala_versions(self) -> list[str]:
        """Return what any project's ``scalaVersion`` is set to."""
        return [
            value
            for setting, frame in self._settings()
            if isinstance(setting, Infix) and _key(setting.left)[0] == "scalaVersion"
            for value in self._evaluation.values(setting.right, frame)
            if isinstance(value, str)
        ]

    def dependencies(self) -> list[Found]:
        """Return what is added by settings, then what is in definitions that none of them uses."""
        found: list[Found] = []
        for setting, frame in self._settings():
            if isinstance(setting, Call):
                found += self._added(setting, frame)
            elif isinstance(setting, Infix):
                key, configuration = _key(setting.left)
                values = self._evaluation.values(setting.right, frame)
                if key == _DEPENDENCIES:
                    found += _found(values, configuration)
        return [*found, *self._unused()]

    def _added(self, call: Call, frame: Frame) -> list[Found]:
        values: Values = ()
        for argument in call.arguments:
            values += self._evaluation.values(argument, frame)
        if isinstance(call.function, Name) and call.function.name == "addSbtPlugin":
            return [one._replace(is_plugin=True) for one in _found(values, "")]
        return _found(values, "plugin")

    def _unused(self) -> list[Found]:
        found = []
        for definition, frame in self._definitions:
            if id(definition) not in self._evaluation.reached:
                inside = self._evaluation.inside(definition, frame, {})
                found.append((definition, self._evaluation.values(definition.body, inside)))
        return [
            one
            for definition, values in found
            if id(definition) not in self._evaluation.reached
            for one in _found(values, "")
        ]

    def _settings(self) -> Iterator[tuple[Node, Frame]]:
        """Yield every setting that matters, and note every definition."""
        self._definitions = []
        for path, block in self._blocks.items():
            nodes: list[tuple[Node, Frame]] = [(block, Frame(block.scope, (), path))]
            while nodes:
                node, frame = nodes.pop()
                if _matters(node):
                    yield node, frame
                    continue
                if isinstance(node, Block):
                    frame = frame._replace(scope=node.scope)
                elif isinstance(node, Definition):
                    frame = self._evaluation.inside(node, frame, {})
                    if not isinstance(node.body, Block) or not node.body.is_template:
                        self._definitions.append((node, frame))
                nodes += [(child, frame) for child in _children(node)]


def _matters(node: Node) -> bool:
    if isinstance(node, Infix):
        key = _key(node.left)[0] if node.operator in _ADDS else ""
        return key in _NO_DEPENDENCIES or key in {_DEPENDENCIES, "scalaVersion"}
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


def _found(values: Values, configuration: str) -> list[Found]:
    return [
        Found(value, value.configuration or configuration)
        for value in values
        if isinstance(value, Module) and value.parts >= _MODULE
    ]


def _children(node: Node) -> Sequence[Node]:  # noqa: PLR0911 a line for each kind of node
    match node:
        case Call():
            return [node.function, *node.arguments]
        case Infix():
            return [node.left, node.right]
        case Select():
            return [node.of]
        case Several():
            return node.parts
        case Lambda() | Definition() | Case():
            return [node.body]
        case If():
            return [node.then, node.otherwise]
        case Match():
            return [node.subject, *node.cases]
        case Block():
            return [*node.statements, *node.cases]
        case _:
            return []
