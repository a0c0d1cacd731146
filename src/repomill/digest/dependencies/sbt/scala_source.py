"""Read Scala as far as builds are written in it.

The grammar is that of the language specification (https://scala-lang.org/files/archive/spec/2.13/,
chapters 1, 6 and 13). The published tree-sitter grammar is not used: an unclosed ``[`` makes it
take minutes. Everything here is read in one pass, in time that grows as the text does; what is
not understood is passed over.
"""

from __future__ import annotations

import re

from repomill.digest.dependencies.sbt.scala_tokens import (
    NOTHING,
    Cursor,
    Token,
    tokens_of,
    unquoted,
)
from repomill.digest.dependencies.sbt.scala_tree import (
    Block,
    Call,
    Case,
    Definition,
    If,
    Infix,
    Lambda,
    Match,
    Name,
    Node,
    Scope,
    Select,
    Several,
    Text,
)


def parse(text: str) -> Block:
    """Return the statements of *text*. Raises ManifestError where brackets do not match."""
    return _Reader(tokens_of(text)).file()


_PARTS = re.compile(r"\$\$|\$\{\s*+([\w$.\s]*+)\}|\$([^\W\d]\w*+)|\$\{?")
_ENDS = frozenset({"else", "then", "yield", "catch", "finally", "do", "extends", "with", "case"})
_MODIFIERS = frozenset(
    {"private", "protected", "override", "implicit", "lazy", "final", "sealed", "abstract", "case"}
    | {"given", "inline", "opaque", "open", "transparent"}
)
_STARTS = frozenset(
    {"private", "protected", "override", "implicit", "lazy", "final", "sealed", "abstract"}
    | {"val", "var", "def", "object", "class", "trait", "enum", "type", "import", "package"}
    | {"if", "for", "while", "try", "new", "return", "throw"}
)
_PRECEDENCE = {"|": 2, "^": 3, "&": 4, "=": 5, "!": 5, "<": 6, ">": 6, ":": 7, "+": 8, "-": 8}
_PRECEDENCE |= {"*": 9, "/": 9, "%": 9}
_LETTERS = 1
_ASSIGNMENT = 0


