"""What the arguments of a configuration in Gradle's ``dependencies`` stand for: modules.

Source: https://docs.gradle.org/current/userguide/declaring_dependencies.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.digest.dependencies.gradle.catalog import Coordinates, coordinates
from repomill.digest.dependencies.gradle.script import (
    Group,
    Token,
    named,
    names_of,
    split,
    within,
)
from repomill.digest.dependencies.gradle.values import name_of
from repomill.digest.dependencies.origins import problem_without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repomill.digest.dependencies.gradle.script import Items, Statement
    from repomill.digest.dependencies.gradle.values import Values

_MAX_PIECES = 25_000
_FREE = 8
"""Words of a piece that count no more than itself."""
_MAX_NESTED = 10
_MAX_PROBLEMS = 20
_WRAPPERS = frozenset(
    {"platform", "enforcedPlatform", "testFixtures", "variantOf", "create", "listOf", "setOf"}
)
_NO_MODULES = frozenset(
    {"project", "projects", "files", "fileTree", "gradleApi", "localGroovy", "gradleTestKit"}
    | {"gradleKotlinDsl", "sourceSets", "configurations", "npm", "rootProject", "zipTree", "layout"}
    | {"subprojects", "allprojects"}
)


class Modules:
    """Reads arguments; *values* says what the names in them stand for."""

    def __init__(self, values: Values) -> None:
        self.problems: list[str] = []
        self._values = values
        self._left = _MAX_PIECES

    @property
    def looked_at(self) -> int:
        """How many pieces of arguments there were, those of lists each time they are named."""
        return _MAX_PIECES - self._left

    def of(self, pieces: Sequence[Items], head: str) -> Iterator[Coordinates]:
        """Yield the modules that *pieces*, the arguments of *head*, stand for."""
        entries = dict(named(piece, ":", "=") for piece in pieces)
        texts = [_string(piece) for piece in pieces]
        if "name" in entries:
            yield from self._of_map(entries, head)
        elif len(texts) > 1 and None not in texts and ":" not in str(texts[0]):
            group, name, *version = [self.text(piece) for piece in pieces]
            found = Coordinates(group, name, *version[:1])
            yield from self._if_named(found, f"{group}:{name}", head)
        else:
            for piece in pieces:
                if not named(piece, ":", "=")[0]:
                    yield from self._of_piece(piece, head)

    def text(self, items: Items) -> str:
        """Return what *items* come to; what is written, where that is a name nobody knows."""
        text = self._values.text(items)
        if text is not None:
            return text
        name = name_of(items)
        return f"${{{name}}}" if name else ""

    def tell(self, text: str, head: str) -> None:
        """Note that *text*, which *head* is given, stands for nothing that is known."""
        if len(self.problems) < _MAX_PROBLEMS:
            text = problem_without_credentials(text)
            self.problems.append(f"nothing says what {head} {names.cut(text, 100)} is")

    def _of_map(self, entries: dict[str, Items], head: str) -> Iterator[Coordinates]:
        said = {key: self.text(value) for key, value in entries.items() if key}
        keys = ("group", "name", "version", "classifier", "ext")
        found = Coordinates(*(said.get(key, "") for key in keys))
        yield from self._if_named(found, f"{found.group}:{found.name}", head)

    def _of_piece(self, piece: Items, head: str, nested: int = 0) -> Iterator[Coordinates]:
        self._left -= 1 + len(piece) // _FREE
        if within(piece[-1], "{") is not None:
            piece = piece[:-1]
        if self._left < 0 or nested > _MAX_NESTED or not piece:
            return
        first = piece[0]
        if isinstance(first, Group):
            self._left -= len(first.statements[0]) // _FREE
            yield from self._of_list(list(split(first.statements[0])), head, nested)
        elif first.kind == "string":
            text = self._values.text(piece)
            yield from self._if_named(coordinates(text or ""), text or first.text, head)
        else:
            yield from self._of_name(piece, head, nested)

    def _of_list(self, pieces: list[Statement], head: str, nested: int) -> Iterator[Coordinates]:
        entries = dict(named(piece, ":") for piece in pieces)
        if "name" in entries:
            yield from self._of_map(entries, head)
        else:
            for piece in pieces:
                yield from self._of_piece(piece, head, nested + 1)

    def _of_name(self, piece: Items, head: str, nested: int) -> Iterator[Coordinates]:
        path = names_of(piece)
        if not path or path[0] in _NO_MODULES:
            return
        inner = within(piece[2 * len(path) - 1], "(") if len(piece) >= 2 * len(path) else None
        if inner and path[-1] in _WRAPPERS:
            yield from self._of_list(list(split(inner)), head, nested)
        elif inner and path[-1] in {"kotlin", "embeddedKotlin"}:
            name, *version = [self.text(one) for one in split(inner)] or [""]
            found = Coordinates("org.jetbrains.kotlin", f"kotlin-{name}", *version[:1])
            yield from self._if_named(found, f"kotlin:{name}", head)
        elif path[-2:] == ["SpringBootPlugin", "BOM_COORDINATES"]:
            yield Coordinates("org.springframework.boot", "spring-boot-dependencies")
        elif path[0] in self._values.catalogs:
            yield from self._of_catalog(path, head)
        elif items := self._values.assigned(name_of(piece) or ""):
            yield from self._of_piece(items, head, nested + 1)
        else:
            self.tell(".".join(path), head)

    def _of_catalog(self, path: list[str], head: str) -> Iterator[Coordinates]:
        alias = [name for name in path[1:] if name not in {"get", "asProvider"}]
        modules = self._values.catalogs[path[0]].modules(alias)
        if modules is None:
            self.tell(".".join(path), head)
        self._left -= len(modules or ())
        yield from modules or ()

    def _if_named(self, module: Coordinates | None, text: str, head: str) -> Iterator[Coordinates]:
        if module is not None and module.name and "${" not in module.group + module.name:
            yield module
        elif ":" in text or "${" in text:  # else it is none: the name of a file, say
            self.tell(text, head)


def _string(piece: Items) -> str | None:
    """Return what *piece* says, if it is a string and no more."""
    match piece:
        case [Token(kind="string", text=text)]:
            return text
    return None
