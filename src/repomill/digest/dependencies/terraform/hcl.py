"""Find blocks in HashiCorp's configuration language, and no more than is asked for.

Source of the grammar: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md. A file is not
parsed: the blocks wanted are found by the start of their first line, and only what stands in them
is read. tree-sitter's grammar takes ten times as long, for a tree that is then searched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRING = r'"[^"\\$%\n]*"'
_TOKEN = re.compile(rf'{_STRING}|"|#|//|\{{|\}}')
_HIDING = re.compile(rf'{_STRING}|"|#|//|/\*|<<-?([^\W\d][\w-]*)\r?\n')
# Between what opens or closes something in a quoted template, or in an expression within it.
_TEMPLATE = re.compile(r'\\.|\$\$\{|%%\{|[$%]\{|"|\n')
_EXPRESSION = re.compile(r'["{}\n]')
_FLAT = re.compile(r'\{[^{}"#/]*\}')
_ARGUMENT = re.compile(r'\n[ \t]*(source|version)[ \t]*=[ \t]*"([^"\n]*)"')
_SOURCE = re.compile(r"\n[ \t]*source[ \t]*=")
_ATTRIBUTE = re.compile(r'(?:^|[\n,{])[ \t]*"?([\w-]+)"?[ \t]*[=:][ \t]*"([^"\n]*)"')


@dataclass(frozen=True, slots=True)
class Body:
    """What stands between two braces."""

    text: str
    """Without what is in braces of its own; a comment takes whole lines, or ends one."""
    inner: dict[str, int]
    """What is written before each inner brace, on its line → where what it opens begins."""
    end: int

    def address(self) -> tuple[str, str]:
        """Return ``source`` and ``version`` of a block, whose arguments begin lines of their own.

        Empty where there is none, or where it is no string in quotes.
        """
        arguments = dict(_ARGUMENT.findall(f"\n{self.text}"))
        return arguments.get("source", ""), arguments.get("version", "")

    @property
    def has_source(self) -> bool:
        """Whether there is a ``source``, be it no string."""
        return _SOURCE.search(f"\n{self.text}") is not None

    def attributes(self) -> dict[str, str]:
        """Return the attributes that are strings in quotes: of an object, or of a block."""
        return dict(_ATTRIBUTE.findall(self.text))


def plain(text: str) -> str:
    """Return *text* without the comments and heredocs that could hide a block, or look like one."""
    if "/*" not in text and "<<" not in text:
        return text
    pieces: list[str] = []
    kept = start = 0
    while found := _HIDING.search(text, start):
        sign, start = found[0], found.end()
        if sign == '"':
            start = _after_string(text, start)
        elif sign[0] != '"':
            pieces += text[kept : found.start()], '""' if found[1] else ""
            kept = start = _after_hidden(text, found)
    return "".join(pieces) + text[kept:]


def _after_hidden(text: str, found: re.Match[str]) -> int:
    """Return where a comment or a heredoc ends; one that never does, ends with the text."""
    if found[1] is None:
        end = text.find("*/" if found[0] == "/*" else "\n", found.end())
        return len(text) if end < 0 else end + (2 if found[0] == "/*" else 0)
    start = found.end()
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text[start:end].strip() == found[1]:
            return end
        start = end + 1
    return len(text)


def blocks(text: str, header: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Body]]:
    """Yield what matches *header*, to its opening brace, and the body that follows.

    *text* is plain. Blocks are those that begin on a line of their own, which is where all but
    the contrived ones do.
    """
    start = closing = 0
    while found := header.search(text, start):
        body = None
        if closing <= found.end():  # each is tried once: a block that is no such costs little
            closing = text.find("\n}", found.end())
            closing = len(text) if closing < 0 else closing
            body = _shallow(text, found.end(), closing)
        body = body or body_at(text, found.end())
        start = body.end
        yield found, body


def _shallow(text: str, start: int, end: int) -> Body | None:
    """Return the body from *start* to *end*, the first line that begins with a closing brace.

    It is one where no brace is left in between, once those have gone that hold neither strings
    nor comments nor braces. Most modules are such, and need not be taken apart.
    """
    inside = text[start:end]
    if end == len(text) or "${" in inside:
        return None
    if "{" in inside:
        inside = _FLAT.sub("", inside)
    return None if "{" in inside or "}" in inside else Body(inside, {}, end + 2)


def body_at(text: str, start: int) -> Body:
    """Return the body whose opening brace stands before *start*; it may lack the closing one.

    >>> body_at('{ source = "./vpc" # { }', 1).attributes()
    {'source': './vpc'}
    """
    pieces = []
    inner: dict[str, int] = {}
    depth, kept = 1, start
    position = start
    while depth and (found := _TOKEN.search(text, position)):
        sign, position = found[0], found.end()
        if sign == "{":
            depth += 1
            if depth == 2:  # noqa: PLR2004 of what is one deeper only the beginning counts
                piece = text[kept : found.start()]
                pieces.append(piece)
                inner.setdefault(piece.rpartition("\n")[2].strip(" \t,"), position)
        elif sign == "}":
            depth -= 1
            if depth == 1:
                kept = position
        elif sign == '"':
            position = _after_string(text, position)
        elif sign[0] != '"':
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
            if depth == 1:
                pieces.append(text[kept : found.start()])
                kept = position
    end = position if depth == 0 else len(text)
    if depth <= 1:
        pieces.append(text[kept : end - 1 if depth == 0 else end])
    return Body("".join(pieces), inner, end)


def _after_string(text: str, start: int) -> int:
    """Return where the string ends whose quote stands before *start*, templates in it and all.

    One that is not closed ends with its line.
    """
    closing = ['"']  # what closes each thing that is open, innermost last
    position = start
    while closing:
        expression = _TEMPLATE if closing[-1] == '"' else _EXPRESSION
        found = expression.search(text, position)
        if found is None:
            return len(text)
        sign, position = found[0], found.end()
        if sign == "\n":
            if closing == ['"']:
                return found.start()
        elif sign == closing[-1]:
            closing.pop()
        elif sign in {"${", "%{", "{"}:
            closing.append("}")
        elif sign == '"':
            closing.append('"')
    return position
