"""The words of Scala: https://scala-lang.org/files/archive/spec/2.13/01-lexical-syntax.html."""

from __future__ import annotations

import re
from dataclasses import dataclass

from repomill.digest.dependencies.base import ManifestError


@dataclass(slots=True, eq=False)
class Token:
    """A word, and where it stands."""

    kind: str
    text: str
    starts_line: bool
    line: int


MAX_WORDS = 30_000
"""Of one file; sbt's own build, which is the largest known, has half as many."""
NOTHING = Token("end", "", starts_line=True, line=0)
"""What comes after the last word."""

_OPERATOR = r"[-+*/%=<>!&|^~?:#@\\]"
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f]++|\n\s*+|//[^\n]*+)
    |(?P<comment>/\*)
    |(?P<raw>[A-Za-z]*+\"\"\"(?:[^"]|\"(?!\"\"))*+\"*+)
    |(?P<string>"(?:[^"\\\n]|\\.)*+"?+
        |[A-Za-z]++"(?:[^"\\\n$]|\\.|\$(?:\{[^{}\n]*+\})?+)*+"?+)
    |(?P<name>[^\W\d][\w$]*+|\$[\w$]*+|`[^`\n]*+`?+)
    |(?P<open>[(\[{])|(?P<close>[)\]}])
    |(?P<mark>[.,;])
    |(?P<character>'(?:[^'\\\n]|\\.[0-9a-fA-F]{0,4}+)')
    |(?P<operator>(?:(?!//|/\*)"""
    + _OPERATOR
    + r""")++|[⇒←→])
    |(?P<number>\d[\w.]*+)
    |(?P<other>.)""",
    re.VERBOSE,
)
_COMMENT_ENDS = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(r"\\(.)")
_OVER = frozenset({"end", "close"})
_SEPARATORS = frozenset({",", ";"})
_CLOSES = {"(": ")", "[": "]", "{": "}"}


def tokens_of(text: str) -> list[Token]:
    """Return the words of *text*. Raises ManifestError where brackets do not match, or too many."""
    tokens: list[Token] = []
    starts_line, line, place = False, 1, 0
    opened: list[Token] = []
    while match := _TOKEN.match(text, place):
        kind, found, place = str(match.lastgroup), match.group(), match.end()
        if kind == "space":
            if found[0] == "\n":
                starts_line = True
                line += found.count("\n")
            continue
        if kind == "comment":
            place = _after_comment(text, place)
            line += text.count("\n", match.start(), place)
            continue
        token = Token(kind, found, starts_line, line)
        tokens.append(token)
        if len(tokens) > MAX_WORDS:
            raise ManifestError(f"it has more than {MAX_WORDS} words")
        starts_line = False
        if kind == "open":
            opened.append(token)
        elif kind == "close" and (not opened or _CLOSES[opened.pop().text] != found):
            raise ManifestError(f"line {line}: {found} closes nothing")
        elif kind == "raw":
            line += found.count("\n")
    if opened:
        raise ManifestError(f"{opened[-1].text} of line {opened[-1].line} is never closed")
    return tokens


def _after_comment(text: str, place: int) -> int:
    """Return where the comment ends whose inside begins at *place*: they nest."""
    depth = 1
    for match in _COMMENT_ENDS.finditer(text, place):
        depth += 1 if match.group() == "/*" else -1
        if not depth:
            return match.end()
    return len(text)


def unquoted(literal: str) -> str:
    """Return what stands between the quotes of *literal*, without its prefix."""
    inside = literal[literal.index('"') :]
    if inside.startswith('"""'):
        return inside[3:].removesuffix('"""')
    inside = inside[1:].removesuffix('"')
    return _ESCAPE.sub(r"\1", inside) if "\\" in inside else inside


class Cursor:
    """Goes through words one after the other; newlines end nothing in parentheses."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = [*tokens, NOTHING]
        self._place = 0
        self._token = self._tokens[0]
        self._text = self._token.text
        self._in_parentheses = False

    def _advance(self, count: int = 1) -> None:
        self._place = min(self._place + count, len(self._tokens) - 1)
        self._token = self._tokens[self._place]
        self._text = self._token.text

    def _take(self) -> str:
        text = self._text
        self._advance()
        return text

    def _starts_line(self) -> bool:
        """Whether a statement may end before the token: not in parentheses."""
        return self._token.starts_line and not self._in_parentheses

    def _is_over(self) -> bool:
        return self._token.kind in _OVER or self._text in _SEPARATORS

    def _skip_group(self) -> None:
        depth = 0
        while self._token is not NOTHING:
            depth += {"open": 1, "close": -1}.get(self._token.kind, 0)
            self._advance()
            if depth <= 0:
                return

    def _skip_type(self) -> None:
        """Go on to what cannot be part of a type."""
        first = self._place
        while not self._is_over() and self._text not in {"=", "=>", "{"}:
            if self._starts_line() and self._place > first:
                return
            if self._token.kind == "open":
                self._skip_group()
            else:
                self._advance()
