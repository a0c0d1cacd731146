"""What values in a Ruby file are, and what the few methods that matter here give of them.

What hangs on the environment is worth what it is where no variable is set. Paths are relative to
the folder of the file read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only running the file would tell."""

    source: str = ""
    """The expression, if it is short."""


@dataclass(frozen=True, slots=True)
class FileText:
    """What the file at *path* holds."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """An object of which is known what some of its methods give."""

    methods: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, as written."""

    source: str


Value: TypeAlias = (
    "str | bool | tuple[Value, ...] | Mapping[str, Value]"
    " | FileText | Pattern | Record | Unknown | None"
)
"""Symbols and numbers are strings here."""
Names: TypeAlias = dict[str, Value]
Ask: TypeAlias = Callable[[str, str], Value]
"""Gives what one of ASKED says of a path or a pattern in the repository, if that is known."""
Spend: TypeAlias = Callable[[int], None]


def is_true(value: Value) -> bool:
    """Return whether *value*, which is known, is true in a condition."""
    return value is not None and value is not False


def sent(receiver: Value, method: str, arguments: Sequence[Value]) -> Value:
    """Return what *receiver* gives when it is sent the name of a method.

    >>> sent(("a", "b"), "include?", ["b"]), sent("a", "upcase", [])
    (True, Unknown(source=''))
    """
    match receiver:
        case Record():
            return receiver.methods.get(method, Unknown())
        case str() | tuple() if method in _SAME[type(receiver)]:
            return receiver
        case tuple() if method == "include?" and len(arguments) == 1:
            return _includes(receiver, arguments[0])
        case tuple() if method == "sort" and all(isinstance(one, str) for one in receiver):
            return tuple(sorted(receiver, key=str))
        case str() if method == "match" and arguments and isinstance(arguments[0], Pattern):
            return _matched(arguments[0], receiver)
    return Unknown()


def _includes(items: tuple[Value, ...], item: Value) -> Value:
    if not isinstance(item, str):
        return Unknown()
    return item in items or (Unknown() if any(isinstance(one, Unknown) for one in items) else False)


def _matched(pattern: Pattern, text: str) -> Value:
    r"""Return the match and its group, if *pattern* is so simple that it takes no time to try.

    >>> sent("../b3/lib/version.rb", "match", [Pattern(r"b(\w+)/lib")])
    ('b3/lib', '3')
    """
    if not _SIMPLE.fullmatch(pattern.source) or len(text) > _MAX_MATCHED:
        return Unknown()
    found = re.search(pattern.source, text)
    return (found[0], found[1]) if found else None


def _join(paths: list[str]) -> Value:
    return posixpath.normpath("/".join(paths))


def _expand(paths: list[str]) -> Value:
    """Return the first path as the second, a folder, has it."""
    return posixpath.normpath(posixpath.join(*reversed(paths)))


def _basename(path: str, suffix: str = "") -> Value:
    return posixpath.basename(path.rstrip("/")).removesuffix(suffix)


_SAME: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset({"strip", "chomp", "to_s", "to_str", "to_sym", "freeze", "dup"}),
    tuple: frozenset({"to_a", "as_list", "freeze", "dup"}),
}
"""Methods that give what they are sent to."""
_SIMPLE: Final = re.compile(r"(?:[\w/ -]|\\[./-])*\((?:\\w|\[\^/\])\+\)(?:[\w/ -]|\\[./-])*")
_MAX_MATCHED: Final = 300
HERE: Final = {"__dir__": ".", "__FILE__": "./this"}
ENV_ASKED: Final = frozenset({"ENV.key?", "ENV.has_key?", "ENV.include?", "ENV.member?"})
LOADERS: Final = frozenset({
    "Bundler.load_gemspec", "Bundler.load_gemspec_uncached", "Gem::Specification.load",
})  # fmt: skip
ASKED: Final = LOADERS | {"Dir.entries", "Dir.children", "Dir.glob", "File.directory?"}
PATHS: Final[Mapping[str, Callable[[list[str]], Value]]] = {
    "File.join": _join,
    "File.expand_path": _expand,
    "File.dirname": lambda paths: posixpath.dirname(paths[0]) or ".",
    "File.basename": lambda paths: _basename(*paths[:2]),
    "File.read": lambda paths: FileText(paths[0]),
    "IO.read": lambda paths: FileText(paths[0]),
}
