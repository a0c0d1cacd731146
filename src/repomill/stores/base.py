"""What every store can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from repomill.errors import BadKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
UNKNOWN = "application/octet-stream"

MAX_KEY_BYTES = 1024
"""What S3 and R2 take, a prefix included: https://developers.cloudflare.com/r2/platform/limits/"""


@dataclass(frozen=True, slots=True)
class Head:
    """What a store knows of an object besides its bytes."""

    size_bytes: int
    content_type: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Store(Protocol):
    """Keeps objects under keys like ``gitingest/OWNER/NAME/summary.txt``; safe between threads.

    Every method raises StoreError where the store does not answer, or not as it should; what may
    pass is a StoreUnavailableError. Every key that is none raises BadKeyError.
    """

    @property
    def name(self) -> str:
        """What tells the store from all others, on this machine."""

    def probe(self) -> None:
        """Write and remove a trial object. Raises StoreError where the store takes nothing."""

    def check(self, key: str) -> None:
        """Raise BadKeyError for a key that this store does not take."""

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write *body* whole or not at all; a later put replaces it.

        The names in *metadata* are lower-case.
        """

    def refresh(self, key: str, *, content_type: str, metadata: Mapping[str, str]) -> bool:
        """Replace what is known of the object besides its bytes; return whether there is one."""

    def create(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Write *body* whole, unless there is an object; return whether it was written.

        Of several writers at once one wins.
        """

    def get(self, key: str, *, most_bytes: int | None = None) -> bytes | None:
        """Return the object's bytes, the first *most_bytes* of them; None where there is none."""

    def head(self, key: str) -> Head | None:
        """Return what is known of the object, or None where there is none."""

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with *prefix*, in no order.

        Raises BadKeyError where no key can begin so.
        """

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""


def check_key(key: str) -> list[str]:
    """Return the parts of *key*. Raises BadKeyError for one that a store might misread."""
    parts = key.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise BadKeyError(f"{key!r} cannot be a key: a part of it is empty, or dots alone")
    if not key.isprintable():
        raise BadKeyError(f"{key!r} cannot be a key: it holds control characters")
    if (size := len(key.encode())) > MAX_KEY_BYTES:
        raise BadKeyError(f"the key {key[:60]!r}… has {size} bytes; stores take {MAX_KEY_BYTES}")
    return parts


def check_prefix(prefix: str) -> None:
    """Raise BadKeyError for a *prefix* that a store might misread: what no key begins with."""
    check_key(f"{prefix}x")
