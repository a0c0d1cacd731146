"""Read a Ruby file as far as it can be read without running it: which methods it calls, with what.

The syntax tree is tree-sitter's. What hangs on the environment is read as in one where no variable
is set; where a condition cannot be decided, both of its branches are read.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest.dependencies.rubygems.ruby_expressions import Evaluator
from repomill.digest.dependencies.rubygems.ruby_parameters import bind, bind_item
from repomill.digest.dependencies.rubygems.ruby_syntax import first_error, parse, part
from repomill.digest.dependencies.rubygems.ruby_values import Ask, Names, Spend, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tree_sitter import Node

MAX_BYTES = 128 << 10
BYTES_OF_STEP = 4
"""That the parser reads in the time of one step."""
_BRANCHES = frozenset({"when", "then", "else"})
_IN_ORDER = frozenset({
    "then", "else", "ensure", "begin", "body_statement", "parenthesized_statements", "next",
    "return", "argument_list",
})  # fmt: skip
_MAX_DEPTH = 5
"""Of methods that call methods."""
_GUARDS = {"and": True, "&&": True, "or": False, "||": False}


MARK = "\0"
"""Stands for the argument of a block that is read for what it makes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a method as a statement; also ``a.b = c``, whose name is ``b=``."""

    name: str
    has_receiver: bool = False
    arguments: tuple[Value, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)
    """The arguments that have names."""
    within: tuple[Call, ...] = ()
    """The calls in whose blocks it stands, outermost first."""
    is_conditional: bool = False
    """Whether it depends on what cannot be decided here."""
    line: int = 1
    template: Value = None
    """Of ``git_source``: what its block makes of `MARK`."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a file says."""

    calls: tuple[Call, ...]
    problems: tuple[str, ...] = ()
    """What could not be read, by its line."""
    loads: bool = False
    """Whether it loads gemspecs or lists folders, and so says more where it is told of them."""


