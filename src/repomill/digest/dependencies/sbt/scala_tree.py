"""Scala's expressions and definitions as a tree, as far as builds need them: without types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True, eq=False)
class Text:
    """A string; where it is interpolated, its parts are names and strings by turns."""

    parts: list[str | Node]


@dataclass(slots=True, eq=False)
class Name:
    """An identifier."""

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
    """``(a, b) => body``."""

    parameters: list[str]
    body: Node


@dataclass(slots=True, eq=False)
class If:
    """``if (condition) then else otherwise``."""

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
    """``subject match { case … }``."""

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


def children(node: Node) -> Sequence[Node]:
    """Return what *node* is made of, but for the defaults of parameters."""
    match node:
        case Call():
            parts: Sequence[Node] = [node.function, *node.arguments]
        case Infix():
            parts = [node.left, node.right]
        case Select():
            parts = [node.of]
        case Several():
            parts = node.parts
        case Lambda() | Definition() | Case():
            parts = [node.body]
        case If():
            parts = [node.condition, node.then, node.otherwise]
        case Match():
            parts = [node.subject, *node.cases]
        case Block():
            parts = [*node.statements, *node.cases]
        case _:
            parts = []
    return parts
