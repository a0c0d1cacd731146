"""What sbt builds depend on, read by people: no tool that could say so runs here.

The file beside this one holds what was written down for each manifest before any output was
looked at, under the rules that the module's docstring states, and the commits that were read.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

TOOL = "read by hand"
_DATA = Path(__file__).with_suffix(".json")


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return the scopes and names of what *manifest* asks for, in a checkout at *root*.

    The folder is called ``OWNER+NAME``. None where nobody has read the manifest.
    """
    scopes = _manifests().get(f"{root.name} {manifest}")
    if scopes is None:
        return None
    return {(scope, name) for scope, names in scopes.items() for name in names}


@cache
def _manifests() -> dict[str, dict[str, list[str]]]:
    manifests: dict[str, dict[str, list[str]]] = json.loads(_DATA.read_text())["manifests"]
    return manifests
