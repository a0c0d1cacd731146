"""Read Scala as far as builds are written in it: its expressions and definitions, not its types.

The grammar is that of the language specification (https://scala-lang.org/files/archive/spec/2.13/,
chapters 1, 6 and 13). The published tree-sitter grammar is not used: an unclosed ``[`` makes it
take minutes. Everything here is read in one pass, and takes time in proportion to the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True, eq=False)
class Text:
    """A string; where it is interpolated, its parts are names and strings by turns."""

    parts: list[str | Node]


@dataclass(slots=True, eq=False)
class Name:
    name: str


@dataclass(slots=True, eq=False)
class Select:
    """``of.name``, and ``of name``."""

    of: Node
    name: str


@dataclass(slots=True, eq=False)
class Call:
    """``function(arguments)``, and ``of name argument`` where *name* is no operator."""

    function: Node
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class Infix:
    """``left operator right``; assignments, too."""

    left: Node
    operator: str
    right: Node


@dataclass(slots=True, eq=False)
class Several:
    """``(a, b)``, and whatever else is only the sum of its parts."""

    parts: list[Node]


@dataclass(slots=True, eq=False)
class Lambda:
    parameters: list[str]
    body: Node


@dataclass(slots=True, eq=False)
class If:
    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True, eq=False)
class Case:
    """``case "a" | "b" => body``; None where it is not strings that are looked for."""

    literals: list[str] | None
    body: Node


@dataclass(slots=True, eq=False)
class Match:
    subject: Node
    cases: list[Case]


@dataclass(slots=True, eq=False)
class Block:
    """What stands between braces: a scope of its own."""

    scope: Scope
    statements: list[Node] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    is_template: bool = False
    """Whether it is the inside of an object, a class or a trait."""


@dataclass(slots=True, eq=False)
class Definition:
    """``val``, ``def``, ``object``: of an object, *body* is the block."""

    name: str
    scope: Scope
    parameters: list[tuple[str, Node | None]]
    body: Node


Node = (
    Text | Name | Select | Call | Infix | Several | Lambda | If | Match | Block | Definition | Case
)


@dataclass(slots=True, eq=False)
class Scope:
    """Names and what they mean, inside *parent*."""

    parent: Scope | None
    is_local: bool
    """Whether it lies in the body of a ``def``: its names mean another thing in every call."""
    bases: list[str] = field(default_factory=list)
    names: dict[str, Definition] = field(default_factory=dict)
    imports: list[list[str]] = field(default_factory=list)


def children(node: Node) -> Sequence[Node]:  # noqa: PLR0911 a line for each kind of node
    """Return what *node* is made of, but for the defaults of parameters."""
    match node:
        case Call():
            return [node.function, *node.arguments]
        case Infix():
            return [node.left, node.right]
        case Select():
            return [node.of]
        case Several():
            return node.parts
        case Lambda() | Definition() | Case():
            return [node.body]
        case If():
            return [node.condition, node.then, node.otherwise]
        case Match():
            return [node.subject, *node.cases]
        case Block():
            return [*node.statements, *node.cases]
        case Text():
            return [part for part in node.parts if not isinstance(part, str)]
        case Name():
            return []


def parse(text: str) -> Block:
    """Return the statements of *text*. Raises ManifestError where brackets do not match."""
    return _Reader(_tokens(text)).file()


@dataclass(slots=True, eq=False)
class _Token:
    kind: str
    text: str
    starts_line: bool
    line: int


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
_PARTS = re.compile(r"\$\$|\$\{\s*+([\w$.\s]*+)\}|\$([^\W\d]\w*+)|\$\{?")
_ESCAPE = re.compile(r"\\(.)")
_CLOSES = {"(": ")", "[": "]", "{": "}"}


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    starts_line, line, place = False, 1, 0
    opened: list[_Token] = []
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
        token = _Token(kind, found, starts_line, line)
        tokens.append(token)
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


_MODIFIERS = frozenset(
    "private protected override implicit lazy final sealed abstract case inline given transparent"
    " open opaque".split()
)
_ENDS = frozenset({"else", "then", "yield", "catch", "finally", "do", "extends", "with", "case"})
_STARTS = frozenset(
    "val var def object class trait type import package if match for while try new return throw"
    " private protected override implicit lazy final sealed abstract enum".split()
)
_PRECEDENCE = {"|": 2, "^": 3, "&": 4, "=": 5, "!": 5, "<": 6, ">": 6, ":": 7, "+": 8, "-": 8}
_PRECEDENCE |= {"*": 9, "/": 9, "%": 9}
_LETTERS = 1
_ASSIGNMENT = 0
_OVER = frozenset({"end", "close"})
_SEPARATORS = frozenset({",", ";"})
_NOTHING = _Token("end", "", starts_line=True, line=0)


class _Reader:
    """Reads statements and expressions by their operators' precedence; skips what it cannot."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = [*tokens, _NOTHING]
        self._place = 0
        self._token = self._tokens[0]
        self._text = self._token.text
        self._scope = Scope(None, is_local=False)
        self._in_parentheses = False
        self._opened = -1
        """Where the innermost block's first statement begins."""

    def file(self) -> Block:
        block = Block(self._scope)
        while self._token is not _NOTHING:
            self._statement_of(block)
        return block

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
        while self._token is not _NOTHING:
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

    # Statements

    def _block(self, bases: list[str] | None = None) -> Block:
        """Read what stands between braces; *bases* where it is the inside of an object."""
        outer, self._scope = self._scope, Scope(self._scope, self._scope.is_local, bases or [])
        was_in_parentheses, self._in_parentheses = self._in_parentheses, False
        block = Block(self._scope, is_template=bases is not None)
        self._advance()
        self._opened = self._place
        while self._token is not _NOTHING and self._text != "}":
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
        match self._text:
            case "val" | "var" | "def":
                return self._definition(self._take())
            case "object" | "class" | "trait" | "enum":
                return self._template(self._take())
            case "import":
                self._import()
            case "package":
                self._advance()
                if self._text != "object":
                    self._skip_type()
            case "type":
                self._advance()
                self._skip_type()
                if self._text == "=":
                    self._skip_type_after_equals()
            case _:
                return None if self._is_over() else self._expression()
        return None

    def _skip_type_after_equals(self) -> None:
        self._advance()
        self._skip_type()

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
        while self._token is not _NOTHING and self._text != ")":
            self._skip_annotations()
            self._skip_modifiers()
            if self._text in {"implicit", "using"}:
                self._advance()
            name = self._take()
            default = None
            while not self._is_over() and self._text != "=":
                if self._token.kind == "open":
                    self._skip_group()
                else:
                    self._advance()
            if self._text == "=":
                self._advance()
                default = self._expression()
            if name != ",":
                parameters.append((name, default))
            if self._text == ",":
                self._advance()
        self._advance()
        self._in_parentheses = was_in_parentheses
        return parameters

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
        self._advance()
        path: list[str] = []
        while self._token is not _NOTHING and self._text not in {";", "}"}:
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
        while self._text not in {"=>", "⇒", "}"} and self._token is not _NOTHING:
            if self._token.kind in {"string", "raw"} and literals is not None:
                literals.append(_unquoted(self._text))
            elif self._text not in {"_", "|"}:
                literals = None
            self._advance()
        self._advance()
        block = Block(Scope(self._scope, self._scope.is_local))
        outer, self._scope = self._scope, block.scope
        while self._token is not _NOTHING and self._text != "}":
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
            if self._text == ".":
                self._advance()
                left = Select(left, self._take().strip("`")) if self._token.kind == "name" else left
            elif self._starts_line() and (self._token.kind != "operator" or self._text == "@"):
                break
            elif self._token.kind == "open":
                left = self._applied(left)
            elif self._text == "match":
                if least > _LETTERS:
                    break
                left = self._match(left)
            elif self._token.kind == "name":
                if least > _LETTERS or self._text in _ENDS or self._text in _STARTS:
                    break
                left = self._by_name(left)
            elif self._text in {"=>", "⇒"}:
                return self._lambda(left, is_first) if least == _ASSIGNMENT else left
            elif self._text == ":":
                self._advance()
                self._skip_type()
            elif self._token.kind == "operator":
                strength = _strength(self._text)
                if strength < least:
                    break
                left = self._infix(left, strength)
            else:
                break
        return left

    def _applied(self, left: Node) -> Node:
        if self._text == "(":
            return Call(left, self._arguments())
        if self._text == "{":
            return Call(left, [self._block()])
        self._skip_group()
        return left

    def _by_name(self, left: Node) -> Node:
        """Read ``name right`` after *left*: ``exclude("a", "b")``, or ``name`` alone."""
        called = Select(left, self._take().strip("`"))
        if self._is_over() or self._starts_line() or self._token.kind in {"operator", "mark"}:
            return called
        if self._text in _ENDS:
            return called
        right = self._expression(_LETTERS + 1)
        return Call(called, right.parts if isinstance(right, Several) else [right])

    def _infix(self, left: Node, strength: int) -> Node:
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

    def _lambda(self, left: Node, takes_block: bool) -> Node:
        """Read what follows ``left =>``: to the block's end, where that is how the block begins."""
        self._advance()
        nodes = left.parts if isinstance(left, Several) else [left]
        parameters = [node.name for node in nodes if isinstance(node, Name)]
        if not takes_block:
            return Lambda(parameters, self._expression())
        block = Block(self._scope)
        while self._token is not _NOTHING and self._text != "}":
            self._statement_of(block)
        return Lambda(parameters, block)

    def _arguments(self) -> list[Node]:
        was_in_parentheses, self._in_parentheses = self._in_parentheses, True
        self._advance()
        parts = []
        while self._token is not _NOTHING and self._text != ")":
            first = self._place
            parts.append(self._expression())
            if self._text in {",", ";"} or self._place == first:
                self._advance()
        self._advance()
        self._in_parentheses = was_in_parentheses
        return parts

    def _operand(self) -> Node:
        match self._token.kind:
            case "string" | "raw":
                return _text(self._take())
            case "name":
                return self._named()
            case "operator":
                self._advance()
                return Several([]) if self._is_over() else self._operand()
            case "number" | "character" | "other":
                self._advance()
        if self._text == "(":
            parts = self._arguments()
            return parts[0] if len(parts) == 1 else Several(parts)
        if self._text == "{":
            return self._block()
        return Several([])

    def _named(self) -> Node:
        match self._text:
            case "if":
                self._advance()
                return self._if()
            case "new":
                self._advance()
                return self._new()
            case "for" | "while":
                self._advance()
                self._skip_group()
                if self._text in {"yield", "do"}:
                    self._advance()
                return self._expression()
            case "try":
                return self._try()
            case "throw" | "return":
                self._advance()
                return self._expression()
        if self._text in _ENDS:
            return Several([])
        return Name(self._take().strip("`"))

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
        parts = []
        while self._text in {"try", "catch", "finally"}:
            self._advance()
            parts.append(self._expression())
        return Several(parts)


def _strength(operator: str) -> int:
    if operator.endswith("=") and operator not in {"==", "===", "<=", ">=", "!="}:
        return _ASSIGNMENT
    return _PRECEDENCE.get(operator[0], 10)


def _unquoted(literal: str) -> str:
    """Return what stands between the quotes of *literal*, without its prefix."""
    inside = literal[literal.index('"') :]
    if inside.startswith('"""'):
        return inside[3:].removesuffix('"""')
    inside = inside[1:].removesuffix('"')
    return _ESCAPE.sub(r"\1", inside) if "\\" in inside else inside


def _text(literal: str) -> Text:
    inside = _unquoted(literal)
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
