"""What the ledger knows, as values, and as the lines of JSON that parts hold.

A value checks itself when it is made, wherever it comes from: a record that exists can be written,
read again, and kept in SQLite.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from repomill.errors import RepomillError
from repomill.ledger import checks
from repomill.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.ledger.checks import Check

REMOVED: Final = "removed"
"""The status of a repository that left the feed, and whose digest was then taken from the store."""
STATUSES = frozenset({*(status.value for status in Status), REMOVED})

EPOCH = "1970-01-01T00:00:00.000Z"
"""The time of what nobody knows the time of: older than all that is known."""

MAX_LINE_BYTES = 1 << 20
"""More than any record has, escapes included."""
_MAX_ERROR_CHARACTERS = 2000
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
"""Made once: :func:`json.dumps` would make one for each of a million records."""


class LedgerError(RepomillError):
    """The ledger cannot be used; the message says what to do."""


class CorruptPartError(LedgerError):
    """The bytes are no part of a ledger, or not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one repository: its latest outcome, and the digest that the store has.

    Raises ValueError for a value that cannot be.
    """

    key: str
    """What names the digest in the store: ``OWNER/NAME`` by default."""
    identity: str
    """By which the plan tells repositories apart."""
    url: str
    status: str
    """A :class:`~repomill.model.Status`, or REMOVED."""
    processed_at: str
    """RFC 3339 in UTC, with milliseconds, so that the order of the texts is that of the times."""
    commit: str | None = None
    """This, and up to *tokens*, is said of the digest that is in the store."""
    pushed_at: str | None = None
    """What the feed said when that digest was made, or when the repository was found empty."""
    fingerprint: str | None = None
    size_bytes: int | None = None
    tokens: int | None = None
    attempts: int = 0
    failures: int = 0
    """Runs in a row that failed."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage → wall seconds."""
    duration_seconds: float = 0.0
    error_class: str | None = None
    error: str | None = None
    """Cut, where it is long."""

    def __post_init__(self) -> None:
        if isinstance(self.error, str):
            cut = self.error[:_MAX_ERROR_CHARACTERS].encode(errors="replace").decode()
            object.__setattr__(self, "error", cut)
        for name, check in RECORD_CHECKS.items():
            check((getattr(self, name),))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """How one run of one shard went. Raises ValueError for a value that cannot be."""

    run: str
    shard: str = "0/1"
    started_at: str
    ended_at: str | None = None
    feed_total: int | None = None
    """How many usable repositories the whole feed has, all shards together."""
    done: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many."""
    exit_code: int | None = None
    """None where the run was interrupted."""

    def __post_init__(self) -> None:
        for name, check in RUN_CHECKS.items():
            check((getattr(self, name),))


RECORD_CHECKS: dict[str, Check] = {
    "key": checks.names,
    "identity": checks.names,
    "url": checks.names,
    "status": checks.one_of(STATUSES),
    "processed_at": checks.times,
    "commit": checks.optional(checks.texts),
    "pushed_at": checks.optional(checks.texts),
    "fingerprint": checks.optional(checks.texts),
    "size_bytes": checks.optional(checks.counts),
    "tokens": checks.optional(checks.counts),
    "attempts": checks.counts,
    "failures": checks.counts,
    "seconds": checks.seconds_by_name,
    "duration_seconds": checks.seconds,
    "error_class": checks.optional(checks.texts),
    "error": checks.optional(checks.texts),
}
"""What each field of a Record may be, in their order."""
RUN_CHECKS: dict[str, Check] = {
    "run": checks.names,
    "shard": checks.names,
    "started_at": checks.times,
    "ended_at": checks.optional(checks.times),
    "feed_total": checks.optional(checks.counts),
    "done": checks.counts,
    "skipped": checks.counts_by_name,
    "exit_code": checks.optional(checks.counts),
}
"""What each field of a RunRecord may be, in their order."""


def now() -> str:
    """Return the time as records have it."""
    return time_text(datetime.now(UTC))


def time_text(moment: datetime) -> str:
    """Return *moment* as records have it.

    >>> time_text(datetime(2026, 11, 23, 10, tzinfo=UTC))
    '2026-11-23T10:00:00.000Z'
    """
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def to_line(record: Record | RunRecord) -> bytes:
    """Return *record* as a line of JSON: the same bytes for the same values."""
    names = RECORD_CHECKS if isinstance(record, Record) else RUN_CHECKS
    return to_json({name: getattr(record, name) for name in names}).encode() + b"\n"


def to_json(value: Mapping[str, Any]) -> str:
    """Return *value* as compact JSON, sorted by name."""
    return _ENCODER.encode(value)


def from_json(text: str) -> dict[str, Any]:
    """Return the object that *text* is. Raises ValueError, or RecursionError, where it is none."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 a value, not a type, is wrong
    return value
