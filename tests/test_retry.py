"""What is tried again, how often and when: by the policy's own decisions, without waiting."""

import asyncio

import pytest
from structlog.testing import capture_logs

from repomill import errors, retry
from repomill.deadline import Deadline
from repomill.errors import (
    CorruptError,
    CrashedError,
    DigestError,
    NetworkError,
    RateLimitedError,
    StoreError,
    StoreUnavailableError,
)
from repomill.retry import Patience, RepositoryPolicy

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


class Server:
    """Stands in for a store: fails with these errors, one a call, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


DOWN = [StoreUnavailableError("down") for _ in range(50)]


def test_a_store_that_comes_back_is_waited_for_and_told_of_once():
    server = Server(*DOWN[:3])

    with capture_logs() as lines:
        assert Patience(60).insist(server) == "answer"

    assert server.asked == 4
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("Waiting for the store", "warning"),
        ("The store answers again", "info"),
    ]
    assert lines[0]["error"] == "down"
    assert lines[0]["patience_seconds"] == 60


def test_a_connection_that_was_idle_too_long_is_not_worth_a_line():
    with capture_logs() as lines:
        assert Patience(60).insist(Server(*DOWN[:1])) == "answer"

    assert lines == []


def test_a_store_that_stays_away_is_given_up():
    server = Server(*DOWN)

    with pytest.raises(StoreUnavailableError, match="down"):
        Patience(1).insist(server)

    assert server.asked == 4  # at 0 s, 0.25 s, 0.75 s, and 1 s instead of 1.75 s


def test_patience_that_has_run_out_is_not_begun_anew_by_the_next_call():
    patience = Patience(0.3)
    with pytest.raises(StoreUnavailableError):
        patience.insist(Server(*DOWN))

    next_call = Server(*DOWN)
    with pytest.raises(StoreUnavailableError):
        patience.insist(next_call)

    assert next_call.asked <= 2  # by a hair of time twice; it has no time of its own


def test_an_answer_gives_the_store_all_its_time_again():
    patience = Patience(0.3)
    with pytest.raises(StoreUnavailableError):
        patience.insist(Server(*DOWN))
    patience.insist(Server())

    assert patience.insist(Server(*DOWN[:1])) == "answer"


def test_one_request_that_never_succeeds_is_given_up_while_others_do():
    patience = Patience(1)
    others = Server()

    class Refused(Server):
        def __call__(self) -> str:
            patience.insist(others)
            return super().__call__()

    with pytest.raises(StoreUnavailableError):
        patience.insist(Refused(*DOWN))


def test_what_does_not_pass_is_not_waited_for():
    server = Server(StoreError("denied"))

    with pytest.raises(StoreError, match="denied"):
        Patience(60).insist(server)

    assert server.asked == 1
