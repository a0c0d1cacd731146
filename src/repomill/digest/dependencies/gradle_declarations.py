"""What a Gradle script declares: the modules in its ``dependencies``, the plugins in ``plugins``.

Sources: https://docs.gradle.org/current/userguide/declaring_dependencies.html and
https://docs.gradle.org/current/userguide/plugins.html#sec:plugins_block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from repomill.digest import names
from repomill.digest.dependencies.gradle_catalog import Coordinates, coordinates
from repomill.digest.dependencies.gradle_scopes import is_of_tests
from repomill.digest.dependencies.gradle_script import (
    Group,
    Statement,
    Token,
    blocks,
    named,
    names_of,
    split,
    within,
)
from repomill.digest.dependencies.gradle_values import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from repomill.digest.dependencies.gradle_values import Values

    Items = Sequence[Token | Group]

_MAX_MODULES = 50_000
_MAX_NESTED = 10
_MANAGED_ELSEWHERE = frozenset(
    {"constraints", "dependencyManagement", "pluginManagement", "publishing"}
)
_NO_CONFIGURATIONS = frozenset(
    {"artifactTypes", "attributesSchema", "components", "constraints", "exclude", "include"}
    | {"modules", "registerTransform", "val", "var", "def", "import", "println"}
)
_CONTROL = frozenset({"if", "else", "for", "while", "when", "try"})
_WRAPPERS = frozenset(
    {"platform", "enforcedPlatform", "testFixtures", "variantOf", "create", "listOf", "setOf"}
)
_NO_MODULES = frozenset(
    {"project", "projects", "files", "fileTree", "gradleApi", "localGroovy", "gradleTestKit"}
    | {"gradleKotlinDsl", "sourceSets", "configurations", "npm", "rootProject", "zipTree", "layout"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a script a block is."""

    kind: str = "project"
    """Or ``dependencies``, or ``plugins``."""
    is_for_build: bool = False
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
        self.problems: list[str] = []
        self._values = values
        self._left = _MAX_MODULES

    def read(self, statements: Iterable[Statement], place: Place | None = None) -> None:
        """Note what *statements* declare, and those in their blocks."""
        place = place or Place()
        for statement in statements:
            if place.kind == "dependencies":
                self._read_dependency(statement, place)
            elif place.kind == "plugins":
                self._read_plugin(statement)
            else:
                self._read_project(statement, place)

    def _read_project(self, statement: Statement, place: Place) -> None:
        head = names_of(statement)
        if set(head[:1]) & _MANAGED_ELSEWHERE:
            return
        match head:
            case [*_, configuration, "extendsFrom"]:
                self._note_extended(configuration, statement[2 * len(head) - 1 :])
            case [*_, "dependencies"]:
                place = replace(place, kind="dependencies")
            case ["plugins"]:
                place = replace(place, kind="plugins")
            case ["buildscript" | "initscript"]:
                place = replace(place, is_for_build=True)
        if any(is_of_tests(word) for word in _words(statement)):
            place = replace(place, is_for_tests=True)
        for block in blocks(statement):
            self.read(block.statements, place)

    def _note_extended(self, configuration: str, arguments: Items) -> None:
        for piece in _pieces(arguments):
            extended = names_of(piece)
            if extended:
                self.extends.append((configuration, extended[-1]))

    def _read_dependency(self, statement: Statement, place: Place) -> None:
        head, arguments = _head(statement)
        if head in _NO_CONFIGURATIONS or _is_sign(arguments):
            return
        if head in _CONTROL and len(arguments) > 1 and not isinstance(arguments[1], Group):
            self._read_dependency(list(arguments[1:]), place)  # if (condition) api 'a:b:1'
        elif loop := _loop(statement):
            with self._values.bound(*loop):
                for block in blocks(statement):
                    self.read(block.statements, place)
        elif not head or head in _CONTROL or (arguments and within(arguments[0], "{") is not None):
            for block in blocks(statement):
                self.read(block.statements, place)
        else:
            pieces = list(_pieces(arguments))
            if head == "add" and pieces:
                head, pieces = self._text(pieces[0]), pieces[1:]
            version = self._version_in_block(arguments)
            for module in self._modules_of(pieces, head):
                stated = module._replace(version=version) if version else module
                self.modules.append(Declared(head, place, stated))

    def _modules_of(self, pieces: list[Statement], head: str) -> Iterator[Coordinates]:
        entries = dict(named(piece, ":", "=") for piece in pieces)
        if "name" in entries:
            yield from self._of_map(entries, head)
            return
        texts = [_string(piece) for piece in pieces]
        if len(texts) > 1 and None not in texts and ":" not in str(texts[0]):
            known = [self._values.text(piece) or "" for piece in pieces]
            yield Coordinates(known[0], known[1], *known[2:3])
            return
        for piece in pieces:
            if not named(piece, ":", "=")[0]:
                yield from self._of_piece(piece, head)

    def _of_map(self, entries: dict[str, Items], head: str) -> Iterator[Coordinates]:
        said = {key: self._text(value) for key, value in entries.items() if key}
        found = Coordinates(
            said.get("group", ""),
            said.get("name", ""),
            said.get("version", ""),
            said.get("classifier", ""),
            said.get("ext", ""),
        )
        yield from self._if_named(found, f"{found.group}:{found.name}", head)

    def _of_piece(self, piece: Items, head: str, nested: int = 0) -> Iterator[Coordinates]:
        """Yield the modules that *piece* of an argument list stands for."""
        self._left -= 1
        if self._left < 0 or nested > _MAX_NESTED:
            return
        if isinstance(piece[-1], Group) and piece[-1].kind == "{":
            piece = piece[:-1]
        first = piece[0] if piece else None
        if first is None:
            return
        if isinstance(first, Group):
            pieces = list(split(first.statements[0]))
            entries = dict(named(one, ":") for one in pieces)
            if "name" in entries:
                yield from self._of_map(entries, head)
                return
            for one in pieces:
                yield from self._of_piece(one, head, nested + 1)
        elif first.kind == "string":
            text = self._values.text(piece)
            yield from self._if_named(coordinates(text or ""), text or first.text, head)
        else:
            yield from self._of_name(piece, head, nested)

    def _of_name(self, piece: Items, head: str, nested: int) -> Iterator[Coordinates]:
        path = names_of(piece)
        called = piece[2 * len(path) - 1 :] if path else []
        inner = within(called[0], "(") if called else None
        if path[:1] == ["configurations"]:
            self.extends.append((head, path[-1]))
        if not path or path[0] in _NO_MODULES:
            return
        if inner and path[-1] in _WRAPPERS:
            for one in split(inner):
                yield from self._of_piece(one, head, nested + 1)
        elif inner and path[-1] in {"kotlin", "embeddedKotlin"}:
            module, *version = [self._text(one) for one in split(inner)]
            yield Coordinates("org.jetbrains.kotlin", f"kotlin-{module}", *version[:1])
        elif path[-2:] == ["SpringBootPlugin", "BOM_COORDINATES"]:
            yield Coordinates("org.springframework.boot", "spring-boot-dependencies")
        elif path[0] in self._values.catalogs:
            yield from self._of_catalog(path, head)
        else:
            name = name_of(piece)
            items = self._values.assigned(name) if name else None
            if items:
                yield from self._of_piece(items, head, nested + 1)
            else:
                self._tell(".".join(path), head)

    def _of_catalog(self, path: list[str], head: str) -> Iterator[Coordinates]:
        alias = [name for name in path[1:] if name not in {"get", "asProvider"}]
        modules = self._values.catalogs[path[0]].modules(alias)
        if modules is None:
            self._tell(".".join(path), head)
        yield from modules or ()

    def _if_named(self, module: Coordinates | None, text: str, head: str) -> Iterator[Coordinates]:
        if module is None or "${" in module.group + module.name or not module.name:
            if ":" in text or "${" in text:
                self._tell(text, head)
        else:
            yield module

    def _tell(self, text: str, head: str) -> None:
        if len(self.problems) < 100:  # noqa: PLR2004 more than anybody reads
            self.problems.append(f"nothing says what {head} {names.cut(text, 100)} is")

    def _text(self, items: Items) -> str:
        """Return what *items* come to; what is written, where that is a name nobody knows."""
        text = self._values.text(items)
        if text is not None:
            return text
        name = name_of(items)
        return f"${{{name}}}" if name else ""

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
                said[head] = self._text(piece)
        strictly = said.get("strictly")
        return f"{strictly}!!" if strictly else said.get("require") or said.get("prefer", "")

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
                self._tell(".".join(path), "plugin")
            self.plugins.append((name, version or stated))
        elif head in {"id", "kotlin"} and subject and not _is_sign(arguments):
            name = self._text(subject)
            self.plugins.append(
                (f"org.jetbrains.kotlin.{name}" if head == "kotlin" else name, version)
            )

    def _plugin_version(self, statement: Statement) -> str:
        for place, item in enumerate(statement[:-1]):
            if isinstance(item, Token) and item.text == "version" and item.kind == "name":
                following = statement[place + 1]
                inner = within(following, "(")
                return self._text([following] if inner is None else inner)
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


def _pieces(arguments: Items) -> Iterator[Statement]:
    """Yield each argument of a call, with or without brackets around them."""
    for piece in split(arguments):
        inner = within(piece[0], "(")
        if inner is None:
            yield piece
        else:
            yield from split(inner)


def _is_sign(arguments: Items) -> bool:
    return not arguments or (isinstance(arguments[0], Token) and arguments[0].kind in "=+-<>!")


def _string(piece: Items) -> str | None:
    """Return what *piece* says, if it is a string and no more."""
    match piece:
        case [Token(kind="string", text=text)]:
            return text
    return None


def _words(statement: Statement) -> Iterator[str]:
    """Yield the names and strings of *statement*, in its brackets as well; not in its blocks."""
    for item in statement:
        if isinstance(item, Token):
            if item.kind in {"name", "string"}:
                yield item.text
        elif item.kind != "{":
            yield from _words(item.statements[0])
