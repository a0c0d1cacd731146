"""What a Gradle script declares: the modules in its ``dependencies``, the plugins in ``plugins``.

And the BOMs of Spring's plugin. Sources:
https://docs.gradle.org/current/userguide/declaring_dependencies.html,
https://docs.gradle.org/current/userguide/plugins.html#sec:plugins_block and
https://docs.spring.io/dependency-management-plugin/docs/current/reference/html/.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from repomill.digest.dependencies.gradle.modules import Modules
from repomill.digest.dependencies.gradle.scopes import is_of_tests
from repomill.digest.dependencies.gradle.script import (
    Group,
    Items,
    Statement,
    Token,
    blocks,
    names_of,
    split,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repomill.digest.dependencies.gradle.catalog import Coordinates
    from repomill.digest.dependencies.gradle.values import Values


_MANAGED_ELSEWHERE = frozenset({"constraints", "pluginManagement", "publishing"})
_NO_CONFIGURATIONS = frozenset(
    {"artifactTypes", "attributesSchema", "components", "constraints", "exclude", "include"}
    | {"intoLayer", "modules", "registerTransform", "val", "var", "def", "fun", "import", "println"}
    | {"project"}
)
_CONTROL = frozenset({"if", "else", "for", "while", "when", "try"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a script a block is."""

    kind: str = "project"
    """Or ``dependencies``, ``plugins``, ``dependencyManagement``."""
    is_for_build: bool = False
    is_for_projects: bool = False
    """Whether for those below, whose scripts may use its configurations."""
    is_for_tests: bool = False


class Declared(NamedTuple):
    """A module, and the configuration it is declared in."""

    configuration: str
    place: Place
    module: Coordinates


class Declarations:
    """What one script declares; *values* says what its names stand for."""

    def __init__(self, values: Values) -> None:
        self.modules: list[Declared] = []
        self.plugins: list[tuple[str, str]] = []
        """Id and version as written; the version is empty where another place says it."""
        self.extends: list[tuple[str, str]] = []
        """A configuration, and one that it extends."""
        self._values = values
        self._arguments = Modules(values)

    @property
    def problems(self) -> list[str]:
        """What could not be made out."""
        return self._arguments.problems

    @property
    def looked_at(self) -> int:
        """How much it took to read them: pieces of arguments, and words that these come to."""
        return self._arguments.looked_at + self._values.looked_at // 8

    def read(self, statements: Iterable[Statement], place: Place | None = None) -> None:
        """Note what *statements* declare, and those in their blocks."""
        place = place or Place()
        for statement in statements:
            if place.kind == "dependencies":
                self._read_dependency(statement, place)
            elif place.kind == "plugins":
                self._read_plugin(statement)
            elif place.kind == "dependencyManagement":
                self._read_bom(statement, place)
            else:
                self._read_project(statement, place)

    def _read_project(self, statement: Statement, place: Place) -> None:
        head = names_of(statement)
        if set(head[:1]) & _MANAGED_ELSEWHERE:
            return
        match head:
            case ["dependencyManagement" | "imports", *_]:
                place = Place(kind="dependencyManagement", is_for_build=True)
            case [*_, configuration, "extendsFrom"]:
                self._note_extended(configuration, statement[2 * len(head) - 1 :])
            case [*_, "dependencies"]:
                place = replace(place, kind="dependencies")
            case ["plugins"]:
                place = replace(place, kind="plugins")
            case ["buildscript" | "initscript"]:
                place = replace(place, is_for_build=True)
            case ["subprojects" | "allprojects" | "configure"]:
                place = replace(place, is_for_projects=True)
        inner = [*blocks(statement)]
        if inner and any(is_of_tests(word) for word in _words(statement)):
            place = replace(place, is_for_tests=True)
        for block in inner:
            self.read(block.statements, place)

    def _note_extended(self, configuration: str, arguments: Items) -> None:
        for piece in _pieces(arguments):
            extended = names_of(piece)
            if extended:
                self.extends.append((configuration, extended[-1]))

    def _read_dependency(self, statement: Statement, place: Place) -> None:
        if loop := _loop(statement):
            with self._values.bound(*loop):
                for block in blocks(statement):
                    self.read(block.statements, place)
            return
        head, arguments = _head(_after_conditions(statement))
        if head in _NO_CONFIGURATIONS or _is_sign(arguments) or _is_function(statement):
            return
        if not head or head in _CONTROL or within(arguments[0], "{") is not None:
            for block in blocks(statement):
                self.read(block.statements, place)
        else:
            self._read_declared(head, arguments, place)

    def _read_declared(self, head: str, arguments: Items, place: Place) -> None:
        pieces: list[Items] = list(_pieces(arguments))
        if head == "add" and pieces:
            head, pieces = self._arguments.text(pieces[0]), pieces[1:]
        self.extends += [
            (head, path[-1]) for path in map(names_of, pieces) if path[:1] == ["configurations"]
        ]
        version = self._version_in_block(arguments)
        for module in self._arguments.of(pieces, head):
            stated = module._replace(version=version) if version else module
            self.modules.append(Declared(head, place, stated))

    def _version_in_block(self, arguments: Items) -> str:
        """Return what ``version { strictly '1.2' }`` in the block of a dependency says."""
        for block in blocks(item for item in arguments if isinstance(item, Group)):
            for statement in block.statements:
                if names_of(statement) == ["version"]:
                    for inner in blocks(statement):
                        return self._strictest(inner)
        return ""

    def _strictest(self, block: Group) -> str:
        said = {}
        for statement in block.statements:
            head, arguments = _head(statement)
            for piece in _pieces(arguments):
                said[head] = self._arguments.text(piece)
        strictly = said.get("strictly")
        return f"{strictly}!!" if strictly else said.get("require") or said.get("prefer", "")

    def _read_bom(self, statement: Statement, place: Place) -> None:
        head, arguments = _head(statement)
        if head == "mavenBom":
            for module in self._arguments.of(list(_pieces(arguments)), head):
                self.modules.append(Declared(head, place, module._replace(extension="pom")))
        for block in blocks(statement):
            self.read(block.statements, place)

    def _read_plugin(self, statement: Statement) -> None:
        head, arguments = _head(statement)
        inner = within(arguments[0], "(") if arguments else None
        subject = arguments[:1] if inner is None else inner
        version = self._plugin_version(statement)
        if head == "alias":
            path = names_of(arguments if inner is None else inner)
            catalog = self._values.catalogs.get(path[0]) if path else None
            name, stated = ("", "")
            if catalog is not None and path[1:2] == ["plugins"]:
                name, stated = catalog.plugins.get(".".join(path[2:]), ("", ""))
            if not name:
                self._arguments.tell(".".join(path), "plugin")
            self.plugins.append((name, version or stated))
        elif head in {"id", "kotlin"} and subject and not _is_sign(arguments):
            name = self._arguments.text(subject)
            self.plugins.append(
                (f"org.jetbrains.kotlin.{name}" if head == "kotlin" else name, version)
            )

    def _plugin_version(self, statement: Statement) -> str:
        for place, item in enumerate(statement[:-1]):
            if isinstance(item, Token) and item.text == "version" and item.kind == "name":
                following = statement[place + 1]
                inner = within(following, "(")
                return self._arguments.text([following] if inner is None else inner)
        return ""


