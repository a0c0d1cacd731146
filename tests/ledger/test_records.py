"""What a record may be, and the line that it makes."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from repomill.ledger import REMOVED, Record, now
from repomill.ledger.records import RECORD_CHECKS, RUN_CHECKS, time_text, to_line
from repomill.model import Status
from tests.ledger.making import STORED, record, run_record


def test_a_line_is_json_in_a_fixed_order():
    line = to_line(record(tokens=3, seconds={"store": 0.5, "fetch": 1}))

    assert line == (
        b'{"attempts":0,"commit":null,"duration_seconds":0.0,"error":null,"error_class":null,'
        b'"failures":0,"fingerprint":null,"identity":"github.com:443/owner/name None",'
        b'"key":"owner/name","processed_at":"2026-11-23T10:00:00.000Z","pushed_at":null,'
        b'"seconds":{"fetch":1,"store":0.5},"size_bytes":null,"status":"stored","tokens":3,'
        b'"url":"https://github.com/owner/name"}\n'
    )


def test_a_line_has_every_value():
    whole = record(
        **STORED, error="no", error_class="network", attempts=3, failures=2, duration_seconds=1.5
    )

    assert set(json.loads(to_line(whole))) == set(RECORD_CHECKS)
    assert set(json.loads(to_line(run_record(ended_at=now(), feed_total=1, exit_code=0)))) == set(
        RUN_CHECKS
    )


@pytest.mark.parametrize("status", [*Status, REMOVED])
def test_every_status_can_be_recorded(status):
    assert f'"status":"{status}"'.encode() in to_line(record(status=status))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("key", ""), ("key", None), ("identity", 1), ("url", "x" * 20_000), ("url", "\ud800")),
        *(("status", "done"), ("status", None), ("status", [])),
        *(("processed_at", None), ("processed_at", "2026-11-23T10:00:00Z")),
        *(
            ("processed_at", "2026-13-23T10:00:00.000Z"),
            ("processed_at", "2026-W47-1T10:00:00.000Z"),
        ),
        *(("processed_at", "2026-11-23T10:00:00.000Z\n"), ("processed_at", 1)),
        *(("commit", 1), ("commit", ["a"]), ("pushed_at", "\udfff"), ("fingerprint", False)),
        *(("size_bytes", -1), ("size_bytes", 1.0), ("size_bytes", ""), ("tokens", True)),
        *(("tokens", 2**63), ("attempts", None), ("failures", "1")),
        *(("seconds", None), ("seconds", []), ("seconds", {"": 1.0}), ("seconds", {"a": None})),
        *(("seconds", {"a": -1}), ("seconds", {"a": True}), ("seconds", {"a": float("nan")})),
        ("seconds", {str(number): 1.0 for number in range(100)}),
        *(("duration_seconds", float("inf")), ("duration_seconds", 10**400)),
        *(("error_class", 1), ("error", 1)),
    ],
)
def test_a_record_that_cannot_be_is_refused(name, value):
    with pytest.raises((ValueError, TypeError)):
        record(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("run", ""), ("shard", 1), ("ended_at", "yesterday"), ("feed_total", -1)),
        *(("done", None), ("skipped", {"unchanged": 1.5}), ("skipped", None), ("exit_code", -9)),
    ],
)
def test_a_run_that_cannot_be_is_refused(name, value):
    with pytest.raises((ValueError, TypeError)):
        run_record(**{name: value})


def test_an_error_is_cut_and_made_writable():
    cut = record(error="no \ud800" + "!" * 5000).error

    assert cut is not None
    assert cut.startswith("no ?!")
    assert len(cut) == 2000


def test_times_are_in_the_order_of_their_texts():
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n) for n in range(1500)]

    texts = [time_text(moment) for moment in moments]

    assert texts == sorted(texts)
    assert len(set(texts)) == len(texts)


def test_a_time_is_written_in_utc():
    moment = datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=2)))

    assert time_text(moment) == "2026-11-23T10:30:00.000Z"


def test_what_is_made_now_is_a_record():
    assert isinstance(record(processed_at=now()), Record)
