"""The tree of errors: what each is called in logs, and which are worth another try."""

import pickle
import re

import pytest

from repomill import errors
from repomill.errors import RateLimitedError, RepoError, RepomillError, UsageError

FAILURES = {
    *("not_found", "auth", "blocked", "bad_key", "unsupported", "rate_limited", "network"),
    *("timeout", "too_large", "corrupt", "out_of_memory", "crashed", "digest", "store"),
}
NOT_OF_A_FLEET = {"bad_url"}  # costs an entry of a feed, or a digest asked for by hand
STATUSES = {"empty"}
TRIED_AGAIN = {"rate_limited", "network", "crashed", "corrupt", "digest"}

REPO_ERRORS = RepoError.__subclasses__()


def test_every_class_of_failure_has_one_error():
    classes = [error.error_class for error in REPO_ERRORS]

    assert sorted(classes) == sorted(FAILURES | NOT_OF_A_FLEET | STATUSES)


def test_only_what_may_pass_is_tried_again():
    assert {error.error_class for error in REPO_ERRORS if error.transient} == TRIED_AGAIN


def test_the_docstring_draws_the_whole_tree():
    drawn = dict(re.findall(r"^        [├└]── (\w+) +(\w+)", errors.__doc__ or "", re.MULTILINE))

    assert drawn == {error.__name__: error.error_class for error in REPO_ERRORS}


def test_what_the_user_asked_for_costs_no_repository():
    assert not issubclass(UsageError, RepoError)
    assert issubclass(UsageError, RepomillError)
    assert issubclass(RepoError, RepomillError)


@pytest.mark.parametrize("error", REPO_ERRORS, ids=lambda error: error.error_class)
def test_a_worker_can_send_it(error):
    sent = pickle.loads(pickle.dumps(error("what happened")))  # noqa: S301 our own bytes

    assert type(sent) is error
    assert str(sent) == "what happened"


def test_a_worker_can_send_how_long_to_wait():
    error = RateLimitedError("slower, please", retry_after_seconds=1.5)

    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 our own bytes

    assert sent.retry_after_seconds == 1.5
    assert str(sent) == "slower, please"


def test_a_host_need_not_say_how_long_to_wait():
    assert RateLimitedError("slower, please").retry_after_seconds is None
