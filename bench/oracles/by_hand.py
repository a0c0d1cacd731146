"""What manifests depend on, read by people where no tool that could say so runs here.

A file of data holds what was written down for each manifest before any output was looked at, under
the rules that the reader's docstring states, and the commits that were read.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TOOL = "read by hand"


def truth(data: Path, root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return the scopes and names of what *manifest* asks for, in a checkout at *root*.

    The folder is called ``OWNER+NAME``. None where nobody has read the manifest.
    """
    scopes = _manifests(data).get(f"{root.name} {manifest}")
    if scopes is None:
        return None
    return {(scope, name) for scope, names in scopes.items() for name in names}


@cache
def _manifests(data: Path) -> dict[str, dict[str, list[str]]]:
    manifests: dict[str, dict[str, list[str]]] = json.loads(data.read_text())["manifests"]
    return manifests
