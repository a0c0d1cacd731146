"""What the names in a Gradle script stand for, as far as its text says so.

Of several assignments to a name that in the fewest blocks counts, and of those the last. What a
function returns, what the environment holds, and what only a running build knows is unknown.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.digest.dependencies.gradle.script import (
    Group,
    Items,
    Statement,
    Token,
    named,
    names_of,
    parse,
    parse_with_inner,
    split,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from repomill.digest.dependencies.gradle.catalog import Catalog


_MAX_CHARACTERS = 1000
_MAX_NESTED = 30
_MAX_EXPRESSIONS = 5_000
"""Within strings, that are more than a name."""
_MAX_WORDS = 500_000
"""That are looked at to work out the texts of one script."""
_APPLY = Token("name", "apply")
_MAX_LEFT = 12
"""Tokens before the sign of an assignment."""
_NO_TARGET = frozenset("!<>+-")
_WHERE = frozenset({"project", "rootProject", "ext", "extra", "properties", "this", "target"})
_READERS = frozenset({"property", "findProperty", "getProperty", "gradleProperty", "get"})
_SETTERS = frozenset({"set", "put"})
_PASSED_ON = frozenset({"get", "toString", "orNull", "asProvider", "getOrNull", "trim"})
_PROPERTY = re.compile(r"[ \t\f]*([^\s#!=:][^\s=:]*)[ \t\f]*[=: \t\f][ \t\f]*([^\r\n]*)")


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and what it assigns."""

    statements: list[Statement]
    values: dict[str, Items]
    """``versions.spring`` → the tokens that are assigned."""
    applied: list[Token]
    """Other scripts that it applies, as it names them."""
    may_extend: bool
    """Whether it may say that configurations extend others."""


def script(text: str) -> Script:
    """Return the script in *text*. Raises ManifestError."""
    statements = parse_with_inner(text)
    assigned = [
        (depth, *found) for depth, statement in statements if (found := _assigned(statement))
    ]
    applied = [token for _depth, statement in statements for token in _applied(statement)]
    values: dict[str, Items] = {}
    for _depth, name, items in sorted(assigned, key=lambda row: -row[0]):
        _define(values, name, items)
    may_extend = "extendsFrom" in text or "configurations" in text
    outermost = [statement for depth, statement in statements if not depth]
    return Script(outermost, values, applied, may_extend)


def properties(text: str) -> dict[str, str]:
    r"""Return the pairs of a gradle.properties.

    Source: https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Properties.html,
    of which escapes and continued lines are left out.

    >>> properties("# versions\nspring = 3.2\nkotlin:1.9")
    {'spring': '3.2', 'kotlin': '1.9'}
    """
    matches = (_PROPERTY.match(line) for line in text.splitlines())
    pairs = ((match[1], match[2].strip()) for match in matches if match)
    return {name: value for name, value in pairs if len(value) <= _MAX_CHARACTERS}


class Values:
    """Everything that names may stand for, in the first of *scripts* that assigns to them."""

    def __init__(
        self,
        scripts: Iterable[Script],
        properties: Mapping[str, str],
        catalogs: Mapping[str, Catalog],
    ) -> None:
        self.catalogs = catalogs
        self._properties = properties
        self._layers: list[Mapping[str, Items]] = [one.values for one in scripts]
        self._left = _MAX_EXPRESSIONS
        self._left_words = _MAX_WORDS
        self._known: dict[str, str | None] = {}
        self._nested = 0

    @property
    def looked_at(self) -> int:
        """How many words were looked at to work out texts."""
        return _MAX_WORDS - self._left_words

    def text(self, items: Items) -> str | None:
        """Return what *items* come to: one text, or None. Unknown parts of a string stay."""
        self._left_words -= len(items)
        if self._left_words < 0:
            return None
        parts = [self._atom(piece) for piece in split(items, "+")]
        known = [part for part in parts if part is not None]
        if not parts or len(known) < len(parts):
            return None
        whole = "".join(known)
        return whole if len(whole) <= _MAX_CHARACTERS else None

    def assigned(self, name: str) -> Items | None:
        """Return the tokens that were assigned to *name*."""
        bare = _bare(name)
        return next((layer[bare] for layer in self._layers if bare in layer), None)

    @contextmanager
    def bound(self, name: str, items: Items) -> Iterator[None]:
        """Let *name* stand for *items* for a while."""
        before, known = self._layers, self._known
        self._layers, self._known = [{name: items}, *before], {}
        try:
            yield
        finally:
            self._layers, self._known = before, known

    def string(self, token: Token) -> str:
        """Return the text of a string, with ``${…}`` where something is unknown."""
        if "${" not in token.text or len(token.text) > _MAX_CHARACTERS:
            return token.text
        found = "".join(
            self._expression(part) if is_expression else part for is_expression, part in token.parts
        )
        return found if len(found) <= _MAX_CHARACTERS else token.text

    def _expression(self, expression: str) -> str:
        value = self._by_name(expression)
        if value is None and not expression.replace(".", "").isidentifier():
            self._left -= 1
            value = self.text(parse(expression)[0]) if self._left >= 0 else None
        elif value is None and "." in expression:  # as Kotlin reads "$name.rest"
            first, _dot, rest = expression.partition(".")
            value = self._by_name(first)
            value = value if value is None else f"{value}.{rest}"
        return f"${{{expression}}}" if value is None else value

    def _atom(self, items: Items) -> str | None:
        first = items[0]
        if isinstance(first, Token) and first.kind in {"string", "number"}:
            if len(items) > 1 and not _is_passed_on(items[1:]):
                return None
            return self.string(first) if first.kind == "string" else first.text
        inner = within(first, "(")
        if inner is not None and len(items) == 1:
            return self.text(inner) if inner else None
        name = name_of(items)
        return None if name is None else self._by_name(name)

    def _by_name(self, name: str) -> str | None:
        """Return what *name* stands for; itself, in a circle, is unknown."""
        bare = _bare(name)
        if bare in self._known:
            return self._known[bare]
        if self._nested >= _MAX_NESTED:
            return None
        self._known[bare] = None
        self._nested += 1
        items = self.assigned(bare)
        value = self.text(items) if items else self._properties.get(bare)
        self._nested -= 1
        self._known[bare] = self._of_catalog(bare) if value is None else value
        return self._known[bare]

    def _of_catalog(self, name: str) -> str | None:
        first, _dot, rest = name.partition(".")
        kind, _dot, alias = rest.partition(".")
        if kind == "versions" and first in self.catalogs:
            return self.catalogs[first].versions.get(alias)
        return None


