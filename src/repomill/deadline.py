"""One deadline that several steps share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from repomill.errors import DeadlineError


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which work on one repository ends, all its attempts together."""

    timeout_seconds: float
    _started: float = field(default_factory=time.monotonic)

    def remaining_seconds(self) -> float:
        """Return the seconds left; DeadlineError when there are none."""
        if (left := self.left_seconds()) <= 0:
            raise self.passed()
        return left

    def left_seconds(self) -> float:
        """Return the seconds left, none or less when it has passed."""
        return self.timeout_seconds - self.spent_seconds()

    def spent_seconds(self) -> float:
        """Return the seconds since it was set."""
        return time.monotonic() - self._started

    def passed(self) -> DeadlineError:
        """Return the error that says so."""
        return DeadlineError(
            f"not done within {self.timeout_seconds:g} s; give it longer with --timeout"
        )
