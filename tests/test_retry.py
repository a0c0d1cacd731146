"""What is tried again, how often and when: by the policy's own decisions, without waiting."""

import asyncio

import pytest

from repomill import errors, retry
from repomill.deadline import Deadline
from repomill.errors import (
    CorruptError,
    CrashedError,
    DigestError,
    NetworkError,
    RateLimitedError,
    StoreError,
)
from repomill.retry import RepositoryPolicy

PERMANENT = sorted(
    {kind for kind in errors.RepoError.__subclasses__() if not kind.transient},
    key=lambda kind: kind.__name__,
)


def policy(*, attempts=3, seconds=300.0):
    told = []

    def on_retry(*, attempt, delay_seconds, error):
        told.append((attempt, delay_seconds, type(error)))

    return RepositoryPolicy(attempts, Deadline(seconds), on_retry), told


@pytest.mark.parametrize("kind", [NetworkError, RateLimitedError, CrashedError])
def test_a_passing_fault_is_retried_after_one_second_and_two(kind):
    decide, told = policy()
    delays = [decide.delay_seconds(kind("again")) for _ in range(3)]
    assert delays == [1.0, 2.0, False]
    assert told == [(1, 1.0, kind), (2, 2.0, kind)]


@pytest.mark.parametrize("kind", [CorruptError, DigestError])
def test_damage_is_retried_once(kind):
    decide, _ = policy(attempts=9)
    assert [decide.delay_seconds(kind("again")) for _ in range(2)] == [1.0, False]


@pytest.mark.parametrize("kind", PERMANENT)
def test_what_will_not_change_is_not_retried(kind):
    decide, told = policy()
    assert decide.delay_seconds(kind("for good")) is False
    assert told == []


def test_the_host_says_how_long_to_wait():
    decide, _ = policy()
    assert decide.delay_seconds(RateLimitedError("later", retry_after_seconds=42.0)) == 42.0


def test_a_host_in_a_hurry_is_not_asked_sooner_than_planned():
    decide, _ = policy()
    assert decide.delay_seconds(RateLimitedError("later", retry_after_seconds=0.0)) == 1.0


def test_nothing_is_waited_for_past_the_deadline():
    decide, told = policy(seconds=30)
    assert decide.delay_seconds(RateLimitedError("later", retry_after_seconds=60.0)) is False
    assert told == []


def test_a_defect_is_not_retried():
    decide, _ = policy()
    assert decide.delay_seconds(RuntimeError("unexpected")) is False


def test_delays_double_with_more_attempts():
    decide, _ = policy(attempts=5)
    assert [decide.delay_seconds(NetworkError("again")) for _ in range(5)] == [1, 2, 4, 8, False]


def test_the_attempts_follow_the_policy():
    async def main():
        decide, _ = policy(attempts=1)
        tried = 0
        async for attempt in retry.repository_attempts(decide):
            with attempt:
                tried += 1
                raise NetworkError("again")
        return tried

    with pytest.raises(NetworkError):
        asyncio.run(main())


def test_an_upload_is_tried_again_by_itself():
    async def main():
        tried = 0
        async for attempt in retry.upload_attempts():
            with attempt:
                tried += 1
                if tried < 2:
                    raise StoreError("not now")
        return tried

    assert asyncio.run(main()) == 2
