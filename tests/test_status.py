"""`repomill status`: what the ledger knows, summed up and printed, and nothing changed."""

import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from repomill import show_status, status, urls
from repomill.cli import cli
from repomill.errors import StoreUnavailableError
from repomill.ledger import Index, Ledger, Record, RunRecord, new_run
from repomill.ledger.records import EPOCH, time_text
from repomill.ledger.snapshot import copy_index
from repomill.plan import Plan, Rules, Why
from repomill.status.queries import sum_up
from repomill.stores.local import LocalStore
from tests.ledger.making import Relay, Requests, record, run_record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOCUMENT = Path(__file__).parent.parent / "docs" / "reference" / "status.md"
COMMIT = "1" * 40


def ago(**span: float) -> str:
    return time_text(NOW - timedelta(**span))


def stored(key: str, **values: Any) -> Record:
    given: dict[str, Any] = {
        "commit": COMMIT,
        "size_bytes": 1000,
        "tokens": 10,
        "processed_at": ago(hours=1),
    }
    return record(key, **{**given, **values})


def failed(key: str, error_class: str | None = "network", **values: Any) -> Record:
    given: dict[str, Any] = {"failures": 1, "processed_at": ago(hours=1)}
    return record(key, status="failed", error_class=error_class, **{**given, **values})


def nightly(number: int, **values: Any) -> RunRecord:
    began = datetime(2026, 11, number, 2, tzinfo=UTC)
    given: dict[str, Any] = {
        "feed_total": 10,
        "exit_code": 0,
        "started_at": time_text(began),
    }
    return replace(run_record(f"night-{number:02}"), **{**given, **values})


@pytest.fixture
def report(tmp_path):
    """Return the function that sums up an index of records."""

    def sum_up_(*records):
        path = tmp_path / "index.sqlite"
        with Index(path) as index:
            index.learn(one for one in records if isinstance(one, Record))
            for one in records:
                if isinstance(one, RunRecord):
                    index.note_run(one)
        return sum_up(path, "the store", NOW)

    return sum_up_


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def write(store, tmp_path):
    """Return the function that leaves records in the store, as a run does, and an index."""

    def write_(*records, index=tmp_path / "runs.sqlite"):
        with Index(index) as opened:
            ledger = Ledger(store, opened, new_run())
            ledger.sync()
            opened.learn(records)
            ledger.finish(nightly(22))
        return index

    return write_


@pytest.fixture
def read(store, tmp_path):
    """Return the function that reads the ledger of the store."""

    def read_(local=None, folder=tmp_path / "scratch", of=store):
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        return status.read(of, local, folder, NOW)

    return read_


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What is counted


def test_statuses_and_error_classes_are_counted(report):
    found = report(
        stored("o/a"),
        stored("o/b", status="unchanged"),
        failed("o/c"),
        failed("o/d", "not_found"),
        failed("o/e"),
        failed("o/f", None),
        record("o/g", status="empty"),
        record("o/h", status="removed"),
    )
    assert found.by_status == {"empty": 1, "failed": 4, "removed": 1, "stored": 1, "unchanged": 1}
    assert found.by_error_class == {"network": 2, "not_found": 1, "unknown": 1}
    assert found.repositories == 7


def test_a_digest_from_before_a_failure_is_in_the_store(report):
    found = report(
        stored("o/a"),
        failed("o/b", commit=COMMIT, size_bytes=200, tokens=2),
        failed("o/c"),
        stored("o/d", size_bytes=None, tokens=None),
    )
    assert (found.size_bytes, found.tokens) == (1200, 12)
    assert found.coverage.digests == 3


def test_sums_that_no_integer_of_sqlite_takes_are_no_error(report):
    most = 2**63 - 1
    found = report(*(stored(f"o/{number}", size_bytes=most, tokens=most) for number in range(3)))
    assert found.size_bytes == found.tokens == pytest.approx(3 * most)


