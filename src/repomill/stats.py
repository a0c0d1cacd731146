"""Statistics over any number of outcomes, in constant memory."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from repomill.model import Status

if TYPE_CHECKING:
    from repomill.model import Outcome

_BUCKET = math.log(1.02)
"""Durations are kept in buckets 2 % wide: a percentile is right to 1 %."""
_SHORTEST_SECONDS = 1e-4


class Statistics:
    """Counts outcomes as they come."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._statuses: Counter[Status] = Counter()
        self._failures: Counter[str] = Counter()
        self._buckets: Counter[int] = Counter()
        self._seconds = 0.0
        self._bytes = 0
        self._waiting = 0

    def add(self, outcome: Outcome) -> None:
        """Count *outcome*."""
        self._statuses[outcome.status] += 1
        if outcome.status is Status.FAILED and outcome.error:
            self._failures[outcome.error.error_class] += 1
        self._seconds += outcome.duration_seconds
        self._bytes += outcome.bytes_stored
        self._buckets[_bucket(outcome.duration_seconds)] += 1

    def skip(self, *, unchanged: int, waiting: int) -> None:
        """Count repositories on which no work was done: they take no time in the averages."""
        self._statuses[Status.UNCHANGED] += unchanged
        self._waiting += waiting

    @property
    def total(self) -> int:
        """How many outcomes there were; what was skipped as unchanged is one."""
        return self._statuses.total()

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self._statuses[Status.FAILED]

    @property
    def worked_on(self) -> int:
        """How many of them took work."""
        return self._buckets.total()

    def report(self) -> dict[str, Any]:
        """Return the figures of the ``Processing statistics`` log line; seconds and bytes."""
        total = self.total
        worked_on = self.worked_on
        return {
            "total": total,
            "successful": total - self.failed,
            "failed": self.failed,
            "unchanged": self._statuses[Status.UNCHANGED],
            "waiting": self._waiting,
            "average_seconds": round(self._seconds / worked_on, 3) if worked_on else 0.0,
            "p50_seconds": self._percentile(0.50),
            "p95_seconds": self._percentile(0.95),
            "elapsed_seconds": round(time.monotonic() - self._started, 3),
            "bytes_stored": self._bytes,
            "failed_by_class": dict(sorted(self._failures.items())),
        }

    def _percentile(self, share: float) -> float:
        """Return the duration that *share* of the outcomes did not exceed."""
        rank = math.ceil(share * self._buckets.total())
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return round(math.exp((bucket + 0.5) * _BUCKET), 3)
        return 0.0


def _bucket(seconds: float) -> int:
    return math.floor(math.log(max(seconds, _SHORTEST_SECONDS)) / _BUCKET)
