"""The deadline that several steps share."""

import math
from time import monotonic

import pytest

from repomill.deadline import Deadline
from repomill.errors import DeadlineError


@pytest.mark.parametrize("seconds", [0, -1, -math.inf])
def test_no_time_has_passed_at_once(seconds):
    with pytest.raises(DeadlineError):
        Deadline(seconds).remaining_seconds()


def test_what_is_left_shrinks_as_the_clock_goes():
    before = monotonic()
    deadline = Deadline(60)
    first = deadline.remaining_seconds()
    second = deadline.remaining_seconds()
    after = monotonic()

    assert 60 - (after - before) <= second <= first <= 60


def test_the_error_says_what_to_do():
    assert str(Deadline(2.50).passed()) == "not done within 2.5 s; give it longer with --timeout"