def test_the_newest_run_says_how_large_the_feed_is(report):
    found = report(
        stored("o/a"),
        stored("o/b"),
        stored("o/c"),
        nightly(20, feed_total=100),
        nightly(21, feed_total=8),
        nightly(22, feed_total=None),
    )
    assert asdict(found.coverage) == {
        "feed_total": 8,
        "digests": 3,
        "percent": 37.5,
        "shards": 1,
        "shards_complete": 1,
        "since": "2026-11-21T02:00:00.000Z",
    }


def test_what_has_left_the_feed_makes_no_more_than_all_of_it(report):
    found = report(stored("o/a"), stored("o/b"), nightly(20, feed_total=1))
    assert found.coverage.percent == 100.0


def test_of_each_shard_the_newest_run_counts(report):
    found = report(
        nightly(1, shard="2/4"),
        nightly(18, shard="0/4"),
        nightly(19, shard="1/4"),
        nightly(20, shard="0/4", exit_code=None),
        nightly(21, shard="2/4", exit_code=3),
        nightly(20, shard="3/14"),
        nightly(17, shard="0/1"),
    )
    assert found.coverage.shards == 4
    assert found.coverage.shards_complete == 2  # 1/4 and 2/4: 0/4 was interrupted, 3/4 never ran
    assert found.coverage.since == "2026-11-19T02:00:00.000Z"


def test_a_feed_of_nothing_has_no_share(report):
    assert report(nightly(20, feed_total=0)).coverage.percent is None


def test_the_ages_of_digests(report):
    found = report(
        stored("o/a", processed_at=ago(days=40)),
        stored("o/b", processed_at=ago(days=8)),
        stored("o/c", processed_at=ago(seconds=100), status="unchanged"),
        stored("o/d", processed_at=ago(seconds=90)),
        stored("o/e", processed_at=ago(seconds=10)),
        stored("o/f", processed_at=EPOCH),
        failed("o/g", processed_at=ago(days=50), commit=COMMIT),
        record("o/h", processed_at=ago(days=50), status="empty"),
    )
    assert asdict(found.ages) == {
        "digests": 5,
        "newest_seconds": 10,
        "median_seconds": 100,
        "oldest_seconds": 40 * 86_400,
        "older_than_days": {"1": 2, "7": 2, "30": 1},
    }


