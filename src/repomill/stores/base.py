"""What every store can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Head:
    """What a store knows of an object besides its bytes."""

    size_bytes: int
    content_type: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Store(Protocol):
    """Keeps objects under keys like ``gitingest/OWNER/NAME/summary.txt``."""

    def probe(self) -> None:
        """Write and remove a trial object. Raises StoreError where the store takes nothing."""

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write *body* whole or not at all; a later put replaces it. Raises StoreError.

        The names in *metadata* are lower-case.
        """

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none. Raises StoreError."""

    def head(self, key: str) -> Head | None:
        """Return what is known of the object, or None where there is none. Raises StoreError."""
