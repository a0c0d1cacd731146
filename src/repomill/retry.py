"""When to try again: one policy for repositories, one for what a store is asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import stamina
import structlog

from repomill.errors import (
    CorruptError,
    DigestError,
    RateLimitedError,
    RepoError,
    StoreUnavailableError,
)
from repomill.threads import within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from repomill.deadline import Deadline

FIRST_DELAY_SECONDS = 1.0
FIRST_STORE_DELAY_SECONDS = 0.25
MAX_STORE_DELAY_SECONDS = 5.0
ANNOUNCED_AFTER_SECONDS = 0.5
SLOW_SECONDS = 10.0
"""So long may a store think before somebody is told."""
MIN_TRY_SECONDS = 5.0
MAX_TRY_SECONDS = 60.0
SLOWEST_BYTES_A_SECOND = 1 << 18

_Answer = TypeVar("_Answer")

_log = structlog.get_logger()

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


class Patience:
    """How long a store is waited for: by all threads together, as it is one store.

    Of all calls none is given up before the store has been silent to it, and to all others, for
    the seconds given. Only what may pass is waited for.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._silent_since: float | None = None
        self._announced = False

    def insist(
        self, call: Callable[[], _Answer], *, size_bytes: int = 0, store: str = "the store"
    ) -> _Answer:
        """Return what *call* returns, in the end. Raises its error once patience has run out.

        A try that takes too long, for the *size_bytes* it sends, is one that failed; *store* is
        what then did not answer.
        """
        wait = _Wait(self)
        for attempt in stamina.retry_context(on=wait.delay_seconds, attempts=None, timeout=None):
            with attempt:
                answer = self._try(call, size_bytes, store)
        self._answered()
        return answer

    def left_seconds(self, error: StoreUnavailableError, wait: _Wait) -> float:
        """Return how much longer the store is waited for; it has just failed."""
        with self._lock:
            now = time.monotonic()
            self._silent_since = self._silent_since or now
            silent_seconds = now - self._silent_since
            left = self.seconds - max(silent_seconds, now - wait.since)
        # A failure may be no more than a connection that was idle too long, or one bad object.
        if left > 0 and silent_seconds >= ANNOUNCED_AFTER_SECONDS:
            self._announce(str(error))
        return left

    def _try(self, call: Callable[[], _Answer], size_bytes: int, store: str) -> _Answer:
        seconds = self._try_seconds() + size_bytes / SLOWEST_BYTES_A_SECOND
        try:
            return within(
                seconds,
                call,
                slow_seconds=SLOW_SECONDS + size_bytes / SLOWEST_BYTES_A_SECOND,
                on_slow=lambda: self._announce(f"{store} is slow to answer"),
            )
        except TimeoutError:
            raise StoreUnavailableError(f"{store} has not answered in {seconds:.1f} s") from None

    def _try_seconds(self) -> float:
        """Return how long one try may take; once patience has run out, no longer than a moment."""
        with self._lock:
            silent_since = self._silent_since
        exhausted = silent_since and time.monotonic() - silent_since > self.seconds
        return (
            MIN_TRY_SECONDS
            if exhausted
            else min(max(self.seconds, MIN_TRY_SECONDS), MAX_TRY_SECONDS)
        )

    def _announce(self, error: str) -> None:
        with self._lock:
            announced, self._announced = self._announced, True
        if not announced:
            _log.warning("Waiting for the store", error=error, patience_seconds=self.seconds)

    def _answered(self) -> None:
        with self._lock:
            announced, self._announced = self._announced, False
            self._silent_since = None
        if announced:
            _log.info("The store answers again")


@dataclass(slots=True)
class _Wait:
    """One call's part in it: the delays grow with its own failures."""

    patience: Patience
    since: float = field(default_factory=time.monotonic)
    failures: int = 0

    def delay_seconds(self, error: Exception) -> float | bool:
        if not isinstance(error, StoreUnavailableError):
            return False
        self.failures += 1
        delay = min(FIRST_STORE_DELAY_SECONDS * 2 ** (self.failures - 1), MAX_STORE_DELAY_SECONDS)
        left = self.patience.left_seconds(error, self)
        return min(delay, left) if left > 0 else False  # the last try is at the very end