@pytest.mark.parametrize("seconds", [[5], [5, 10], [5, 10, 500], [1, 2, 3, 4], [7, 7, 7, 9000]])
def test_the_median_is_the_one_in_the_middle_or_the_older_of_two(report, seconds):
    found = report(
        *(stored(f"o/{n}", processed_at=ago(seconds=age)) for n, age in enumerate(seconds))
    )
    assert found.ages.median_seconds == sorted(seconds)[len(seconds) // 2]


def test_a_clock_that_is_ahead_makes_nothing_older_than_now(report):
    found = report(stored("o/a", processed_at=time_text(NOW + timedelta(hours=1))))
    assert found.ages.newest_seconds == 0


def test_the_slowest_come_first_with_their_slowest_stage(report):
    found = report(
        *(
            stored(f"o/{n:02}", duration_seconds=float(n), seconds={"fetch": 0.1 * n, "store": 0.2})
            for n in range(12)
        ),
        record("o/gone", status="removed", duration_seconds=99.0),
        stored("o/bare", duration_seconds=50.0),
    )
    assert [one.key for one in found.slowest] == [
        "o/bare",
        *(f"o/{n:02}" for n in range(11, 2, -1)),
    ]
    first, second, *_ = found.slowest
    assert (first.seconds, first.stage, first.stage_seconds) == (50.0, None, None)
    assert (second.seconds, second.stage) == (11.0, "fetch")
    assert second.stage_seconds == pytest.approx(1.1)


def test_organisations_are_told_apart_by_host_and_on_github_not_by_case(report):
    def at(url, name, one):
        return replace(one, key=f"{url}/{name}", url=f"https://{url}/{name}")

    found = report(
        at("github.com/Alpha", "a", failed("x/x", "timeout")),
        at("github.com/alpha", "b", failed("x/x", "network")),
        at("github.com/ALPHA", "c", failed("x/x", "network")),
        at("github.com/alpha", "d", stored("x/x")),
        at("github.com/alpha", "e", record("x/x", status="removed")),
        at("git.example:8443/alpha", "sub/f", failed("x/x", "timeout")),
        at("git.example:8443/alpha", "g", failed("x/x", "auth")),
        at("git.example:8443/Alpha", "h", stored("x/x")),
        at("github.com/fine", "i", stored("x/x")),
    )
    assert [tuple(asdict(one).values()) for one in found.failing_owners] == [
        ("github.com/alpha", 3, 4, "network"),
        ("git.example:8443/alpha", 2, 2, "auth"),
    ]


def test_ten_organisations_are_named(report):
    found = report(*(failed(f"owner{n:02}/name") for n in range(12)))
    assert [one.owner for one in found.failing_owners] == [
        f"github.com/owner{n:02}" for n in range(10)
    ]


def test_what_waits_and_until_when(report):
    found = report(
        failed("o/gone", "not_found", processed_at=ago(days=1)),
        failed("o/blocked", "blocked", processed_at=ago(days=6.9), failures=9),
        failed("o/now", "not_found", processed_at=ago(days=7.1)),
        failed("o/often", "network", processed_at=ago(days=1), failures=3),
        failed("o/seldom", "network", processed_at=ago(days=1), failures=2),
        failed("o/again", "network", processed_at=ago(days=3.1), failures=4),
    )
    assert found.waiting.repositories == 3
    assert found.waiting.by_day == {"2026-11-23": 1, "2026-11-25": 1, "2026-11-29": 1}
    assert [(one.key, one.failures, one.tried_again_at) for one in found.waiting.next] == [
        ("o/blocked", 9, "2026-11-23T14:24:00.000Z"),
        ("o/often", 3, "2026-11-25T12:00:00.000Z"),
        ("o/gone", 1, "2026-11-29T12:00:00.000Z"),
    ]


def test_what_waits_is_what_the_plan_leaves_alone(report, tmp_path):
    ages = [timedelta(hours=hours) for hours in range(0, 200, 6)]
    ages += [timedelta(days=days) for days in (3, 7)]
    classes = ["not_found", "blocked", "network", "timeout"]
    records = [
        failed(
            f"o/{name}-{failures}-{n}", name, processed_at=time_text(NOW - age), failures=failures
        )
        for n, age in enumerate(ages)
        for name in classes
        for failures in (1, 2, 3, 4)
    ]
    found = report(*records)
    with closing(Plan(tmp_path / "plan.sqlite")) as plan:
        plan.load((n, urls.parse(one.url)) for n, one in enumerate(records))
        identities = {item.key: item.identity for item in plan.items()}
        with Index(tmp_path / "known.sqlite") as index:
            index.learn(replace(one, identity=identities[one.key]) for one in records)
            plan.decide(index.path, Rules(fingerprint="now", now=NOW))
        assert found.waiting.repositories == plan.counts()[Why.WAITING] > 0


def test_after_the_year_9999_there_is_no_time_to_wait_for(report):
    found = report(failed("o/a", "not_found", processed_at="9999-12-31T00:00:00.000Z"))
    assert [one.tried_again_at for one in found.waiting.next] == ["9999-12-31T00:00:00.000Z"]


def test_the_newest_ten_runs(report):
    found = report(*(nightly(number, done=number) for number in range(1, 13)))
    assert [one.done for one in found.runs] == list(range(12, 2, -1))


# Where it is read from


def test_a_store_alone_is_enough_and_is_only_read(store, write, read):
    write(stored("o/a"), failed("o/b"))
    before = contents(store.root)

    found = read()

    assert (found.store, found.ledger, found.repositories) == (store.name, True, 2)
    assert contents(store.root) == before


def test_a_store_without_a_ledger_is_not_made(store, read):
    found = read()

    assert not found.ledger
    assert not store.root.exists()
    assert found.repositories == found.size_bytes == found.coverage.digests == 0


def test_an_index_saves_reading_the_store(store, write, read):
    index = write(stored("o/a"))
    relay = Relay(store)
    requests = Requests(relay)

    assert read(index, of=relay).repositories == 1
    assert [key for key in requests.of("get") if key.endswith(".gz")] == []


def test_what_is_newer_in_the_store_is_read_and_the_index_left_as_it_is(
    store, write, read, tmp_path
):
    index = write(stored("o/a"))
    write(stored("o/b"), index=tmp_path / "elsewhere.sqlite")
    before = contents(tmp_path)

    assert read(index, tmp_path / "scratch").repositories == 2
    after = contents(tmp_path)
    assert {name: body for name, body in after.items() if "/scratch/" not in name} == before


def test_an_index_of_another_store_is_not_believed(write, read, tmp_path):
    index = write(stored("o/a"))
    before = index.read_bytes()

    found = read(index, of=LocalStore(tmp_path / "other"))

    assert (found.ledger, found.repositories) == (False, 0)
    assert index.read_bytes() == before


@pytest.mark.parametrize("spoilt", [b"", b"no database" * 1000])
def test_an_index_that_is_none_is_passed_over(write, read, tmp_path, spoilt):
    write(stored("o/a"))
    (tmp_path / "none.sqlite").write_bytes(spoilt)

    assert read(tmp_path / "none.sqlite").repositories == 1
    assert (tmp_path / "none.sqlite").read_bytes() == spoilt
    assert read(tmp_path).repositories == 1
    assert read(tmp_path / "missing" / "index.sqlite").repositories == 1


def test_damage_that_is_found_late_costs_a_second_reading(write, read):
    index = write(stored("o/a"))
    with closing(sqlite3.connect(index)) as database:
        database.execute("UPDATE run SET skipped = 'no JSON'")
        database.commit()

    assert read(index).repositories == 1


AT_WORK = """if True:
    import sys
    from pathlib import Path
    from repomill.ledger import Index
    from tests.ledger.making import record
    with Index(Path(sys.argv[1])) as index:
        index.note(record("o/just-now"))
        print("open", flush=True)
        sys.stdin.read()
"""


def test_while_a_run_has_the_index_its_outcomes_are_counted(write, read):
    index = write(stored("o/a"))
    with subprocess.Popen(
        [sys.executable, "-c", AT_WORK, index],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"open\n"

        found = read(index)

        assert process.poll() is None
        process.communicate()
    assert process.returncode == 0
    assert found.repositories == 2


def test_a_run_can_begin_while_an_index_is_copied(write, read, tmp_path, monkeypatch):
    index = write(stored("o/a"))

    def begin(*_):
        with Index(index) as opened:
            opened.note(record("o/b"))

    monkeypatch.setattr("repomill.ledger.snapshot._refuse_to_wait", begin)
    assert copy_index(index, tmp_path / "copy.sqlite")
    assert sum_up(tmp_path / "copy.sqlite", "", NOW).repositories == 1


def test_a_file_that_others_keep_locked_is_not_waited_for(tmp_path):
    theirs = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(theirs, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        assert not copy_index(theirs, tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


# How it is printed


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return the function that runs the command for a user without settings."""
    for name in os.environ:
        if name.startswith(("REPOMILL_", "R2_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("REPOMILL_STORE", str(tmp_path / "store"))

    def run(*arguments):
        return CliRunner().invoke(cli, ["status", *arguments], standalone_mode=False)

    return run


def shape(value):
    """Return *value* with all that may differ between two reports made the same."""
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    if isinstance(value, dict) and not value.keys() & {"1", "network", "2026-11-24", "unchanged"}:
        return {name: shape(one) for name, one in value.items()}
    return type(value)


FULL = (
    stored("o/a", duration_seconds=2.5, seconds={"fetch": 2.0}),
    failed("o/b", "not_found", processed_at=time_text(datetime(2026, 11, 17, 1, tzinfo=UTC))),
    failed("o/c", "network"),
    nightly(22, ended_at="2026-11-22T03:00:00.000Z", skipped={"unchanged": 7}),
)


def test_the_json_is_as_documented(report):
    (documented,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    expected, found = json.loads(documented), json.loads(show_status.as_json(report(*FULL)))

    assert shape(found) == shape(expected)
    assert list(found) == list(expected)
    assert found["by_status"].keys() == expected["by_status"].keys()
    assert found["by_error_class"] == {"network": 1, "not_found": 1}
    assert found["waiting"]["by_day"] == {"2026-11-24": 1}
    assert found["ages"]["older_than_days"] == {"1": 0, "7": 0, "30": 0}
    assert found["runs"][0]["skipped"] == {"unchanged": 7}


def test_without_a_ledger_it_says_so_and_all_is_zero(command, tmp_path):
    told = command()
    assert told.return_value == 0
    assert "There is no ledger" in told.stdout
    assert str(tmp_path / "store") in told.stdout.replace("\n", "")

    found = json.loads(command("--format", "json").stdout)
    zeros = (found["ledger"], found["repositories"], found["coverage"]["digests"])
    assert zeros == (False, 0, 0)
    assert found["coverage"]["feed_total"] is None
    assert found["ages"]["median_seconds"] is None
    assert set(found["by_status"].values()) == {0}
    assert found["slowest"] == found["failing_owners"] == found["runs"] == []


def test_each_part_of_the_table_fits_80_columns(report):
    long = "a-name-of-a-repository-that-goes-on-and-on-" * 5
    lines = show_status.as_table(
        report(*FULL, failed(f"{long}/x", "not_found", duration_seconds=3.0))
    ).decode()
    assert max(map(len, lines.splitlines())) <= 80
    assert "\x1b" not in lines
    for said in (
        "the store at 2026-11-23 12:00 UTC",
        "Digests   1 of 4 known repositories",
        "Feed      10 repositories, 10.0 % have a digest",
        "the run of 2026-11-22 02:00 is done",
        "tried again by the next run: 1",
        "waiting: 2, until 2026-11-24: 1, 2026-11-30: 1",
    ):
        assert said in lines


def test_shards_and_interruptions_are_told(report):
    told = show_status.as_table(report(nightly(22, shard="0/3", exit_code=None))).decode()
    assert "0 of 3 shards done, in runs since 2026-11-22 02:00" in told
    assert "interrupted" in told


def test_a_name_cannot_harm_a_terminal(report):
    name = "owner/\x1b[2J\u202e[red]\n:smile:name"
    bad = failed(name, "not_found\x07", url=f"https://h\x00st/{name}", duration_seconds=9.0)
    runs = nightly(22, shard="\x1b[0m")
    lines = show_status.as_table(report(bad, replace(bad, key="o", url="?"), runs)).decode()
    assert not set(lines) & set("\x00\x07\x1b\u202e")
    assert r"\033[2J\342\200\256[red]\n:smile:name" in lines.replace("\n", "")
    json.loads(show_status.as_json(report(bad, runs)))


def test_a_stdout_that_cannot_spell_a_name_is_given_it_escaped(report, monkeypatch):
    ascii_ = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_)
    told = show_status.as_table(report(stored("o/h\u00e9", duration_seconds=1.0)))
    assert b"o/h\\xe9" in told


def test_an_explicit_index_is_read(command, write):
    index = write(stored("o/a"))
    with Index(index) as opened:
        opened.note(stored("o/b"))
    told = command("--ledger", str(index), "--format", "json")
    assert json.loads(told.stdout)["repositories"] == 2
    assert json.loads(command("--format", "json").stdout)["repositories"] == 1


def test_a_store_out_of_reach_is_an_error(command, monkeypatch):
    def refuse(self, key):
        raise StoreUnavailableError("it is away")

    monkeypatch.setattr(LocalStore, "get", refuse)
    assert isinstance(command().exception, StoreUnavailableError)
