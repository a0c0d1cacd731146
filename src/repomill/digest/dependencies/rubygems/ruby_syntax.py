"""The syntax tree of a Ruby file, which is tree-sitter's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import tree_sitter
import tree_sitter_ruby

from repomill.digest.dependencies.base import ManifestError

if TYPE_CHECKING:
    from tree_sitter import Node

_MAX_PARSE_SECONDS = 0.5
"""Of CPU. A manifest takes a hundredth of it; what is made to hold up a parser is given up."""
_CHUNK_BYTES = 1 << 16
_LANGUAGE = tree_sitter.Language(tree_sitter_ruby.language())


def parse(source: bytes) -> Node:
    """Return the root of the tree. Raises ManifestError where *source* is no Ruby at all."""
    end = time.thread_time() + _MAX_PARSE_SECONDS
    parser = tree_sitter.Parser(_LANGUAGE)
    try:
        tree = parser.parse(
            lambda offset, _point: source[offset : offset + _CHUNK_BYTES],
            progress_callback=lambda _offset, _has_error: time.thread_time() > end,
        )
    except ValueError as error:
        raise ManifestError("is nested or broken beyond reading") from error
    if tree.root_node.type == "ERROR":
        raise ManifestError(f"line {first_error(tree.root_node)} is no Ruby that can be read")
    return tree.root_node


def first_error(root: Node) -> int:
    """Return the line of the first error under *root*."""
    node: Node | None = root
    last = root
    while node is not None:
        last = node
        node = next((child for child in node.children if child.has_error), None)
    return last.start_point.row + 1


def part(node: Node, name: str) -> Node | None:
    """Return the part of *node* that the grammar calls *name*."""
    return node.child_by_field_name(name)
