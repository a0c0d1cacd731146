"""Read YAML that may be anything into mappings, lists and strings, and get at what is in them.

PyYAML's own composing recurses in C: deep nesting ends the process, not the call. Its events do
not, so the tree is built from those, bounded in depth and in number. An alias is the same object
as what it stands for, so whoever walks a tree enters each mapping and list once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import yaml
from yaml import events as said

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

Tree: TypeAlias = str | list["Tree"] | dict[str, "Tree"]

MAX_EVENTS = 50_000
MAX_DEPTH = 100
MAX_STOOD_FOR = 1_000_000
"""Parts that there would be if each alias were written out; bombs have billions."""
MAX_DIRECTIVES = 100
"""libyaml compares each with all before it, within one step."""
_MAX_MERGED = 50
"""Mappings that one can take over keys from."""


def read(text: str) -> Tree:
    r"""Return the first document of *text*: every scalar a string, as it is written.

    Of a mapping's keys that are equal the last counts, and keys that are no scalars are left out.
    Raises ManifestError, with the line.

    >>> read("on: {push: }\nids: [1, on]")
    {'on': {'push': ''}, 'ids': ['1', 'on']}
    """
    builder = _Builder()
    try:
        for event in islice(events(text), MAX_EVENTS):
            if builder.take(event):
                return builder.root
    except yaml.YAMLError as error:
        raise ManifestError(_reason(error)) from error
    raise ManifestError(f"YAML of more than {MAX_EVENTS} parts")


def events(text: str) -> Iterator[yaml.Event]:
    """Return the events of *text*. Raises ManifestError, and YAMLError while they are taken."""
    if text.count("%TAG") > MAX_DIRECTIVES:
        raise ManifestError(f"YAML with more than {MAX_DIRECTIVES} directives")
    found: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
    return found


def get(tree: object, key: str) -> Tree | None:
    """Return the value at *key* of a mapping, merged ones (``<<``) included; None without one."""
    pending: list[object] = [tree]
    for _ in range(_MAX_MERGED):
        if not pending:
            return None
        mapping = pending.pop()
        if isinstance(mapping, list):
            pending.extend(reversed(mapping[:_MAX_MERGED]))
        elif isinstance(mapping, dict):
            if key in mapping:
                found: Tree = mapping[key]
                return found
            if "<<" in mapping:
                pending.append(mapping["<<"])
    return None


def text(tree: object, key: str) -> str:
    """Return the string at *key* of a mapping; empty without one."""
    value = get(tree, key)
    return value if isinstance(value, str) else ""


def values(tree: object, entered: set[int]) -> Iterator[Tree]:
    """Yield the values of a mapping or a list that is not *entered* yet, which it is from then.

    What aliases repeat in it comes once.
    """
    if id(tree) in entered:
        return
    entered.add(id(tree))
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        yield from {id(value): value for value in tree}.values()


@dataclass(slots=True)
class _Open:
    tree: list[Tree] | dict[str, Tree]
    anchor: str | None = None
    key: str | None = None
    has_key: bool = False
    parts: int = 1
    """It and what is in it, with each alias written out."""

    def add(self, value: Tree) -> None:
        if isinstance(self.tree, list):
            self.tree.append(value)
        elif not self.has_key:
            self.key = value if isinstance(value, str) else None
            self.has_key = True
        else:
            if self.key is not None:
                self.tree[self.key] = value
            self.has_key = False


@dataclass(slots=True)
class _Builder:
    root: Tree = ""
    anchors: dict[str, Tree] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    """Of what is anchored, once it is closed."""
    opened: list[_Open] = field(default_factory=list)

    def take(self, event: yaml.Event) -> bool:
        """Add what *event* says; return whether the document ends with it."""
        kind = type(event)
        if kind is said.ScalarEvent:
            self._add(event.value, event.anchor)
        elif kind is said.MappingStartEvent:
            self._open({}, event.anchor)
        elif kind is said.SequenceStartEvent:
            self._open([], event.anchor)
        elif kind is said.MappingEndEvent or kind is said.SequenceEndEvent:
            self._close()
        elif kind is said.AliasEvent:
            if event.anchor not in self.anchors:
                line = event.start_mark.line + 1
                raise ManifestError(f"line {line}: an alias of what is not anchored")
            self._add(self.anchors[event.anchor], None)
            self._count(self.parts.get(event.anchor, 1), event)
        return kind is said.DocumentEndEvent or kind is said.StreamEndEvent

    def _add(self, value: Tree, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = value
        if self.opened:
            self.opened[-1].add(value)
        else:
            self.root = value

    def _open(self, tree: list[Tree] | dict[str, Tree], anchor: str | None) -> None:
        if len(self.opened) == MAX_DEPTH:
            raise ManifestError(f"YAML nested more than {MAX_DEPTH} deep")
        self._add(tree, anchor)
        self.opened.append(_Open(tree, anchor))

    def _close(self) -> None:
        closed = self.opened.pop()
        if closed.anchor:
            self.parts[closed.anchor] = closed.parts
        if self.opened:
            self.opened[-1].parts += closed.parts

    def _count(self, parts: int, event: yaml.Event) -> None:
        if self.opened:
            self.opened[-1].parts += parts
            if self.opened[-1].parts > MAX_STOOD_FOR:
                line = event.start_mark.line + 1
                raise ManifestError(f"line {line}: aliases that stand for too much")


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "characters that YAML does not allow"
    return f"line {mark.line + 1}: {problem}" if mark else f"{problem}"