def read(text: str, ask: Ask | None = None, spend: Spend | None = None) -> Script:
    """Return the calls in *text*, in order. Raises ManifestError where it is no Ruby at all.

    *spend* is given the steps that it takes, with those of its bytes, and may raise ManifestError.

    >>> [(call.name, call.arguments) for call in read("%w[a b].each { |n| gem n }").calls]
    [('gem', ('a',)), ('gem', ('b',))]
    """
    asked: list[str] = []

    def asking(method: str, path: str) -> Value:
        asked.append(path)
        return Unknown() if ask is None else ask(method, path)

    source = text.encode("utf-8", "replace")
    spend = spend or _spend_nothing
    spend(len(source) // BYTES_OF_STEP)
    root = parse(source)
    evaluator = Evaluator(source, asking)
    reader = _Reader(evaluator)
    try:
        with suppress(_Next, _Return):
            reader.statements(root, {}, ())
    finally:
        spend(evaluator.steps)
    problems = reader.problems
    if root.has_error:
        line = first_error(root)
        problems = [f"line {line} is no Ruby that can be read, and is left out", *problems]
    return Script(tuple(reader.calls), tuple(problems), loads=bool(asked))


def _spend_nothing(_steps: int) -> None:
    pass


class _Next(Exception):  # noqa: N818 no error
    """A block is left."""


class _Return(Exception):  # noqa: N818 no error
    """A method is left."""


_LEAVING: Mapping[str, type[Exception]] = {"next": _Next, "return": _Return}


class _Reader:
    """Walks the statements of a file; *names* are what its variables and constants hold."""

    def __init__(self, values: Evaluator) -> None:
        self.calls: list[Call] = []
        self._values = values
        self.problems: list[str] = []
        self._methods: dict[str, Node] = {}
        self._undecided = 0
        self._depth = 0

    def statements(self, parent: Node, names: Names, within: tuple[Call, ...]) -> None:
        for child in parent.named_children:
            self.statement(child, names, within)

    def statement(self, node: Node, names: Names, within: tuple[Call, ...]) -> None:
        self._values.step()
        match node.type:
            case "call" | "identifier":
                self._call(node, names, within)
            case "assignment" | "operator_assignment":
                self._assign(node, names, within)
            case "if" | "unless" | "elsif" | "if_modifier" | "unless_modifier" | "conditional":
                self._branch(node, names, within)
            case "case" | "rescue":
                branches = [child for child in node.named_children if child.type in _BRANCHES]
                self._alternatives(branches, names, within)
            case "binary":
                self._guarded(node, names, within)
            case "method" if name := part(node, "name"):
                self._methods[self._values.text(name)] = node
            case "when" | "rescue_modifier" if body := part(node, "body"):
                self.statement(body, names, within)
            case kind if kind in _IN_ORDER:
                self.statements(node, names, within)
                if kind in _LEAVING:
                    raise _LEAVING[kind]

    def _call(self, node: Node, names: Names, within: tuple[Call, ...]) -> None:
        method = part(node, "method") if node.type == "call" else node
        receiver, block = part(node, "receiver"), part(node, "block")
        if method is None or (node.type == "identifier" and self._values.text(node) in names):
            return
        name = self._values.text(method)
        if block is not None and receiver is not None and name == "each":
            for item in self._values.items(receiver, names):
                self._block(block, item, names, within)
            return
        arguments, options = self._values.arguments(part(node, "arguments"), names)
        for around in within:
            self._values.count((around.arguments, around.options))
        is_source = block is not None and receiver is None and name == "git_source"
        call = Call(
            name=name,
            template=self._made(block, names) if is_source else None,
            has_receiver=receiver is not None,
            arguments=arguments,
            options=options,
            within=within,
            is_conditional=self._undecided > 0,
            line=node.start_point.row + 1,
        )
        self.calls.append(call)
        if receiver is None and name in self._methods:
            self._method(self._methods[name], call, names)
        if block is not None:
            self._values.step(len(within))
            self._block(block, Unknown(), names, (*within, call))

    def _block(self, block: Node, item: Value, names: Names, within: tuple[Call, ...]) -> None:
        """Read what stands in *block*, to which *item* is given."""
        parameters, body = part(block, "parameters"), part(block, "body")
        if parameters is not None:
            self._values.step(len(names))
            names = dict(names)  # those of a block end with it
            bind_item(parameters, item, names, self._values)
        if body is not None:
            with suppress(_Next):
                self.statements(body, names, within)

    def _made(self, block: Node | None, names: Names) -> Value:
        """Return what *block*, which holds one expression, makes of `MARK`."""
        parameters = None if block is None else part(block, "parameters")
        body = None if block is None else part(block, "body")
        if parameters is None or body is None or len(body.named_children) != 1:
            return Unknown()
        self._values.step(len(names))
        names = dict(names)
        bind_item(parameters, MARK, names, self._values)
        return self._values.value(body.named_children[0], names)

    def _method(self, method: Node, call: Call, names: Names) -> None:
        """Read what a method that the file defines does, as *call* calls it."""
        parameters, body = part(method, "parameters"), part(method, "body")
        if body is None:
            return
        if self._depth == _MAX_DEPTH:
            self.problems.append(f"line {call.line}: {call.name} is called too deeply to follow")
            return
        self._values.step(len(names))
        own = {name: value for name, value in names.items() if name[:1].isupper()}  # constants
        if parameters is not None:
            bind(parameters, call.arguments, call.options, own, self._values)
        self._depth += 1
        with suppress(_Next, _Return):
            self.statement(body, own, call.within)
        self._depth -= 1

    def _assign(self, node: Node, names: Names, within: tuple[Call, ...]) -> None:
        left, right = part(node, "left"), part(node, "right")
        if left is None or right is None:
            return
        targets = left.named_children if left.type == "left_assignment_list" else [left]
        if node.type == "operator_assignment" or len(targets) > 1:
            names.update(
                (self._values.text(target), Unknown(self._values.text(target)))
                for target in targets
            )
            return
        value = self._values.value(right, names)
        method = part(left, "method") if left.type == "call" else None
        if method is None:
            names[self._values.text(left)] = (
                Unknown(self._values.text(left)) if isinstance(value, Unknown) else value
            )
        else:
            name, line = f"{self._values.text(method)}=", node.start_point.row + 1
            call = Call(name=name, has_receiver=True, arguments=(value,), within=within, line=line)
            self.calls.append(call)

    def _branch(self, node: Node, names: Names, within: tuple[Call, ...]) -> None:
        condition = part(node, "condition")
        decided = None if condition is None else self._values.truth(condition, names)
        if decided is not None and node.type.startswith("unless"):
            decided = not decided
        yes = part(node, "consequence") or part(node, "body")
        no = part(node, "alternative")
        if decided is None:
            self._alternatives([yes, no], names, within)
        elif taken := yes if decided else no:
            self.statement(taken, names, within)

    def _guarded(self, node: Node, names: Names, within: tuple[Call, ...]) -> None:
        """Read ``condition and call``."""
        left, right, operator = part(node, "left"), part(node, "right"), part(node, "operator")
        needed = None if operator is None else _GUARDS.get(self._values.text(operator))
        if left is None or right is None or needed is None:
            return
        truth = self._values.truth(left, names)
        if truth is None:
            self._alternatives([right], names, within)
        elif truth is needed:
            self.statement(right, names, within)

    def _alternatives(
        self, branches: Sequence[Node | None], names: Names, within: tuple[Call, ...]
    ) -> None:
        """Read each of *branches*; a name is known afterwards if each leaves it as it was."""
        changed: set[str] = set()
        self._undecided += 1
        for branch in branches:
            if branch is not None:
                self._values.step(len(names))
                own = dict(names)
                with suppress(_Next, _Return):
                    self.statement(branch, own, within)
                changed.update(name for name in own if own[name] is not names.get(name))
        self._undecided -= 1
        names.update((name, Unknown(name)) for name in changed)
