"""Print the dependencies of a repository: tables in colour for people, or one JSON object."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from repomill.inventory import Dependency, Inventory, Manifest

_WIDE = 100_000
_COLUMNS = ("Scope", "Dependency", "Range", "Resolved")
_STYLES = {"runtime": "green", "optional": "cyan", "build": "yellow", "development": "blue"}


def as_json(inventory: Inventory) -> bytes:
    """Return *inventory*, its lists as the metadata object has them."""
    values = asdict(inventory)
    del values["committed"]
    return json.dumps(values, ensure_ascii=False, indent=1).encode() + b"\n"


def as_table(inventory: Inventory, *, coloured: bool) -> bytes:
    """Return a table for each manifest, in the letters of stdout.

    *coloured* has it in the colours of stdout and for its width. In a file nothing is folded, but
    where COLUMNS asks for it.
    """
    console = Console(
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=None if coloured else False,
        width=None if coloured or "COLUMNS" in os.environ else _WIDE,
    )
    with console.capture() as captured:
        for part in _parts(inventory):
            console.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "".join(f"{line}\n" for line in lines).encode(console.encoding, "backslashreplace")


def _parts(inventory: Inventory) -> Iterator[RenderableType]:
    yield Text(f"{inventory.repository} at {inventory.commit[:12]}", style="bold")
    yield _count(inventory)
    dependencies = {
        path: list(some)
        for path, some in groupby(inventory.dependencies, key=lambda one: one.manifest)
    }
    for manifest in inventory.manifests:
        if manifest.problems or manifest.path in dependencies:
            yield _title(manifest)
        if manifest.path in dependencies:
            yield _table(dependencies[manifest.path])


def _count(inventory: Inventory) -> Text:
    numbers = (len(inventory.dependencies), len(inventory.manifests))
    if not numbers[1]:
        return Text("no manifest that is read")
    return Text(f"{numbers[0]:,} direct dependencies in {numbers[1]:,} manifests")


def _title(manifest: Manifest) -> Text:
    title = Text("\n").append(manifest.path, style="bold")
    title.append(f" ({manifest.ecosystem}", style="dim")
    title.append(f", locked by {manifest.locked_by})" if manifest.locked_by else ")", style="dim")
    for problem in manifest.problems:
        title.append(f"\nproblem: {problem}", style="red")
    return title


def _table(dependencies: Iterable[Dependency]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, overflow="fold")
    for one in dependencies:
        table.add_row(
            Text(one.scope, style=_STYLES.get(one.scope, "")),
            Text(one.name),
            Text(one.range),
            Text(one.resolved or "", style="dim"),
        )
    return table
