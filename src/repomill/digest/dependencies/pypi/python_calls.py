"""What a function is called with in a Python program, as far as its text tells.

The module is walked once, in its order: assignments, ``+=``, ``append``, ``extend`` and ``update``,
into the branches of ``if``, ``try`` and loops too. What stands in a branch is added to what was
there before, for whether it is run cannot be told: lists grow, they do not shrink.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from repomill.digest.dependencies.pypi.python_values import MAX_STEPS, UNKNOWN, Values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def keywords_of(tree: ast.Module, name: str, steps: int = MAX_STEPS) -> list[dict[Any, Any]]:
    r"""Return the keyword arguments of each call of *name* in *tree*.

    Those in the module itself, and where there are none those in its functions. Raises
    ManifestError where to work them out takes more than *steps*.

    >>> keywords_of(ast.parse("base = ['a']\nsetup(needs=base + ['b'])"), "setup")
    [{'needs': ['a', 'b']}]
    """
    walk = _Walk(name, Values(steps))
    walk.block(tree.body, is_certain=True)
    if not walk.found:
        for function in list(walk.values.functions.values()):
            walk.block(function.body, is_certain=True)
    return walk.found


class _Walk:
    def __init__(self, wanted: str, values: Values) -> None:
        self._wanted = wanted
        self.values = values
        self.found: list[dict[Any, Any]] = []

    def block(self, statements: Sequence[ast.stmt], *, is_certain: bool) -> None:
        for statement in statements:
            self.values.spend(1)
            if isinstance(statement, ast.FunctionDef):
                self.values.functions[statement.name] = statement
            elif isinstance(statement, ast.For) and self._repeat(statement, is_certain=is_certain):
                pass
            elif branches := list(_branches(statement)):
                is_run = is_certain and isinstance(statement, ast.With)
                if isinstance(statement, ast.With):
                    self._open(statement.items)
                for branch in branches:
                    self.block(branch, is_certain=is_run)
            elif not isinstance(statement, ast.ClassDef | ast.AsyncFunctionDef):
                self._simple(statement, is_certain=is_certain)
                self._find_calls(statement)

    def _repeat(self, loop: ast.For, *, is_certain: bool) -> bool:
        """Walk *loop* once for each member of its list; return False where that is not known."""
        members = self.values.of(loop.iter)
        if not isinstance(members, list) or UNKNOWN in members:
            return False
        for member in self.values.items(members):
            self._assign(loop.target, member, is_certain=True)
            self.block(loop.body, is_certain=is_certain)
        return True

    def _open(self, items: Sequence[ast.withitem]) -> None:
        for item in items:
            if item.optional_vars is not None:
                value = self.values.of(item.context_expr)
                self._assign(item.optional_vars, value, is_certain=True)

    def _simple(self, statement: ast.stmt, *, is_certain: bool) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                given = self.values.of(value)
                for target in targets:
                    self._assign(target, given, is_certain=is_certain)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self.values.of(value), is_certain=is_certain)
            case ast.AugAssign(target=target, op=ast.Add(), value=value):
                self._assign(target, self.values.total(target, value), is_certain=True)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as method, args=[argument])):
                self._change(self.values.of(method.value), method.attr, argument)

    def _assign(self, target: ast.expr, value: object, *, is_certain: bool) -> None:
        match target:
            case ast.Name(id=name):
                self._put(self.values.names, name, value, is_certain=is_certain)
            case ast.Subscript(value=owner, slice=index):
                found = self.values.of(owner)
                if isinstance(found, dict):
                    self._put(found, self.values.key(index), value, is_certain=is_certain)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                members = value if isinstance(value, list) and len(value) == len(parts) else None
                for part, member in zip(parts, members or [UNKNOWN] * len(parts), strict=True):
                    self._assign(part, member, is_certain=is_certain)

    def _put(self, place: dict[Any, Any], key: object, value: object, *, is_certain: bool) -> None:
        if not is_certain and key in place:
            value = self.values.either(place[key], value)
        place[key] = value

    def _change(self, owner: object, method: str, argument: ast.expr) -> None:
        value = self.values.of(argument)
        if isinstance(owner, list) and method == "append":
            owner.append(value)
        elif isinstance(owner, list) and method == "extend":
            owner.extend(self.values.items(value))
        elif isinstance(owner, dict) and method == "update":
            owner.update(self.values.entries(value))

    def _find_calls(self, statement: ast.stmt) -> None:
        for node in ast.walk(statement):
            self.values.spend(1)
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=given):
                    if name == self._wanted:
                        self.found.append(self.values.keywords(given))


def _branches(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    match statement:
        case ast.With(body=body):
            yield body
        case ast.If(body=body, orelse=other) | ast.For(body=body, orelse=other):
            yield from (body, other)
        case ast.While(body=body, orelse=other):
            yield from (body, other)
        case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=final):
            yield from (body, *(handler.body for handler in handlers), other, final)
