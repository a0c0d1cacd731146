"""When to try again: one policy for repositories, one for uploads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import stamina

from repomill.errors import CorruptError, DigestError, RateLimitedError, RepoError, StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from repomill.deadline import Deadline

FIRST_DELAY_SECONDS = 1.0
UPLOAD_ATTEMPTS = 5

# Stamina's own log line would come beside ours.
stamina.instrumentation.set_on_retry_hooks([])

_RETRIED_ONCE = (CorruptError, DigestError)


class OnRetry(Protocol):
    """Told of each retry before its delay."""

    def __call__(self, *, attempt: int, delay_seconds: float, error: RepoError) -> None:
        """Take note that attempt number *attempt* failed with *error*."""


@dataclass(slots=True)
class RepositoryPolicy:
    """Decides after each failed attempt at one repository.

    Rate limits, broken networks and crashed workers are retried 1 s, 2 s, 4 s … later, or when the
    host says; damaged data and failed digests once. Never is waited past the deadline: then the
    failure stands as it is.
    """

    attempts: int
    deadline: Deadline
    on_retry: OnRetry
    failures: int = 0
    _by_class: Counter[type[RepoError]] = field(default_factory=Counter)

    def delay_seconds(self, error: Exception) -> float | bool:
        """Return how long to wait before the next attempt, or False for no other."""
        self.failures += 1
        if not isinstance(error, RepoError) or not self._wants(error):
            return False
        delay: float = FIRST_DELAY_SECONDS * 2 ** (self.failures - 1)
        if isinstance(error, RateLimitedError) and error.retry_after_seconds is not None:
            delay = max(delay, error.retry_after_seconds)
        if delay >= self.deadline.left_seconds():
            return False
        self.on_retry(attempt=self.failures, delay_seconds=delay, error=error)
        return delay

    def _wants(self, error: RepoError) -> bool:
        """Whether a failure of this kind is worth another attempt."""
        self._by_class[type(error)] += 1
        most = 1 if type(error) in _RETRIED_ONCE else self.attempts
        return (
            error.transient
            and self.failures < self.attempts
            and self._by_class[type(error)] <= most
        )


def repository_attempts(policy: RepositoryPolicy) -> AsyncIterator[stamina.Attempt]:
    """Yield attempts as long as *policy* wants another; each is a context manager."""
    return stamina.retry_context(on=policy.delay_seconds, attempts=None, timeout=None).__aiter__()


def upload_attempts() -> AsyncIterator[stamina.Attempt]:
    """Yield attempts at an upload, retried by itself: nothing is fetched again."""
    return stamina.retry_context(
        on=StoreError, attempts=UPLOAD_ATTEMPTS, timeout=None, wait_initial=0.5, wait_jitter=0
    ).__aiter__()
