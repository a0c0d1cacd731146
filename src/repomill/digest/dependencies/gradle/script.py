"""A Gradle script as words, strings and blocks, whether it is Groovy or Kotlin.

What both languages share is enough to find declarations: names, strings with ``${…}`` in them,
brackets, and lines. Sources: https://groovy-lang.org/syntax.html and
https://kotlinlang.org/docs/reference/grammar.html. Expressions beyond that are kept as tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

MAX_DEPTH = 100
"""Brackets within brackets. What people write is less than 20 deep."""
MAX_TOKENS = 50_000
"""Of a script. Ten times what a script of 1,000 lines has."""
MAX_PARTS = 50_000
"""Of all strings of a script: about as many as it has dollars and backslashes."""

_BLANKS = r"[ \t\r\f\ufeff]*+"
_IGNORED = r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|\\\r?\n"
_ESCAPED = r"\\[\s\S]?"
_IN_TEXT = rf"{_ESCAPED}|\$(?:\{{[^{{}}\n]{{1,200}}+\}})?+"
_MAX_INDENTED = 60
"""Blanks before a pattern: between it and the sign before it, or the beginning of its line."""
_AFTER_SIGN = "|".join(
    rf"(?<=[(,=:~\[!&|?{{\n][ \t]{{{blanks}}})" for blanks in range(_MAX_INDENTED)
)
_WORDS = {
    "name": r"[^\W\d]\w*+|`[^`\n]*+`",
    "sign": r"[\]\[(){},.=;:]",
    "line": r"\n\s*+",
    "string": rf'"(?!"")(?:[^"\\$\n]++|{_IN_TEXT})*+"?',
    "plain string": rf"'(?!'')(?:[^'\\\n]++|{_ESCAPED})*+'?",
    "number": r"\d[\w.]*+",
    "text": rf'"""(?:[^"\\$]++|{_IN_TEXT}|"(?!""))*+(?:""")?',
    "plain text": rf"\'\'\'(?:[^'\\]++|{_ESCAPED}|'(?!''))*+(?:\'\'\')?",
    "pattern": rf"(?=/)(?:\A|{_AFTER_SIGN})/(?:[^/\\\n]++|\\[^\n])*+/",
    "text of patterns": r"\$/(?:[^/]++|/(?!\$))*+(?:/\$)?",
    "other sign": r".",
    "end": r"\Z",
}
_WORD = re.compile(rf"{_BLANKS}(?:(?:{_IGNORED}){_BLANKS})*+({'|'.join(_WORDS.values())})")
_PIECES = {
    '"': re.compile(r'[^"\\$]++'),
    "'": re.compile(r"[^'\\]++"),
    '"""': re.compile(r'(?:[^"\\$]++|"(?!""))++'),
    "'''": re.compile(r"(?:[^'\\]++|'(?!''))++"),
}
_ENDS_OF_PARTS = "$\\"
_MAX_SHORT = 60
"""Characters of a word that is kept for the scripts after it."""
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
    statements: list[Statement]


Statement = list["Token | Group"]
Items = Sequence["Token | Group"]


def parse(text: str) -> list[Statement]:
    """Return the statements of *text*; a bracket that has no partner is passed over.

    Raises ManifestError where brackets are nested too deeply.

    >>> [[name, block]] = parse("dependencies { api 'a:b:1' }")
    >>> name.text, [token.text for token in block.statements[0]]
    ('dependencies', ['api', 'a:b:1'])
    """
    return [statement for depth, statement in parse_with_inner(text) if not depth]


def parse_with_inner(text: str) -> list[tuple[int, Statement]]:
    """Return the statements of *text* and of its blocks, and in how many blocks each is.

    They are in the order of the text; those between braces alone are statements. Raises
    ManifestError like `parse`.

    >>> [(depth, statement[0].text) for depth, statement in parse_with_inner("a { b { c } }; d")]
    [(0, 'a'), (1, 'b'), (2, 'c'), (0, 'd')]
    """
    statement: Statement = []
    group = Group("{", [statement])
    found = [(0, statement)]
    groups, depth = [group], 0
    ended = False
    for token in _tokens(text):
        kind = token.kind
        if kind in _ENDS:
            ended = ended or kind == ";" or not _ends_in(statement, _GOES_ON_AFTER)
            continue
        if ended and statement and group.kind == "{" and kind not in _GOES_ON_BEFORE:
            statement = []
            group.statements.append(statement)
            found.append((depth, statement))
        ended = kind == ">" and _ends_in(statement, "-")  # parameters, or a condition
        if kind in _CLOSING:
            inner: Statement = []
            group = Group(kind, [inner])
            statement.append(group)
            groups.append(group)
            if len(groups) > MAX_DEPTH:
                raise ManifestError(f"more than {MAX_DEPTH} brackets within each other")
            statement = inner
            if kind == "{":
                depth += 1
                found.append((depth, statement))
        elif kind in _CLOSED:
            depth -= _close(groups, kind)
            group = groups[-1]
            statement = group.statements[-1]
        else:
            statement.append(token)
    return found


def _ends_in(statement: Statement, kinds: Container[str]) -> bool:
    return bool(statement) and statement[-1].kind in kinds


def _close(groups: list[Group], closing: str) -> int:
    """Take the group that *closing* ends from *groups*, and those in it; return how many blocks."""
    if len(groups) > 1 and _CLOSING[groups[-1].kind] == closing:
        return groups.pop().kind == "{"
    for place in range(len(groups) - 1, 0, -1):
        if _CLOSING[groups[place].kind] == closing:
            count = sum(group.kind == "{" for group in groups[place:])
            del groups[place:]
            return count
    return 0


def _tokens(text: str) -> Iterator[Token]:
    words = _WORD.findall(text)
    if len(words) > MAX_TOKENS:
        raise ManifestError(f"more than {MAX_TOKENS} words")
    if sum(map(text.count, _ENDS_OF_PARTS)) > MAX_PARTS:
        raise ManifestError(f"more than {MAX_PARTS} parts of strings")
    known = {word: _token(word) for word in set(words)}
    return map(known.__getitem__, words)


def _token(word: str) -> Token:
    return _short_token(word) if len(word) <= _MAX_SHORT else _new_token(word)


def _new_token(word: str) -> Token:
    first = word[:1]
    if first in {"", "\n"}:
        return _LINE
    if first in "\"'":
        return _string(word)
    is_long = len(word) > 1
    if first in "/$" and is_long:
        content = word[1:-1] if first == "/" else word[2:].removesuffix("/$")
        return Token("string", content, ((False, content),))
    if first.isdecimal():
        return Token("number", word)
    if is_long or first == "_" or first.isalnum():
        return Token("name", word.strip("`"))
    return Token(word, word)


_short_token = lru_cache(maxsize=1 << 14)(_new_token)


def _string(word: str) -> Token:
    """Return the string that *word* is, in its quotes; the last of them may be missing."""
    quote = word[0]
    whole = quote * 3 if word.startswith(quote * 3) else quote
    position = len(whole)
    parts: list[tuple[bool, str]] = []
    plain: list[str] = []
    while position < len(word) and not word.startswith(whole, position):
        (is_expression, text), position = _part(word, position, whole)
        if is_expression:
            parts += [(False, "".join(plain)), (True, text)] if plain else [(True, text)]
            plain = []
        else:
            plain.append(text)
    if plain:
        parts.append((False, "".join(plain)))
    content = "".join(f"${{{part}}}" if is_expression else part for is_expression, part in parts)
    return Token("string", content, tuple(parts))


def _part(text: str, position: int, quotes: str) -> tuple[tuple[bool, str], int]:
    piece = _PIECES[quotes].match(text, position)
    if piece:
        return (False, piece[0]), piece.end()
    if text[position] == "\\":
        escaped = text[position + 1 : position + 2]
        return (False, _ESCAPES.get(escaped, escaped)), position + 2
    expression = _EXPRESSION.match(text, position)  # at a dollar
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
