"""What expressions in a Ruby file are worth, as far as that is known without running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.rubygems.ruby_parameters import bind_item
from repomill.digest.dependencies.rubygems.ruby_syntax import part
from repomill.digest.dependencies.rubygems.ruby_values import (
    ASKED,
    ENV_ASKED,
    HERE,
    PATHS,
    Ask,
    Names,
    Pattern,
    Unknown,
    Value,
    is_true,
    sent,
)

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_STEPS = 50_000
"""Of one file; the longest known takes a fortieth of that."""
STEPS_OF_NONE = 5_000
STEPS_OF_BYTE = 2
"""A file takes half a step for each of its bytes, and some hundred besides."""
_MAX_STRING = 1_000
_MAX_VERBATIM = 60
_MAX_DIGITS = 6
_SLASHES = {"/": "/", "%r{": "}"}
"""What a regular expression begins and ends with."""


class Evaluator:
    """Works out expressions of one file; *names* are what its variables and constants hold."""

    def __init__(self, source: bytes, ask: Ask) -> None:
        self._source = source
        self._ask = ask
        self.steps = 0
        """That were taken."""
        self._most = min(MAX_STEPS, STEPS_OF_NONE + STEPS_OF_BYTE * len(source))
        self._forms: Mapping[str, Callable[[Node, Names], Value]] = {
            "text": self._text,
            "string": self._string,
            "array": lambda node, names: self.arguments(node, names)[0],
            "hash": lambda node, names: self.arguments(node, names)[1],
            "name": self._name,
            "binary": self._binary,
            "unary": self._negation,
            "conditional": self._conditional,
            "sequence": self._last,
            "assignment": self._assignment,
            "parenthesized_statements": self._only,
            "element_reference": self._element,
            "call": self._result,
            "regex": self._pattern,
        }

    def text(self, node: Node) -> str:
        """Return the source of *node*."""
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def step(self, count: int = 1) -> None:
        """Count what is done. Raises ManifestError where it is too much for so long a file."""
        self.steps += count
        if self.steps > self._most:
            raise ManifestError("is too long, or repeats itself too often, to be read")

    def count(self, values: Iterable[Value]) -> None:
        """Count *values* and all that they hold: so none grows beyond what can be gone through."""
        for value in values:
            self.step()
            if isinstance(value, tuple):
                self.count(value)
            elif isinstance(value, Mapping):
                self.count(value.values())

    def value(self, node: Node, names: Names) -> Value:
        """Return what an expression is worth."""
        self.step()
        if node.type in _LITERALS:
            return _LITERALS[node.type]
        evaluate = self._forms.get(_FORMS.get(node.type, node.type))
        return self._unknown(node) if evaluate is None else evaluate(node, names)

    def truth(self, node: Node, names: Names) -> bool | None:
        """Return whether a condition holds; None where that is not known."""
        value = self.value(node, names)
        return None if isinstance(value, Unknown) else is_true(value)

    def items(self, node: Node, names: Names) -> Sequence[Value]:
        """Return what ``each`` goes through; where that is not known, one thing unknown."""
        value = self.value(node, names)
        self.count((value,))
        if isinstance(value, Mapping):
            return tuple(value.items())
        return value if isinstance(value, tuple) else (Unknown(),)

    def arguments(
        self, node: Node | None, names: Names
    ) -> tuple[tuple[Value, ...], Mapping[str, Value]]:
        """Return the arguments that are known by their place, and those that are by name."""
        positional: list[Value] = []
        named: dict[str, Value] = {}
        for child in node.named_children if node is not None else ():
            if child.type == "pair":
                named.update(self._pair(child, names))
            elif child.type == "splat_argument":
                value = self._only(child, names)
                positional.extend(value if isinstance(value, tuple) else [self._unknown(child)])
            elif child.type not in {"block_argument", "comment"}:
                of_hash = child.type == "hash_splat_argument"
                value = self._only(child, names) if of_hash else self.value(child, names)
                if isinstance(value, Mapping):
                    named.update(value)
                elif not of_hash:
                    positional.append(value)
        self.count((tuple(positional), named))
        return tuple(positional), named

    def _pair(self, node: Node, names: Names) -> Iterator[tuple[str, Value]]:
        key, value = part(node, "key"), part(node, "value")
        name = None if key is None else self.value(key, names)
        if isinstance(name, str) and value is not None:
            yield name, self.value(value, names)

    def _unknown(self, node: Node) -> Unknown:
        if node.end_byte - node.start_byte > _MAX_VERBATIM:
            return Unknown()
        return Unknown(" ".join(self.text(node).split()))

    def _text(self, node: Node, _names: Names) -> Value:
        return self.text(node).removeprefix(":")

    def _element(self, node: Node, names: Names) -> Value:
        owner, index = part(node, "object"), node.named_children[-1]
        if owner is None or self.text(owner) == "ENV":
            return None if owner else self._unknown(node)
        key = self.value(index, names)
        if self.text(owner) == "Dir" and isinstance(key, str):
            return self._ask("Dir.glob", key)
        items = self.value(owner, names)
        if isinstance(items, tuple) and isinstance(key, str) and key.isdecimal():
            return items[int(key)] if len(key) < _MAX_DIGITS and int(key) < len(items) else None
        return self._unknown(node)

    def _string(self, node: Node, names: Names) -> Value:
        pieces: list[str] = []
        for child in node.named_children:
            piece = self._piece(child, names)
            if not isinstance(piece, str):
                return self._unknown(node)
            pieces.append(piece)
        joined = "".join(pieces)
        return joined if len(joined) <= _MAX_STRING else Unknown()

    def _pattern(self, node: Node, _names: Names) -> Value:
        source = self.text(node)
        for start, end in _SLASHES.items():
            if source.startswith(start) and source.endswith(end):
                return Pattern(source[len(start) : -len(end)])
        return self._unknown(node)

    def _piece(self, node: Node, names: Names) -> Value:
        if node.type == "string_content":
            return self.text(node)
        if node.type == "escape_sequence":
            return _ESCAPES.get(self.text(node), Unknown())
        return self._only(node, names) if node.type == "interpolation" else self.value(node, names)

    def _only(self, node: Node, names: Names) -> Value:
        inner = node.named_children
        return self.value(inner[0], names) if len(inner) == 1 else self._unknown(node)

    def _name(self, node: Node, names: Names) -> Value:
        text = self.text(node)
        return names[text] if text in names else HERE.get(text, self._unknown(node))

    def _binary(self, node: Node, names: Names) -> Value:
        left, right, operator = part(node, "left"), part(node, "right"), part(node, "operator")
        if left is None or right is None or operator is None:
            return self._unknown(node)
        first, sign = self.value(left, names), self.text(operator)
        if isinstance(first, Unknown):
            never = sign in {"&&", "and"} and self.truth(right, names) is False
            return False if never else self._unknown(node)
        if sign in _CHOICES:
            return self.value(right, names) if is_true(first) is _CHOICES[sign] else first
        second = self.value(right, names)
        if sign in {"==", "!="} and not isinstance(second, Unknown):
            self.count((first,))
            return (first == second) is (sign == "==")
        return self._unknown(node)

    def _negation(self, node: Node, names: Names) -> Value:
        operand, operator = part(node, "operand"), part(node, "operator")
        if operand is None or operator is None or self.text(operator) not in {"!", "not"}:
            return self._unknown(node)
        truth = self.truth(operand, names)
        return self._unknown(node) if truth is None else not truth

    def _conditional(self, node: Node, names: Names) -> Value:
        condition = part(node, "condition")
        truth = None if condition is None else self.truth(condition, names)
        branch = part(node, "consequence" if truth else "alternative")
        return self._unknown(node) if truth is None or branch is None else self.value(branch, names)

    def _last(self, node: Node, names: Names) -> Value:
        value: Value = None
        for child in node.named_children:
            if child.type != "comment":
                value = self.value(child, names)
        return value

    def _assignment(self, node: Node, names: Names) -> Value:
        left, right = part(node, "left"), part(node, "right")
        value = self._unknown(node) if right is None else self.value(right, names)
        if left is not None and left.type in {"identifier", "constant"}:
            names[self.text(left)] = value
        return value

    def _result(self, node: Node, names: Names) -> Value:
        """Return what a call gives back, of the few methods that matter here."""
        receiver, method = part(node, "receiver"), part(node, "method")
        if receiver is None or method is None:
            return self._unknown(node)
        name = self.text(method)
        if receiver.type in _CONSTANTS:
            return self._of_constant(node, f"{self.text(receiver)}.{name}", names)
        value = self.value(receiver, names)
        if isinstance(value, Unknown):
            return self._unknown(node)
        arguments = self.arguments(part(node, "arguments"), names)[0]
        self.count((value,))
        if isinstance(value, tuple) and name in _GOING_THROUGH:
            return self._made(value, name, part(node, "block"), names)
        result = sent(value, name, arguments)
        return self._unknown(node) if isinstance(result, Unknown) else result

    def _made(self, items: tuple[Value, ...], name: str, block: Node | None, names: Names) -> Value:
        """Return what ``select``, ``reject`` and ``map`` make of *items* by *block*."""
        parameters = None if block is None else part(block, "parameters")
        body = None if block is None else part(block, "body")
        if parameters is None or body is None or len(body.named_children) != 1:
            return Unknown()
        made: list[Value] = []
        for item in items:
            self.step(len(names))
            own = dict(names)
            bind_item(parameters, item, own, self)
            made.append(self.value(body.named_children[0], own))
        wanted = _GOING_THROUGH[name]
        if wanted is None:
            return tuple(made)
        if any(isinstance(one, Unknown) for one in made):
            return Unknown()
        return tuple(item for item, one in zip(items, made, strict=True) if is_true(one) is wanted)

    def _of_constant(self, node: Node, name: str, names: Names) -> Value:
        if name in ENV_ASKED:
            return False
        arguments = self.arguments(part(node, "arguments"), names)[0]
        texts = [argument for argument in arguments if isinstance(argument, str)]
        if name in PATHS and texts and len(texts) == len(arguments):
            return PATHS[name](texts)
        if name in ASKED and arguments and isinstance(arguments[0], str):
            return self._ask(name, arguments[0])
        if name != "ENV.fetch":
            return self._unknown(node)
        if len(arguments) > 1:
            return arguments[1]
        block = part(node, "block")
        body = None if block is None else part(block, "body")
        return self._unknown(node) if body is None else self._only(body, names)


_CONSTANTS: Final = frozenset({"constant", "scope_resolution"})
_LITERALS: Final = {"true": True, "false": False, "nil": None}
_GOING_THROUGH: Final = {
    **dict.fromkeys(["select", "filter"], True),
    "reject": False,
    **dict.fromkeys(["map", "collect"]),
}
"""Methods of lists → which truth of their block keeps an item; None where it makes another."""
_CHOICES: Final = {"||": False, "or": False, "&&": True, "and": True}
"""Operators → which truth of the left side lets the right one be the value."""
_ESCAPES: Final = {f"\\{character}": character for character in "\"'\\#/>)]}"}
_FORMS: Final = {
    "chained_string": "string",
    "bare_string": "string",
    "bare_symbol": "string",
    "delimited_symbol": "string",
    "simple_symbol": "text",
    "hash_key_symbol": "text",
    "integer": "text",
    "float": "text",
    "string_array": "array",
    "symbol_array": "array",
    "if": "conditional",
    "elsif": "conditional",
    "then": "sequence",
    "else": "sequence",
    "identifier": "name",
    "constant": "name",
}
"""Names of nodes → what they come to."""
