"""Log lines, for machines and for people."""

import json
import os
import re
import sys

import pytest
import structlog

from repomill import logs
from repomill.errors import DeadlineError, EmptyError, NetworkError
from repomill.model import Outcome, Repo, Status

REPO = Repo(
    host="github.com", owner="owner", name="name", clone_url="https://github.com/owner/name"
)
URL = "https://github.com/owner/name"


def hide(text: str) -> str:
    return text.replace("s3cret", "***")


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    yield
    structlog.reset_defaults()


@pytest.fixture
def lines(capsys):
    """What was logged since it was last asked, read as JSON."""
    logs.configure("json", "info", redact=hide)
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def log_outcome(**facts) -> None:
    logs.outcome(Outcome(repo=REPO, **facts), timeout_seconds=300.0)


def said(line):
    return line["level"], line["message"], line["context"]["metadata"]


def test_a_line_is_one_json_object(lines):
    logs.processing(REPO, attempt=2)

    (line,) = lines()

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "message": "Processing repository",
        "context": {"operation": "repomill", "metadata": {"repo_url": URL, "attempt": 2}},
    }


def test_a_digest_is_told_with_its_facts(lines):
    log_outcome(status=Status.STORED, duration_seconds=0.4204, commit="c", key="k")

    assert [said(line) for line in lines()] == [
        (
            "info",
            "Summary generated",
            {
                "repo_url": URL,
                "attempt": 1,
                "duration_seconds": 0.42,
                "status": "stored",
                "commit": "c",
                "key": "k",
            },
        )
    ]


def test_a_failure_is_told_with_its_class(lines):
    log_outcome(status=Status.FAILED, attempts=3, error=NetworkError("cut"))

    assert [said(line) for line in lines()] == [
        (
            "error",
            "Processing failed",
            {
                "repo_url": URL,
                "attempt": 3,
                "duration_seconds": 0,
                "attempts": 3,
                "error": "cut",
                "error_class": "network",
            },
        )
    ]


def test_a_timeout_is_said_before_the_failure(lines):
    log_outcome(status=Status.FAILED, error=DeadlineError("too long"))

    timeout, failure = map(said, lines())

    assert timeout == ("warning", "Timeout", {"repo_url": URL, "timeout_seconds": 300.0})
    assert failure[1] == "Processing failed"
    assert failure[2]["error_class"] == "timeout"


def test_an_empty_repository_is_no_failure(lines):
    log_outcome(status=Status.EMPTY, error=EmptyError("no commit"))

    ((level, message, facts),) = map(said, lines())

    assert (level, message) == ("warning", "Repository is empty")
    assert facts["status"] == "empty"


def test_statistics_are_logged_as_they_are(lines):
    logs.statistics({"total": 2, "failed_by_class": {"network": 1}})

    assert [said(line) for line in lines()] == [
        ("info", "Processing statistics", {"total": 2, "failed_by_class": {"network": 1}})
    ]


def test_no_text_however_deep_holds_a_secret(lines):
    log = structlog.get_logger()

    log.info("a s3cret", one="s3cret", many=["s3cret", {"inner": ("s3cret", 1)}], number=1)
    try:
        raise ValueError("s3cret")  # noqa: TRY301 its traceback is what is logged
    except ValueError:
        log.exception("failed")

    first, second = lines()
    assert "s3cret" not in json.dumps([first, second])
    assert first["message"] == "a ***"
    assert first["context"]["metadata"] == {
        "one": "***",
        "many": ["***", {"inner": ["***", 1]}],
        "number": 1,
    }
    assert "ValueError: ***" in second["context"]["metadata"]["exception"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_what_is_below_the_level_is_not_said(capsys, level, heard):
    logs.configure("json", level, redact=hide)
    log = structlog.get_logger()

    for method in (log.debug, log.info, log.warning, log.error):
        method("something")

    said = [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()]
    assert said == heard


def test_a_person_reads_a_line_without_braces(capsys):
    assert logs.configure("console", "info", redact=hide)

    structlog.get_logger().warning("Retrying", attempt=1, delay_seconds=None, error="s3cret")

    line = capsys.readouterr().err
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning Retrying +attempt=1  error=\*\*\*\n", line)


def test_auto_means_json_where_nobody_reads(capsys):
    assert not logs.configure("auto", "info", redact=hide)

    logs.processing(REPO)

    assert json.loads(capsys.readouterr().err)["message"] == "Processing repository"


def test_auto_means_a_person_on_a_terminal(monkeypatch):
    reading, writing = os.openpty()
    with open(reading, "rb") as screen, open(writing, "w") as terminal:  # noqa: PTH123 descriptors
        # The process's own stderr is no terminal while it is tested.
        monkeypatch.setattr(sys, "stderr", terminal)

        assert logs.configure("auto", "info", redact=hide)
        logs.processing(REPO)

        assert b"Processing repository" in os.read(screen.fileno(), 1000)
