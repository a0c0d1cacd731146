"""Print what is in a digest and why: a tree in colour for people, or one JSON object.

Read from the metadata object of the digest, which a worker wrote: its texts are shown as they are,
never as markup.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from repomill.digest import languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    File = Mapping[str, Any]

_BEST_SHOWN = 25
_TREE_FILES = 150
_BAR_WIDTH = 60
_STYLES = {"included": "green", "cut": "yellow", "omitted": "bright_black"}
_WORDS = {"included": "whole", "cut": "cut", "omitted": "left out"}
_PARTS = {
    "header": "cyan",
    "dependencies": "yellow",
    "structure": "blue",
    "omitted": "magenta",
    "files": "green",
}


def as_json(metadata: Mapping[str, Any]) -> bytes:
    """Return the metadata with its files in the order of their rank, those without one last."""
    ranked = {**metadata, "files": sorted(metadata["files"], key=_rank)}
    return (
        json.dumps(ranked, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace") + b"\n"
    )


def as_tree(metadata: Mapping[str, Any]) -> bytes:
    """Return what a person reads, for the width, colours and letters of stdout."""
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as captured:
        for part in _parts(metadata):
            console.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "".join(f"{line}\n" for line in lines).encode(console.encoding, "backslashreplace")


def _parts(metadata: Mapping[str, Any]) -> Iterator[RenderableType]:
    files = sorted(metadata["files"], key=_rank)
    yield Text(f"{metadata['repository']} at {metadata['commit'][:12]}", style="bold")
    yield _facts(metadata, files)
    yield Text()
    yield _shares(metadata)
    if files:
        yield Text("\nBest first", style="bold")
        yield _best(files[:_BEST_SHOWN])
        yield Text("\nWhere they are", style="bold")
        yield _tree(metadata["repository"], files)


def _facts(metadata: Mapping[str, Any], files: Sequence[File]) -> Text:
    counts = {state: sum(file["state"] == state for file in files) for state in _WORDS}
    text = Text()
    for state, count in counts.items():
        text.append(f"{count} {_WORDS[state]}  ", style=_STYLES[state])
    for line in (languages.describe(list(metadata["languages"].items())), metadata["license"]):
        if line:
            text.append(f"\n{line}")
    return text


def _shares(metadata: Mapping[str, Any]) -> Group:
    """Return how the bytes are shared, as a bar and in numbers."""
    size = metadata["options"]["max_size_bytes"]
    whole = max(size or 0, metadata["bytes"], 1)
    lengths = {name: metadata["sections"][name]["length"] for name in _PARTS}
    bar, table = Text(), Table.grid(padding=(0, 2))
    for name, style in _PARTS.items():
        bar.append("█" * round(_BAR_WIDTH * lengths[name] / whole), style=style)
        share = f"{100 * lengths[name] / whole:.1f}%"
        table.add_row(Text(name, style=style), _right(decimal(lengths[name])), _right(share))
    bar.append("·" * (_BAR_WIDTH - len(bar)), style="bright_black")
    limit = f"of {decimal(size)}" if size else "no limit"
    table.add_row("together", _right(decimal(metadata["bytes"])), _right(limit))
    return Group(bar, table)


def _best(files: Iterable[File]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("Rank", "Score", "Bytes"):
        table.add_column(name, justify="right")
    table.add_column("File", overflow="fold")
    table.add_column("Because", overflow="fold")
    for file in files:
        if "rank" not in file:
            break
        state = Text(file["path"], style=_STYLES[file["state"]])
        table.add_row(str(file["rank"]), str(file["score"]), str(file["bytes"]), state, _why(file))
    return table


def _why(file: File) -> str:
    """Return how the score came about: ``routes 790, depth -12``."""
    points = [f"{file['rule']} {file['points']}"]
    points += [f"{name} {number:+d}" for name, number in file["adjustments"].items()]
    return ", ".join(points)


@dataclass(slots=True)
class _Folder:
    folders: dict[str, _Folder] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    hidden: int = 0
    """Files below that have no line of their own."""


def _tree(name: str, files: Sequence[File]) -> Tree:
    """Return the tree of the best files; folders and files are in the order of their rank."""
    root = _Folder()
    for number, file in enumerate(files):
        folder = root
        for part in _parts_of(file["path"])[:-1]:
            if part not in folder.folders and number >= _TREE_FILES:
                break
            folder = folder.folders.setdefault(part, _Folder())
        else:
            if number < _TREE_FILES:
                folder.files.append(file)
                continue
        folder.hidden += 1
    tree = Tree(Text(f"{name}/", style="bold"))
    _grow(tree, root)
    return tree


def _grow(tree: Tree, folder: _Folder) -> None:
    for file in folder.files:
        name = _parts_of(file["path"])[-1]
        line = Text(name, style=_STYLES[file["state"]])
        line.append(f"  {_WORDS[file['state']]}", style="dim")
        line.append(f", {file.get('rule') or file['reason']}", style="dim")
        tree.add(line)
    for name, below in folder.folders.items():
        _grow(tree.add(Text(f"{name}/", style="bold blue")), below)
    if folder.hidden:
        more = f"… {folder.hidden} more file{'s' if folder.hidden != 1 else ''}"
        tree.add(Text(more, style="bright_black"))


def _parts_of(path: str) -> list[str]:
    """Return the names that a path is made of; a quoted one is not taken apart."""
    return [path] if path.startswith('"') else path.split("/")


def _rank(file: File) -> tuple[float, str]:
    return file.get("rank", math.inf), file["path"]


def _right(text: str) -> Text:
    return Text(text, justify="right")
