"""What the ledger of a store knows, summed up, as values.

docs/reference/status.md describes them as JSON: a change here is one there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.ledger import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the feed has a digest."""

    feed_total: int | None
    """Of the newest run, all shards together; None where no run has said so."""
    digests: int
    """In the store, also of what has left the feed since."""
    percent: float | None
    shards: int
    """Into how many parts the newest run divides the feed."""
    shards_complete: int
    """Of how many of them the newest run came to its end."""
    since: str | None
    """When the oldest of these runs began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long ago digests were made, or compared with their repository."""

    digests: int
    """So many: not those whose repository has failed since, nor of unknown age."""
    newest_seconds: int | None
    median_seconds: int | None
    oldest_seconds: int | None
    older_than_days: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """A repository that took long, its waits between attempts included."""

    key: str
    url: str
    seconds: float
    stage: str | None
    """The one that took longest."""
    stage_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingOwner:
    """An organisation, or a person, with repositories that failed."""

    owner: str
    """``HOST/OWNER``."""
    failed: int
    repositories: int
    error_class: str
    """The commonest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A repository that is left alone until a certain time."""

    key: str
    url: str
    error_class: str
    failures: int
    """Runs in a row."""
    tried_again_at: str
    """By the first run after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Failures that no run tries again yet."""

    repositories: int
    by_day: Mapping[str, int]
    """Of UTC, when they are tried again."""
    next: tuple[Wait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the ledger of *store* knows *at* a moment."""

    store: str
    at: str
    ledger: bool
    """Whether there is one."""
    repositories: int
    """But for those that were removed, which ``by_status`` alone counts."""
    by_status: Mapping[str, int]
    by_error_class: Mapping[str, int]
    """Of the latest outcome."""
    size_bytes: int
    """Of all digests in the store, as far as known; so is the next."""
    tokens: int
    coverage: Coverage
    ages: Ages
    slowest: tuple[Slow, ...]
    failing_owners: tuple[FailingOwner, ...]
    waiting: Waiting
    runs: tuple[RunRecord, ...]
    """The newest first."""
