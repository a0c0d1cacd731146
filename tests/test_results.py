"""What a worker leaves is read as data from a stranger."""

import json
import os

import pytest

from repomill import results
from repomill.errors import CrashedError, EmptyError, RateLimitedError, TooLargeError
from repomill.task import DIGEST, METADATA, RESULT

FACTS = {"commit": "c" * 40, "files": 1, "tokens": 2, "fingerprint": "f", "full_name": "o/n"}


def leave(folder, **values):
    (folder / RESULT).write_text(json.dumps({"seconds": {"fetch": 0.5}, **values}))


def test_a_digest_is_read(tmp_path):
    leave(tmp_path, digest=FACTS)
    (tmp_path / DIGEST).write_bytes(b"digest")
    (tmp_path / METADATA).write_bytes(b"{}")
    result = results.read(tmp_path)
    assert result.made
    assert (result.made.body, result.made.metadata) == (b"digest", b"{}")
    assert result.seconds == {"fetch": 0.5}


def test_an_error_keeps_its_class_and_what_the_host_asked_for(tmp_path):
    leave(
        tmp_path,
        error={"class": "rate_limited", "message": "later", "retry_after_seconds": 3},
    )
    error = results.read(tmp_path).error
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == 3.0


def test_an_error_without_a_time_has_none(tmp_path):
    leave(tmp_path, error={"class": "empty", "message": "x" * 9999, "retry_after_seconds": None})
    error = results.read(tmp_path).error
    assert isinstance(error, EmptyError)
    assert len(str(error)) == 2000


def test_a_move_names_the_new_address(tmp_path):
    leave(tmp_path, moved_to="https://example.org/o/n")
    assert results.read(tmp_path).moved_to == "https://example.org/o/n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"seconds": 1}',
        '{"seconds": {"fetch": "x"}}',
        '{"seconds": {}, "digest": {}}',
        '{"seconds": {}, "digest": {"commit": "c", "files": [], "tokens": 1, "fingerprint": ""}}',
        '{"seconds": {"fetch": NaN}, "unchanged": true}',
        '{"seconds": {"fetch": Infinity}, "unchanged": true}',
        '{"seconds": {"fetch": -1}, "unchanged": true}',
        '{"seconds": {"' + "s" * 41 + '": 1}, "unchanged": true}',
        json.dumps({"seconds": {str(stage): 1 for stage in range(17)}, "unchanged": True}),
        '{"seconds": {}, "error": {"class": 1}}',
        "[" * 100_000,
    ],
)
def test_a_result_of_another_shape_is_a_crash(tmp_path, text):
    (tmp_path / RESULT).write_text(text)
    with pytest.raises(CrashedError):
        results.read(tmp_path)


def test_an_unknown_class_is_a_crash_of_the_worker(tmp_path):
    leave(tmp_path, error={"class": "made_up", "message": "", "retry_after_seconds": None})
    assert isinstance(results.read(tmp_path).error, CrashedError)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    leave(tmp_path, digest=FACTS)
    (tmp_path / DIGEST).symlink_to(tmp_path / "secret")
    with pytest.raises(CrashedError):
        results.read(tmp_path)


def test_a_pipe_does_not_hold_the_reader(tmp_path):
    os.mkfifo(tmp_path / RESULT)
    with pytest.raises(CrashedError):
        results.read(tmp_path)


def test_a_result_without_end_is_too_large(tmp_path):
    with (tmp_path / RESULT).open("wb") as file:
        file.truncate(results.MAX_RESULT_BYTES + 1)
    with pytest.raises(TooLargeError):
        results.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("tokens", -1), ("tokens", 2**70), ("tokens", 1.5), ("tokens", "1"), ("tokens", None)],
        *[("files", -1), ("files", 2**70), ("files", True), ("files", "")],
        *[("commit", ""), ("commit", "C" * 40), ("commit", "c" * 65), ("commit", "\ud800")],
        *[("fingerprint", ""), ("fingerprint", "f\n"), ("fingerprint", "f" * 65)],
        *[("commit", 1), ("fingerprint", None)],
    ],
    ids=repr,
)
def test_facts_that_cannot_be_are_a_crash(tmp_path, name, value):
    (tmp_path / DIGEST).write_bytes(b"a digest")
    (tmp_path / METADATA).write_bytes(b"{}")
    leave(tmp_path, digest={**FACTS, name: value})

    with pytest.raises(CrashedError):
        results.read(tmp_path)
