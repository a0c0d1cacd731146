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
        left = self._started + self.timeout_seconds - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> DeadlineError:
        """Return the error that says so."""
        return DeadlineError(
            f"not done within {self.timeout_seconds:g} s; give it longer with --timeout"
        )