class _Reader(Cursor):
    """Reads statements and expressions by their operators' precedence; skips what it cannot."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self._scope = Scope(None, is_local=False)
        self._opened = -1
        """Where the innermost block's first statement begins."""

    def file(self) -> Block:
        block = Block(self._scope)
        while self._token is not NOTHING:
            self._statement_of(block)
        return block

    # Statements

    def _block(self, bases: list[str] | None = None) -> Block:
        """Read what stands between braces; *bases* where it is the inside of an object."""
        outer, self._scope = self._scope, Scope(self._scope, self._scope.is_local, bases or [])
        was_in_parentheses, self._in_parentheses = self._in_parentheses, False
        block = Block(self._scope, is_template=bases is not None)
        self._advance()
        self._opened = self._place
        while self._token is not NOTHING and self._text != "}":
            self._statement_of(block)
        self._advance()
        self._scope, self._in_parentheses = outer, was_in_parentheses
        return block

    def _statement_of(self, block: Block) -> None:
        first = self._place
        self._skip_annotations()
        if self._text == "case" and not self._is_class():
            block.cases.append(self._case())
        else:
            node = self._statement()
            if node is not None:
                block.statements.append(node)
        if self._place == first:
            self._advance()

    def _is_class(self) -> bool:
        following = self._tokens[self._place + 1 : self._place + 2]
        return bool(following) and following[0].text in {"class", "object"}

    def _skip_annotations(self) -> None:
        while self._text == "@":
            self._advance(2)
            while self._token.kind == "open" and not self._token.starts_line:
                self._skip_group()

    def _skip_modifiers(self) -> None:
        while self._text in _MODIFIERS:
            following = self._tokens[self._place + 1 : self._place + 2]
            if not following or (following[0].kind != "name" and following[0].text != "["):
                return
            self._advance()
            if self._text == "[":
                self._skip_group()

    def _statement(self) -> Node | None:
        self._skip_modifiers()
        keyword = self._text
        if keyword in {"val", "var", "def"}:
            return self._definition(self._take())
        if keyword in {"object", "class", "trait", "enum"}:
            return self._template(self._take())
        if keyword not in {"import", "package", "type"}:
            return None if self._is_over() else self._expression()
        self._advance()
        if keyword == "import":
            self._import()
        elif self._text != "object":
            self._skip_type()
            if self._text == "=":
                self._advance()
                self._skip_type()
        return None

    def _definition(self, keyword: str) -> Definition:
        name = self._take().strip("`") if self._token.kind in {"name", "operator"} else ""
        parameters: list[tuple[str, Node | None]] = []
        while self._token.kind == "open" and self._text != "{":
            if self._text == "(" and keyword == "def":
                parameters += self._parameters()
            else:
                self._skip_group()
        if self._text == ":":
            self._advance()
        self._skip_type()
        definition = Definition(name, self._scope, parameters, Several([]))
        outer, self._scope = self._scope, Scope(self._scope, is_local=keyword == "def")
        self._scope.is_local = self._scope.is_local or outer.is_local
        definition.body = self._body()
        self._scope = outer
        outer.names[name] = definition
        return definition

    def _body(self) -> Node:
        if self._text == "{":
            return self._block()
        if self._text != "=":
            return Several([])
        self._advance()
        return self._expression()

    def _parameters(self) -> list[tuple[str, Node | None]]:
        parameters: list[tuple[str, Node | None]] = []
        was_in_parentheses, self._in_parentheses = self._in_parentheses, True
        self._advance()
        while self._token is not NOTHING and self._text != ")":
            self._skip_annotations()
            self._skip_modifiers()
            if self._text in {"implicit", "using", ","}:
                self._advance()
            else:
                parameters.append(self._parameter())
        self._advance()
        self._in_parentheses = was_in_parentheses
        return parameters

    def _parameter(self) -> tuple[str, Node | None]:
        name = self._take()
        while not self._is_over() and self._text != "=":
            if self._token.kind == "open":
                self._skip_group()
            else:
                self._advance()
        if self._text != "=":
            return name, None
        self._advance()
        return name, self._expression()

    def _template(self, keyword: str) -> Definition:
        name = self._take().strip("`")
        bases = self._bases()
        block = self._block(bases) if self._text == "{" else None
        if block is None:
            block = Block(Scope(self._scope, self._scope.is_local, bases), is_template=True)
        definition = Definition(name, self._scope, [], block)
        if keyword == "object" or name not in self._scope.names:
            self._scope.names[name] = definition
        return definition

    def _bases(self) -> list[str]:
        """Read what stands before an object's braces, and return the types it extends."""
        bases: list[str] = []
        while not self._is_over() and self._text != "{":
            if self._starts_line() and self._text not in {"extends", "with"}:
                break
            if self._token.kind == "open":
                self._skip_group()
                continue
            text = self._take()
            if text == ".":
                bases = bases[:-1]
            elif text[0].isalpha() and text not in {"extends", "with", "private", "derives"}:
                bases.append(text)
        return bases

    def _import(self) -> None:
        """Note what names come in; of ``a.{b => c}``, all of ``a``."""
        path: list[str] = []
        while self._token is not NOTHING and self._text not in {";", "}"}:
            if self._token.starts_line and self._tokens[self._place - 1].text not in {",", "."}:
                break
            if self._token.kind == "open":
                self._skip_group()
                path.append("_")
                continue
            text = self._take()
            if text == ",":
                self._scope.imports.append(path[:-1])
                path = []
            elif text != ".":
                path.append(text)
        self._scope.imports.append(path[:-1])

    def _case(self) -> Case:
        self._advance()
        literals: list[str] | None = []
        while self._text not in {"=>", "⇒", "}"} and self._token is not NOTHING:
            if self._token.kind in {"string", "raw"} and literals is not None:
                literals.append(unquoted(self._text))
            elif self._text not in {"_", "|"}:
                literals = None
            self._advance()
        self._advance()
        block = Block(Scope(self._scope, self._scope.is_local))
        outer, self._scope = self._scope, block.scope
        while self._token is not NOTHING and self._text != "}":
            if self._text == "case" and not self._is_class():
                break
            self._statement_of(block)
        self._scope = outer
        return Case(literals, block)

    # Expressions

    def _expression(self, least: int = _ASSIGNMENT) -> Node:
        """Read an expression whose operators bind at least as strongly as *least*."""
        is_first = self._place == self._opened
        left = self._operand()
        while not self._is_over():
            if self._text in {"=>", "⇒"}:
                return self._lambda(left, is_first=is_first) if least == _ASSIGNMENT else left
            longer = self._continued(left, least)
            if longer is None:
                break
            left = longer
        return left

    def _continued(self, left: Node, least: int) -> Node | None:
        """Read on after *left*; None where it ends."""
        kind = self._token.kind
        if self._text == ".":
            return self._selected(left)
        if self._starts_line() and (kind != "operator" or self._text == "@"):
            return None
        if kind == "open":
            return self._applied(left)
        if kind == "name":
            return None if least > _LETTERS else self._by_name(left)
        return self._infix(left, least) if kind == "operator" else None

    def _selected(self, left: Node) -> Node:
        self._advance()
        return Select(left, self._take().strip("`")) if self._token.kind == "name" else left

    def _applied(self, left: Node) -> Node:
        if self._text == "(":
            return Call(left, self._arguments())
        if self._text == "{":
            return Call(left, [self._block()])
        self._skip_group()
        return left

    def _by_name(self, left: Node) -> Node | None:
        """Read ``name right`` after *left*: ``exclude("a", "b")``, or ``name`` alone."""
        if self._text == "match":
            return self._match(left)
        if self._text in _ENDS or self._text in _STARTS:
            return None
        called = Select(left, self._take().strip("`"))
        if self._is_over() or self._starts_line() or self._token.kind in {"operator", "mark"}:
            return called
        if self._text in _ENDS:
            return called
        right = self._expression(_LETTERS + 1)
        return Call(called, right.parts if isinstance(right, Several) else [right])

    def _infix(self, left: Node, least: int) -> Node | None:
        if self._text == ":":
            self._advance()
            if not self._starts_line():
                self._skip_type()
            return left
        strength = _strength(self._text)
        if strength < least:
            return None
        operator = self._take()
        if self._is_over():
            return left
        right = self._expression(strength + 1 if strength else strength)
        return Infix(left, operator, right)

    def _match(self, subject: Node) -> Node:
        self._advance()
        if self._text != "{":
            return subject
        return Match(subject, self._block().cases)

    def _lambda(self, left: Node, *, is_first: bool) -> Node:
        """Read what follows ``left =>``: to the block's end, where the block begins with it."""
        self._advance()
        nodes = left.parts if isinstance(left, Several) else [left]
        parameters = [node.name for node in nodes if isinstance(node, Name)]
        if not is_first:
            return Lambda(parameters, self._expression())
        block = Block(self._scope)
        while self._token is not NOTHING and self._text != "}":
            self._statement_of(block)
        return Lambda(parameters, block)

    def _arguments(self) -> list[Node]:
        was_in_parentheses, self._in_parentheses = self._in_parentheses, True
        self._advance()
        parts = []
        while self._token is not NOTHING and self._text != ")":
            first = self._place
            parts.append(self._expression())
            if self._text in {",", ";"} or self._place == first:
                self._advance()
        self._advance()
        self._in_parentheses = was_in_parentheses
        return parts

    def _operand(self) -> Node:
        kind = self._token.kind
        if kind in {"string", "raw"}:
            return _text(self._take())
        if kind == "name":
            return self._named()
        if self._text == "(":
            parts = self._arguments()
            return parts[0] if len(parts) == 1 else Several(parts)
        if self._text == "{":
            return self._block()
        if kind == "operator":
            self._advance()
            return Several([]) if self._is_over() else self._operand()
        if kind in {"number", "character", "other"}:
            self._advance()
        return Several([])

    def _named(self) -> Node:
        keyword = self._text
        if keyword in _ENDS:
            return Several([])
        self._advance()
        if keyword == "if":
            return self._if()
        if keyword == "new":
            return self._new()
        if keyword in {"for", "while"}:
            self._skip_group()
            if self._text in {"yield", "do"}:
                self._advance()
        elif keyword == "try":
            return self._try()
        elif keyword not in {"throw", "return"}:
            return Name(keyword.strip("`"))
        return self._expression()

    def _if(self) -> Node:
        condition = self._operand() if self._text == "(" else self._expression()
        if self._text == "then":
            self._advance()
        then = self._expression()
        if self._text == ";":
            self._advance()
        if self._text != "else":
            return If(condition, then, Several([]))
        self._advance()
        return If(condition, then, self._expression())

    def _new(self) -> Node:
        bases: list[str] = []
        arguments: list[Node] = []
        while self._token.kind == "name" or self._text in {".", "[", "("}:
            if self._text == "(":
                arguments += self._arguments()
            elif self._text == "[":
                self._skip_group()
            elif (text := self._take()) == ".":
                bases = bases[:-1]
            elif text != "with":
                bases.append(text)
            if self._starts_line():
                break
        if self._text == "{" and not self._starts_line():
            return self._block(bases)
        return Several(arguments)

    def _try(self) -> Node:
        parts = [self._expression()]
        while self._text in {"catch", "finally"}:
            self._advance()
            parts.append(self._expression())
        return Several(parts)


def _strength(operator: str) -> int:
    if operator.endswith("=") and operator not in {"==", "===", "<=", ">=", "!="}:
        return _ASSIGNMENT
    return _PRECEDENCE.get(operator[0], 10)


def _text(literal: str) -> Text:
    inside = unquoted(literal)
    if literal[0] == '"':
        return Text([inside])
    parts: list[str | Node] = []
    place = 0
    for match in _PARTS.finditer(inside):
        parts += [inside[place : match.start()], _inserted(match)]
        place = match.end()
    return Text([*parts, inside[place:]])


def _inserted(match: re.Match[str]) -> str | Node:
    """Return what is put into a string: a name, with those of the objects it is in."""
    if match.group() == "$$":
        return "$"
    path = [name.strip() for name in (match[1] or match[2] or "").split(".")]
    node: Node = Name(path[0])
    for name in path[1:]:
        node = Select(node, name)
    return node
