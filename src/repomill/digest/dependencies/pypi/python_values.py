"""What the expressions in a Python program stand for, as far as its text tells; nothing is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_STEPS = 200_000
"""Nodes looked at and values copied for one program: a list can be doubled on every line."""
STEPS_OF_NONE = 5_000
STEPS_OF_CHARACTER = 10
"""What a short program may take, of which there can be thousands."""


class Computed(str):
    """Text of which a part is not known: that part is written ``{name}``."""

    __slots__ = ()


class _Unknown:
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is made of the contents of a file, by whatever means."""

    path: str


UNKNOWN: object = _Unknown()
"""What cannot be told: as a value, as a member of a list, as a key and value of a dict."""

_TEXT_FILES = (".txt", ".in")
_COPIES = frozenset({"frozenset", "list", "set", "sorted", "tuple"})
_OF_TEXT: Mapping[str, Callable[[str], object]] = {
    "split": str.split,
    "splitlines": str.splitlines,
    "strip": str.strip,
}


class Values:
    """Values of names, and of expressions that are made of them.

    A value is a str, a list of values, a dict of values by str, or UNKNOWN. Raises ManifestError
    where to work one out takes too long.
    """

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.names: dict[Any, Any] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        self._left = steps

    def spend(self, steps: int) -> None:
        """Count *steps*. Raises ManifestError when they are too many."""
        self._left -= steps
        if self._left < 0:
            raise ManifestError("a program that is too long to work out")

    def of(self, node: ast.expr) -> object:
        """Return the value of *node*."""
        self.spend(1)
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name):
                return self.names.get(name, UNKNOWN)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self._list(parts)
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values)
            case ast.JoinedStr(values=parts):
                return self._joined([self._text(part) for part in parts])
        value = self._made(node)
        if isinstance(value, str | list):
            self.spend(len(value) // 8)
        return self._read(node) if value is UNKNOWN else value

    def _made(self, node: ast.expr) -> object:
        """Return the value of *node*, which does something with others."""
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.total(left, right)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._formatted(self.of(left), self.of(right))
            case ast.IfExp(body=body, orelse=other):
                return self.either(self.of(body), self.of(other))
            case ast.Subscript(value=owner, slice=index):
                found = self.of(owner)
                return found.get(self.key(index), UNKNOWN) if isinstance(found, dict) else UNKNOWN
            case ast.Call():
                return self._called(node)
        return UNKNOWN

    def _read(self, node: ast.expr) -> object:
        """Return the contents of the one text file that *node*, which calls or loops, names."""
        if not isinstance(node, ast.Call | ast.ListComp | ast.GeneratorExp | ast.BinOp):
            return UNKNOWN
        found = set()
        for part in ast.walk(node):
            self.spend(1)
            if isinstance(part, ast.Constant | ast.Name):
                value = self.of(part)
                if isinstance(value, str) and value.endswith(_TEXT_FILES):
                    value = Reading(value)
                if isinstance(value, Reading):
                    found.add(value)
        return found.pop() if len(found) == 1 else UNKNOWN

    def key(self, node: ast.expr | None) -> object:
        """Return the key of a dict that *node* stands for."""
        value = UNKNOWN if node is None else self.of(node)
        return str(value) if isinstance(value, str) else UNKNOWN

    def items(self, value: object) -> list[Any]:
        """Return the members of *value*, in a list of their own."""
        if not isinstance(value, list):
            return [value if isinstance(value, Reading) else UNKNOWN]
        self.spend(len(value))
        return list(value)

    def entries(self, value: object) -> dict[Any, Any]:
        """Return the keys and values of *value*, in a dict of their own."""
        if not isinstance(value, dict):
            return {UNKNOWN: UNKNOWN}
        self.spend(len(value))
        return dict(value)

    def either(self, before: object, after: object) -> object:
        """Return what there is if it is *before* or *after*: of lists and dicts, both."""
        if isinstance(before, dict) and isinstance(after, dict):
            return self.entries(before) | self.entries(after)
        if isinstance(before, list) or isinstance(after, list):
            return self.items(before) + self.items(after)
        return before if before == after else UNKNOWN

    def total(self, left: ast.expr, right: ast.expr) -> object:
        """Return the value of *left* ``+`` *right*."""
        first, second = self.of(left), self.of(right)
        if isinstance(first, list) or isinstance(second, list):
            return self.items(first) + self.items(second)
        if isinstance(first, str) or isinstance(second, str):
            return self._joined([_shown(first, left), _shown(second, right)])
        return UNKNOWN

    def keywords(self, given: Sequence[ast.keyword]) -> dict[Any, Any]:
        """Return the keyword arguments of a call."""
        values: dict[Any, Any] = {}
        for keyword in given:
            value = self.of(keyword.value)
            values |= self.entries(value) if keyword.arg is None else {keyword.arg: value}
        return values

    def _list(self, parts: Sequence[ast.expr]) -> list[Any]:
        members: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                members += self.items(self.of(part.value))
            else:
                members.append(self.of(part))
        return members

    def _dict(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, node in zip(keys, values, strict=True):
            value = self.of(node)
            found |= self.entries(value) if key is None else {self.key(key): value}
        return found

    def _text(self, part: ast.expr) -> str:
        node = part.value if isinstance(part, ast.FormattedValue) else part
        return _shown(self.of(node), node)

    def _joined(self, texts: Sequence[str]) -> str:
        whole = "".join(texts)
        self.spend(len(whole) // 8)
        return Computed(whole) if any(isinstance(text, Computed) for text in texts) else whole

    def _formatted(self, pattern: object, argument: object) -> object:
        if not isinstance(pattern, str):
            return UNKNOWN
        is_one = pattern.count("%") == pattern.count("%s") == 1
        if is_one and isinstance(argument, str) and not isinstance(argument, Computed):
            return self._joined([pattern.replace("%s", argument)])
        return Computed(pattern)

    def _called(self, call: ast.Call) -> object:
        value: object = UNKNOWN
        match call.func, call.args:
            case ast.Name(id="dict"), []:
                value = self.keywords(call.keywords)
            case ast.Name(id=name), [argument] if name in _COPIES:
                value = self._copied(self.of(argument))
            case ast.Name(id=name), [] if name in self.functions:
                value = self._returned(self.functions[name])
            case ast.Attribute(value=owner, attr="copy"), []:
                value = self._copied(self.of(owner))
            case ast.Attribute(value=owner, attr="format"), _:
                text = self.of(owner)
                value = Computed(text) if isinstance(text, str) else UNKNOWN
            case ast.Attribute(value=owner, attr=name), [] if name in _OF_TEXT:
                text = self.of(owner)
                value = _OF_TEXT[name](text) if type(text) is str else text
        return value

    def _copied(self, value: object) -> object:
        if isinstance(value, list):
            return self.items(value)
        return self.entries(value) if isinstance(value, dict) else value

    def _returned(self, function: ast.FunctionDef) -> object:
        """Return what *function* does, if that is all it does, below its docstring."""
        match function.body:
            case [ast.Return(value=ast.expr() as value)] | [
                ast.Expr(),
                ast.Return(value=ast.expr() as value),
            ]:
                return self.of(value)
        return UNKNOWN


def _shown(value: object, node: ast.expr) -> str:
    if isinstance(value, str):
        return value
    return Computed(f"{{{node.id}}}" if isinstance(node, ast.Name) else "{}")
