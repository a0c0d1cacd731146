r"""Read what a Dockerfile builds on.

Source of the grammar: https://docs.docker.com/reference/dockerfile/, and BuildKit's parser where
that is silent: an instruction goes on over lines that end in the escape character, comments and
empty lines between them do not count, and the lines of a heredoc are no instructions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What BuildKit sets by itself, for the platform that most are built for.
_PLATFORM = {
    f"{whose}{part}": value
    for whose in ("TARGET", "BUILD")
    for part, value in {
        "PLATFORM": "linux/amd64",
        "OS": "linux",
        "ARCH": "amd64",
        "VARIANT": "",
    }.items()
}
_MAX_EXPANDED = 1000
"""Characters; more are no name of an image."""
MAX_STAGES = 1000
_MAX_NESTED = 10

_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(\S+)[ \t]*")
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""")
_HEREDOC = re.compile(r"""\d*<<(-?)(["']?)([^<"']+)\2""")
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(:?[-+?])?)", re.ASCII)
_QUOTES = re.compile("[\"']")
_FROM_OF_MOUNT = re.compile(r"(?:^|,)from=([^,]*)")


@dataclass(slots=True)
class Stage:
    """One stage of a build."""

    base: str
    """The image, or the name of an earlier stage; variables without a default stay as written."""
    name: str | None
    line: int
    copied_from: list[str] = field(default_factory=list)
    """Images and stages that files are taken from, or the numbers of stages."""


def stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile, in their order. Raises ManifestError past MAX_STAGES."""
    found: list[Stage] = []
    arguments = dict(_PLATFORM)
    for line, keyword, rest in _instructions(text):
        if keyword == "FROM":
            if stage := _stage(line, rest, arguments):
                found.append(stage)
                if len(found) > MAX_STAGES:
                    raise ManifestError(f"more than {MAX_STAGES} stages")
        elif keyword == "ARG" and not found:
            _set(rest, arguments)
        elif keyword == "COPY" and found:
            found[-1].copied_from += _flags(rest, "--from=")
        elif keyword == "RUN" and found:
            for mount in _flags(rest, "--mount="):
                found[-1].copied_from += _FROM_OF_MOUNT.findall(mount)
    return found


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line of each instruction, its keyword in capitals, and what follows that."""
    lines = text.split("\n")
    escape = _escape(lines)
    at = 0
    while at < len(lines):
        first = at + 1
        pieces: list[str] = []
        goes_on = True
        while goes_on and at < len(lines):
            line = lines[at].rstrip("\r") if pieces else lines[at].strip()
            at += 1
            stripped = line.strip()
            if stripped.startswith("#") or not stripped:
                goes_on = bool(pieces)
                continue
            piece = line.rstrip(" \t")
            goes_on = piece.endswith(escape) and not piece.endswith(escape * 2)
            pieces.append(piece[:-1] if goes_on else line)
        keyword, _, rest = "".join(pieces).strip().replace("\t", " ").partition(" ")
        if keyword:
            yield first, keyword.upper(), rest.strip()
            at = _after_heredocs(lines, at, keyword.upper(), rest)


def _escape(lines: list[str]) -> str:
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            return "\\"
        if found[1].lower() == "escape":
            return found[2] if found[2] == "`" else "\\"
    return "\\"


def _after_heredocs(lines: list[str], at: int, keyword: str, rest: str) -> int:
    if "<<" not in rest or keyword not in {"RUN", "COPY", "ADD"}:
        return at
    for word in _WORD.findall(rest):
        if found := _HEREDOC.fullmatch(word):
            while at < len(lines):
                line = lines[at].rstrip("\r")
                at += 1
                if (line.lstrip("\t") if found[1] else line) == found[3]:
                    break
    return at


def _stage(line: int, rest: str, arguments: Mapping[str, str]) -> Stage | None:
    words = [word for word in rest.split() if not word.startswith("--")]
    if not words:
        return None
    named = len(words) > 2 and words[1].upper() == "AS"  # noqa: PLR2004 FROM image AS name
    return Stage(
        base=expand(_QUOTES.sub("", words[0]), arguments),
        name=words[2].lower() if named else None,
        line=line,
    )


def _set(rest: str, arguments: dict[str, str]) -> None:
    for word in _WORD.findall(rest):
        name, given, value = word.partition("=")
        if given:
            expanded = expand(_QUOTES.sub("", value), arguments)
            arguments[name] = expanded if len(expanded) <= _MAX_EXPANDED else f"${name}"


def _flags(rest: str, flag: str) -> Iterator[str]:
    """Yield the value of each *flag* before the instruction's arguments."""
    for word in rest.split():
        if not word.startswith("--"):
            return
        if word.startswith(flag):
            yield _QUOTES.sub("", word.removeprefix(flag))


def expand(text: str, variables: Mapping[str, str], depth: int = 0) -> str:
    """Return *text* with the values of *variables*, or the defaults that it gives itself.

    A variable that has neither stays as it is written, and so does what would grow too long.

    >>> expand("ruby:${VERSION:-3.3}-$FLAVOUR", {"FLAVOUR": "slim"})
    'ruby:3.3-slim'
    >>> expand("$REGISTRY/app", {})
    '$REGISTRY/app'
    """
    pieces = []
    start = length = 0
    while (found := _VARIABLE.search(text, start)) and length <= _MAX_EXPANDED:
        pieces.append(text[start : found.start()])
        start, value = _value(text, found, variables, depth)
        pieces.append(value)
        length += len(pieces[-1]) + len(pieces[-2])
    whole = "".join(pieces) + text[start:]
    return whole if len(whole) <= _MAX_EXPANDED else text


def _value(
    text: str, found: re.Match[str], variables: Mapping[str, str], depth: int
) -> tuple[int, str]:
    """Return where the variable *found* ends, and what stands for it."""
    name, operator = found[1] or found[2], found[3]
    if not found[2]:
        return found.end(), found[0] if name is None else variables.get(name, found[0])
    end = _closing(text, found.end())
    written = text[found.start() : end]
    if operator is None:
        plain = written == f"${{{name}}}"
        return end, variables.get(name, written) if plain else written
    value = variables.get(name)
    usable = bool(value) if operator.startswith(":") else value is not None
    if operator[-1] == "-" and not usable and depth < _MAX_NESTED:
        return end, expand(text[found.end() : end - 1], variables, depth + 1)
    if operator[-1] == "+" and depth < _MAX_NESTED:
        alternative = text[found.end() : end - 1]
        return end, expand(alternative, variables, depth + 1) if usable else ""
    return end, written if value is None else value


def _closing(text: str, start: int) -> int:
    """Return where the brace ends that stands open before *start*."""
    depth = 1
    for found in re.finditer(r"[{}]", text[start : start + _MAX_EXPANDED]):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return start + found.end()
    return len(text)
