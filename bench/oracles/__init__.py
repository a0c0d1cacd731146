"""What each ecosystem's own tool says of a manifest, for those whose tool runs anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Oracle(Protocol):
    """A module that asks a tool."""

    @property
    def TOOL(self) -> str:  # noqa: N802 a module's constant
        """Name and version of the tool."""

    def truth(self, root: Path, manifest: str) -> set[tuple[str, str]] | None:
        """Return scope and name of each dependency; None where the tool cannot judge."""


ORACLES: Mapping[str, Oracle] = {}
