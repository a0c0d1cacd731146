"""What each ecosystem's own tool says of a manifest, for those whose tool runs anywhere."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path


class Oracle(Protocol):
    """A module that asks a tool."""

    @property
    def TOOL(self) -> str:  # noqa: N802 a module's constant
        """Name and version of the tool."""

    def truth(self, root: Path, manifest: str) -> set[tuple[str, str]] | None:
        """Return scope and name of each dependency; None where the tool cannot judge."""


_MODULES = {
    "Cargo": "cargo",
    "Composer": "composer",
    "Docker": "docker",
    "GitHub Actions": "github_actions",
    "Go": "golang",
    "Maven": "maven",
    "NuGet": "nuget",
    "PyPI": "pypi",
    "RubyGems": "gems",
    "Terraform": "terraform",
    "npm": "npm",
    "sbt": "sbt",
}


@cache
def of(ecosystem: str) -> Oracle | None:
    """Return who judges *ecosystem*, if anybody does; its tool has to be installed."""
    if ecosystem not in _MODULES:
        return None
    return cast("Oracle", import_module(f"bench.oracles.{_MODULES[ecosystem]}"))
