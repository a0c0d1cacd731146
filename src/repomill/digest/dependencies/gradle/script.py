"""A Gradle script as words, strings and blocks, whether it is Groovy or Kotlin.

What both languages share is enough to find declarations: names, strings with ``${…}`` in them,
brackets, and lines. Sources: https://groovy-lang.org/syntax.html and
https://kotlinlang.org/docs/reference/grammar.html. Expressions beyond that are kept as tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

MAX_DEPTH = 100
"""Brackets within brackets. What people write is less than 20 deep."""
MAX_TOKENS = 50_000
"""Of a script. Ten times what a script of 1,000 lines has."""

_TOKEN = re.compile(
    r"""
    (?: [ \t\r\f\ufeff]++ | //[^\n]*+ | \\\r?\n )*+
    (?: (?P<name> [^\W\d]\w* | `[^`\n]*` )
      | (?P<line> \n\s* )
      | (?P<plain> "[^"\\$\n]*"(?!") | '[^'\\\n]*'(?!') )
      | (?P<number> \d[\w.]* )
      | (?P<string> ["'] | \$/ )
      | (?P<comment> /\* )
      | (?P<other> . ) )
    """,
    re.VERBOSE,
)
_PIECES = {quote: re.compile(rf"[^{quote}\\$\n]+") for quote in "\"'"}
_SLASHY = re.compile(r"/((?:[^/\\\n]|\\[^\n])*)/")
_BEFORE_SLASHY = frozenset("(,=:~[!&|?{\n")
_EXPRESSION = re.compile(r"\$(?:\{([^{}\n]{1,200})\}|([^\W\d]\w{0,99}(?:\.[^\W\d]\w{0,99}){0,5}))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CLOSED = frozenset(_CLOSING.values())
_ENDS = frozenset("\n;")
_GOES_ON_AFTER = frozenset(",=+.:?")
_GOES_ON_BEFORE = frozenset(".?")


class Token(NamedTuple):
    """A word of a script."""

    kind: str
    """``name``, ``number``, ``string``, or the character itself."""
    text: str
    parts: tuple[tuple[bool, str], ...] = ()
    """Of a string: whether it is an expression, and its text."""


_LINE = Token("\n", "\n")


@dataclass(slots=True)
class Group:
    """What is between brackets: statements between braces, else one."""

    kind: str
    statements: list[Statement] = field(default_factory=lambda: [[]])


Statement = list["Token | Group"]
Items = Sequence["Token | Group"]


def parse(text: str) -> list[Statement]:
    """Return the statements of *text*; a bracket that has no partner is passed over.

    Raises ManifestError where brackets are nested too deeply.

    >>> [[name, block]] = parse("dependencies { api 'a:b:1' }")
    >>> name.text, [token.text for token in block.statements[0]]
    ('dependencies', ['api', 'a:b:1'])
    """
    group = root = Group("{")
    statement = group.statements[-1]
    groups = [root]
    ended = False
    for token in _tokens(text):
        kind = token.kind
        if kind in _ENDS:
            ended = ended or kind == ";" or not _ends_in(statement, _GOES_ON_AFTER)
            continue
        if ended and statement and group.kind == "{" and kind not in _GOES_ON_BEFORE:
            statement = []
            group.statements.append(statement)
        ended = kind == ">" and _ends_in(statement, "-")  # parameters, or a condition
        if kind in _CLOSING:
            group = Group(kind)
            statement.append(group)
            groups.append(group)
            if len(groups) > MAX_DEPTH:
                raise ManifestError(f"more than {MAX_DEPTH} brackets within each other")
            statement = group.statements[-1]
        elif kind in _CLOSED:
            _close(groups, kind)
            group = groups[-1]
            statement = group.statements[-1]
        else:
            statement.append(token)
    return root.statements


def _ends_in(statement: Statement, kinds: Container[str]) -> bool:
    return bool(statement) and statement[-1].kind in kinds


def _close(groups: list[Group], closing: str) -> None:
    for place in range(len(groups) - 1, 0, -1):
        if _CLOSING[groups[place].kind] == closing:
            del groups[place:]
            return


def _tokens(text: str) -> Iterator[Token]:
    position, last, left = 0, "\n", MAX_TOKENS
    words: dict[str, Token] = {}
    next_token = _TOKEN.match
    while match := next_token(text, position):
        left -= 1
        if left < 0:
            raise ManifestError(f"more than {MAX_TOKENS} words")
        kind, position = match.lastgroup, match.end()
        if kind == "name":
            word = match["name"]
            token = words.get(word) or words.setdefault(word, Token("name", word.strip("`")))
        elif kind == "line":
            token = _LINE
        elif kind == "plain":
            content = match["plain"][1:-1]
            token = Token("string", content, ((False, content),))
        elif kind == "number":
            token = Token("number", match["number"])
        elif kind == "string":
            token, position = _string(text, match.start("string"), left)
            left -= len(token.parts)
        elif kind == "comment":
            end = text.find("*/", position)
            position = len(text) if end < 0 else end + 2
            continue
        elif match["other"] == "/" and last in _BEFORE_SLASHY:
            token, position = _slashy(text, match.start("other"))
        else:
            sign = match["other"]
            token = words.get(sign) or words.setdefault(sign, Token(sign, sign))
        last = token.kind
        yield token


def _slashy(text: str, start: int) -> tuple[Token, int]:
    """Return the string between slashes that begins at *start*, or a slash, and where it ends."""
    pattern = _SLASHY.match(text, start)
    if pattern:
        return Token("string", pattern[1], ((False, pattern[1]),)), pattern.end()
    return Token("/", "/"), start + 1


def _string(text: str, start: int, most: int) -> tuple[Token, int]:
    """Return the string that begins at *start*, and where it ends: at its line's end at last."""
    quote, position = text[start], start + 1
    if quote == "$":
        position += 1
        end = text.find("/$", position)
        content = text[position : end if end >= 0 else None]
        return Token("string", content, ((False, content),)), position + len(content) + 2
    whole = quote * 3
    if text.startswith(whole, start):
        position += 2
    else:
        whole = quote
    parts: list[tuple[bool, str]] = []
    while position < len(text) and not text.startswith(whole, position):
        if (text[position] == "\n" and whole == quote) or len(parts) > most:
            break
        part, position = _part(text, position, quote)
        parts.append(part)
    content = "".join(f"${{{part}}}" if is_expression else part for is_expression, part in parts)
    if text.startswith(whole, position):
        position += len(whole)
    return Token("string", content, tuple(parts)), position


def _part(text: str, position: int, quote: str) -> tuple[tuple[bool, str], int]:
    piece = _PIECES[quote].match(text, position)
    if piece:
        return (False, piece[0]), piece.end()
    if text[position] == "\\":
        escaped = text[position + 1 : position + 2]
        return (False, _ESCAPES.get(escaped, escaped)), position + 2
    if text[position] == "$" and quote == '"':
        expression = _EXPRESSION.match(text, position)
        if expression:
            return (True, expression[1] or expression[2]), expression.end()
    return (False, text[position]), position + 1


def names_of(items: Items) -> list[str]:
    """Return the names that *items* begin with, dots between them; none where there is no name.

    >>> names_of(parse("libs.spring.boot.get()")[0])
    ['libs', 'spring', 'boot', 'get']
    """
    found = []
    expected = "name"
    for item in items:
        if item.kind != expected or not isinstance(item, Token):
            break
        if expected == "name":
            found.append(item.text)
        expected = "." if expected == "name" else "name"
    return found


def split(items: Items, kind: str = ",") -> Iterator[Statement]:
    """Yield what stands between tokens of *kind*, if anything does."""
    piece: Statement = []
    for item in items:
        if item.kind == kind:
            if piece:
                yield piece
            piece = []
        else:
            piece.append(item)
    if piece:
        yield piece


def named(piece: Items, *signs: str) -> tuple[str, Items]:
    """Return name and value of ``name: value``, by one of *signs*; an empty name for no such.

    >>> name, value = named(parse("group: 'a'")[0], ":", "=")
    >>> name, value[0].text
    ('group', 'a')
    """
    match piece:
        case [Token(kind="name" | "string", text=name), Token() as sign, _, *_] if (
            sign.kind in signs or (sign.kind == "name" and sign.text in signs)
        ):
            return name, piece[2:]
    return "", piece


def blocks(items: Iterable[Token | Group]) -> Iterator[Group]:
    """Yield the blocks in *items*, also those between their brackets; not those in a block."""
    for item in items:
        if isinstance(item, Group):
            if item.kind == "{":
                yield item
            else:
                yield from blocks(item.statements[0])


def within(group: Token | Group, kind: str) -> Statement | None:
    """Return what is in *group*, if it is one of that *kind*."""
    if isinstance(group, Group) and group.kind == kind:
        return group.statements[0]
    return None