def name_of(items: Items) -> str | None:
    """Return the name that *items* are: with dots, an index or a reader of properties in it.

    >>> name_of(parse("rootProject.extra['spring']")[0]), name_of(parse("libs.versions.a.get()")[0])
    ('rootProject.extra.spring', 'libs.versions.a')
    >>> name_of(parse("a - b")[0])
    """
    parts: list[str] = []
    for place, item in enumerate(items):
        if isinstance(item, Group):
            if not parts or not _index(parts, item):
                return None
        elif item.text == "as":  # Kotlin's cast
            break
        elif item.kind == "name":
            parts.append(item.text)
        elif item.kind not in ".!?" or not place:
            return None
    return ".".join(parts) or None


def _index(parts: list[str], group: Group) -> bool:
    """Put what *group* asks for in place of what asks; whether that can be told."""
    if group.kind == "{":
        return False
    if group.kind == "(":
        if parts[-1] not in _READERS | _PASSED_ON:
            return False
        del parts[-1]
    match group.statements[0]:
        case []:
            return True
        case [Token(kind="string", text=key)]:
            parts.append(key)
            return True
    return False


def _bare(name: str) -> str:
    """Return *name* without what says where it is kept."""
    parts = name.split(".")
    while len(parts) > 1 and (parts[0] in _WHERE or parts[0] == "providers"):
        del parts[0]
    return ".".join(parts)


def _is_passed_on(items: Items) -> bool:
    """Whether *items* after a string leave it as it is: ``.trim()``, ``as String``."""
    match items:
        case [Token(text="as"), *_]:
            return True
        case [Token(kind="."), *called]:
            return set(names_of(called)) <= _PASSED_ON
    return False


def _assigned(statement: Statement) -> tuple[str, Items] | None:
    """Return what *statement* gives a value to, and the value, if it is one that does."""
    if len(statement) < 2:  # noqa: PLR2004
        return None
    place = _place_of_sign(statement)
    if place:
        left = next(split(statement[:place], ":"), [])
        name = _target(left)
        return (name, statement[place + 1 :]) if name else None
    names = names_of(statement)
    if names and names[-1] in _SETTERS:
        following = statement[2 * len(names) - 1 :]
        arguments = within(following[0], "(") if following else None
        pieces = list(split(arguments or []))
        if len(pieces) == 2 and isinstance(key := pieces[0][0], Token) and key.kind == "string":  # noqa: PLR2004
            return key.text, pieces[1]
    return _delegated(statement)


def _delegated(statement: Statement) -> tuple[str, Items] | None:
    """Return what Kotlin's ``val name by extra("value")`` says."""
    match statement:
        case [
            Token(text="val" | "var"),
            Token(kind="name", text=name),
            *_,
            Token(text="by"),
            Token(text="extra"),
            Group(statements=[value, *_]),
        ]:
            return name, value
    return None


def _place_of_sign(statement: Statement) -> int:
    """Return where an assignment's sign is, or 0."""
    for place, item in enumerate(statement[: _MAX_LEFT + 1]):
        if item.kind == "=":
            following = statement[place + 1 : place + 2]
            is_compared = any(one.kind == "=" for one in following)
            return 0 if is_compared or not following else place
        if item.kind in _NO_TARGET:
            return 0
    return 0


def _target(left: Items) -> str:
    """Return the name that is assigned to: the last of ``private static final String name``."""
    start = 0
    for place in range(1, len(left)):
        before, item = left[place - 1], left[place]
        if (
            isinstance(item, Token)
            and item.kind == "name"
            and not (isinstance(before, Token) and before.kind == ".")
        ):
            start = place
    name = name_of(left[start:])
    return "" if name is None else _bare(name)


def _define(values: dict[str, Items], name: str, items: Items, depth: int = 0) -> None:
    """Note *items* as the value of *name*, and the entries of a map by their own names."""
    if len(name) > _MAX_CHARACTERS:
        return
    values[name] = items
    entries = _entries(items)
    if depth < _MAX_NESTED:
        for piece in split(entries):
            key, value = named(piece, ":", "to")
            if key:
                _define(values, f"{name}.{key}", value, depth + 1)


def _entries(items: Items) -> Items:
    """Return what is in ``[…]`` or ``mapOf(…)``."""
    if len(items) == 1:
        return within(items[0], "[") or []
    if len(items) == 2 and names_of(items[:1]) in (["mapOf"], ["mutableMapOf"]):  # noqa: PLR2004
        return within(items[1], "(") or []
    return []


def _applied(statement: Statement) -> Iterator[Token]:
    if not statement or statement[0] != _APPLY:
        return
    arguments = within(statement[1], "(") if len(statement) > 1 else None
    for piece in split(arguments or statement[1:]):
        name, value = named(piece, ":", "=")
        if name == "from" and isinstance(value[0], Token) and value[0].kind == "string":
            yield value[0]
