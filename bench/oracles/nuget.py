"""What people say of NuGet's manifests, which are in the file beside this one."""

from __future__ import annotations

from pathlib import Path

from bench.oracles import by_hand

TOOL = by_hand.TOOL
_DATA = Path(__file__).with_suffix(".json")


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return the scopes and names of what *manifest* asks for; None where nobody has read it."""
    return by_hand.truth(_DATA, root, manifest)