def _head(statement: Items) -> tuple[str, Items]:
    """Return the name, or the string, that is called, and what follows it."""
    match statement:
        case [Token(kind="name" | "string", text=head), Token(kind="."), *_] if head != "add":
            path = names_of(statement)
            return (path[-1] if path[-1:] == ["add"] else "println"), statement[2 * len(path) - 1 :]
        case [Token(kind="name" | "string", text=head), *arguments]:
            return head, arguments
    return "", statement


def _after_conditions(statement: Items) -> Items:
    """Return what is declared in a line like ``if (condition) api 'a:b:1'``."""
    start = 0
    while start + 2 < len(statement):
        match statement[start : start + 3]:
            case [Token(text="if"), Group(kind="("), Token()]:
                start += 2
            case _:
                break
    return statement[start:]


def _loop(statement: Items) -> tuple[str, Items] | None:
    """Return the name that ``[…].each { name -> … }`` gives to each, and the list."""
    for place, item in enumerate(statement[1:-1], start=1):
        if isinstance(item, Token) and item.text in {"each", "forEach"}:
            for block in blocks(statement[place + 1 :]):
                match block.statements[0]:
                    case [Token(kind="name", text=name), Token(kind="-"), Token(kind=">"), *_]:
                        return name, statement[: place - 1]
                return "it", statement[: place - 1]
            return None
    return None


def _pieces(arguments: Items) -> Iterator[Statement]:
    """Yield each argument of a call, with or without brackets around them."""
    for piece in split(arguments):
        inner = within(piece[0], "(")
        if inner is None:
            yield piece
        else:
            yield from split(inner)


def _is_function(statement: Statement) -> bool:
    """Whether *statement* defines one in Kotlin: ``private fun name(…)``."""
    match statement:
        case [Token(kind="name"), Token(kind="name", text="fun"), Token() | Group(), *_]:
            return True
    return False


def _is_sign(arguments: Items) -> bool:
    return not arguments or (isinstance(arguments[0], Token) and arguments[0].kind in "=+-<>!")


def _words(statement: Statement) -> Iterator[str]:
    """Yield the names and strings of *statement*, in its brackets as well; not in its blocks."""
    for item in statement:
        inner = [item] if isinstance(item, Token) else within(item, "(") or []
        for one in inner:
            if isinstance(one, Token) and one.kind in {"name", "string"}:
                yield one.text
