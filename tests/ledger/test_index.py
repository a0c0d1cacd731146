"""What the index knows after what it was told."""

import contextlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.ledger import REMOVED, Index, Record
from repomill.ledger.bulk import chunk
from tests.ledger.making import COMMIT, NOTHING, STORED, known, record, run_record


@pytest.fixture
def index(tmp_path):
    with Index(tmp_path / "index.sqlite") as index:
        yield index


def load(index: Index, part: str, *records) -> None:
    index.load(part, lambda: [chunk(records)])


def said(record: Record | None) -> dict[str, object]:
    """Return what is said of the digest in the store."""
    return {name: getattr(record, name) for name in STORED}


def test_what_was_noted_is_known(index):
    noted = record(**STORED, seconds={"fetch": 0.5}, attempts=2, duration_seconds=1.5)

    assert index.note(noted) == noted
    assert index.get(noted.key) == noted
    assert index.get("o/other") is None
    assert len(index) == 1


def test_a_failure_leaves_what_is_known_of_the_digest_and_counts(index):
    index.note(record(**STORED))

    failed = [
        index.note(record(at=n, status="failed", error_class="network", error="no", commit="1"))
        for n in (1, 2, 3)
    ]

    assert [one.failures for one in failed] == [1, 2, 3]
    assert [said(one) for one in failed] == [STORED] * 3
    assert failed[2].error_class == "network"
    assert failed[2].processed_at == "2026-11-23T10:00:03.000Z"


def test_a_failure_says_nothing_of_a_digest_that_is_not_known(index):
    failed = index.note(record(status="failed", **STORED))

    assert said(failed) == NOTHING
    assert failed.failures == 1


def test_a_failure_of_another_repository_says_nothing_of_the_digest_under_its_key(index):
    index.note(record(**STORED))
    index.note(record(status="failed"))

    failed = index.note(record(identity="example.org/owner/name", status="failed"))

    assert said(failed) == NOTHING
    assert failed.failures == 1


@pytest.mark.parametrize("status", ["stored", "unchanged", "empty", REMOVED])
def test_what_is_no_failure_ends_the_row_of_failures(index, status):
    index.note(record(status="failed", error="no", error_class="network"))

    noted = index.note(record(at=1, status=status))

    assert (noted.failures, noted.error, noted.error_class) == (0, None, None)
    assert index.note(record(at=2, status="failed")).failures == 1


def test_what_is_unchanged_keeps_the_sizes_that_it_does_not_know(index):
    index.note(record(**STORED))

    noted = index.note(
        record(at=1, status="unchanged", commit=COMMIT, pushed_at="later", fingerprint="other")
    )
    assert said(noted) == {**STORED, "pushed_at": "later", "fingerprint": "other"}

    noted = index.note(record(at=2, status="unchanged", size_bytes=5, tokens=0))
    assert (noted.size_bytes, noted.tokens) == (5, 0)


@pytest.mark.parametrize("status", ["stored", "empty", REMOVED])
def test_nothing_else_keeps_what_was_known(index, status):
    index.note(record(**STORED))

    assert said(index.note(record(at=1, status=status))) == NOTHING


def test_what_is_noted_last_is_the_latest_whatever_the_clock_says(index):
    load(index, "part", record(at=100))

    times = [index.note(record(at=at)).processed_at for at in (50, 50, 100, 200)]

    assert times == [
        "2026-11-23T10:01:40.001Z",
        "2026-11-23T10:01:40.002Z",
        "2026-11-23T10:01:40.003Z",
        "2026-11-23T10:03:20.000Z",
    ]


def test_the_last_of_all_times_is_no_obstacle(index):
    load(index, "part", record(processed_at="9999-12-31T23:59:59.999Z"))

    assert index.note(record()).processed_at == "2026-11-23T10:00:00.000Z"


def test_of_a_key_the_newest_record_counts(index):
    load(index, "b", record(at=2, commit="2"), record("o/other"))
    load(index, "a", record(at=1, commit="1"))
    assert known(index)["owner/name"].commit == "2"

    load(index, "c", record(at=3, commit="3"))
    assert known(index)["owner/name"].commit == "3"
    assert index.parts() == {"a", "b", "c"}


NULLABLE = st.sampled_from([None, "a", "b"])
VERSIONS = st.builds(
    record,
    st.sampled_from(["o/a", "o/b"]),
    at=st.sampled_from([0, 1]),
    status=st.sampled_from(["stored", "failed"]),
    commit=NULLABLE,
    error=NULLABLE,
    tokens=st.sampled_from([None, 0, 1]),
    seconds=st.sampled_from([{}, {"fetch": 0.5}]),
) | st.builds(
    run_record,
    st.sampled_from(["a", "b"]),
    ended_at=st.sampled_from([None, "2026-11-23T11:00:00.000Z"]),
    exit_code=st.sampled_from([None, 0, 1]),
)


@settings(deadline=None)
@given(parts=st.lists(st.lists(VERSIONS, max_size=4), max_size=4), data=st.data())
def test_in_whatever_order_parts_are_loaded_the_index_is_the_same(parts, data):
    contents = []
    for order in (parts, data.draw(st.permutations(parts * 2))):
        with tempfile.TemporaryDirectory() as folder, Index(Path(folder) / "index") as index:
            for number, part in enumerate(order):
                load(index, str(number), *part)
            contents.append(list(index.dump()))

    assert contents[0] == contents[1]


def test_a_part_is_loaded_whole_or_not_at_all(index):
    def chunks():
        yield chunk([record()])
        raise KeyError("corrupt")

    with pytest.raises(KeyError, match="corrupt"):
        index.load("part", chunks)

    assert not known(index)
    assert not index.parts()


def test_what_was_noted_is_pending_until_it_is_settled(index):
    noted = [index.note(record(f"o/{n}")) for n in range(5000)]
    run = run_record(done=5)
    index.note_run(run)

    assert index.count_pending() == 5000
    through = index.last_pending()
    assert list(index.pending(through)) == [*noted, run]

    index.settle(through, ["part"])
    assert index.count_pending() == 0
    assert list(index.pending(index.last_pending())) == []
    assert index.parts() == {"part"}
    assert index.newest_runs(10) == [run]


def test_what_changes_while_a_part_is_written_stays_pending(index):
    index.note(record("o/a"))
    index.note(record("o/b"))
    index.note_run(run_record())
    through = index.last_pending()
    writing = index.pending(through)

    again = index.note(record("o/a", at=1))
    new = index.note(record("o/c", at=1))
    index.note_run(ended := run_record(exit_code=0))
    assert [one.key for one in writing if isinstance(one, Record)] == ["o/b"]
    index.settle(through, ["part"])

    assert list(index.pending(index.last_pending())) == [again, new, ended]


def test_what_was_loaded_or_is_superseded_is_not_pending(index):
    index.note(record("o/a"))
    index.note(record("o/b", at=2))

    load(index, "part", record("o/a", at=1), record("o/b", at=1), record("o/c"))

    assert list(index.pending(index.last_pending())) == [record("o/b", at=2)]


def test_what_was_learnt_is_pending_where_it_is_news(index):
    load(index, "part", record("o/a", at=2))

    index.learn([record("o/a", at=1), record("o/b", at=1)])

    assert list(index.pending(index.last_pending())) == [record("o/b", at=1)]
    assert known(index)["o/a"] == record("o/a", at=2)


def test_numbers_go_on_where_the_last_process_ended(tmp_path):
    for key in ("o/a", "o/b"):
        with Index(tmp_path / "index") as index:
            index.note(record(key))
    with Index(tmp_path / "index") as index:
        through = index.last_pending()
        index.note(record("o/c"))
        index.settle(through, [])

        assert list(index.pending(index.last_pending())) == [record("o/c")]


def test_an_index_of_another_ledger_is_emptied(index):
    assert not index.bind("one")
    index.note(record())
    index.note_run(run_record())
    index.settle(index.last_pending(), ["part"])

    assert index.bind("one")
    assert len(index) == 1

    assert not index.bind("two")
    assert list(index.dump()) == []
    assert index.parts() == set()


def test_others_can_attach_it_and_see_what_was_noted(index):
    index.note(record(**STORED))
    with contextlib.closing(sqlite3.connect(":memory:")) as plan:
        plan.execute("ATTACH ? AS ledger", (str(index.path),))
        query = "SELECT key, commit_sha, pending > 0 FROM ledger.outcome ORDER BY key"
        assert plan.execute(query).fetchall() == [("owner/name", COMMIT, 1)]

        rows = plan.execute("SELECT key FROM ledger.outcome")
        index.note(record("o/other"))  # a reader keeps nobody from writing
        assert rows.fetchall() == [("owner/name",)]
        assert len(plan.execute(query).fetchall()) == 2


def test_threads_can_take_note_together(index):
    def work(thread):
        for number in range(100):
            index.note(record(f"o/{thread}-{number}"))
            index.note(record("o/same", status="failed"))

    threads = [threading.Thread(target=work, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(index) == 401
    assert known(index)["o/same"].failures == 400


def test_what_was_noted_outlives_a_kill(tmp_path):
    program = """if True:
        import itertools, sys
        from pathlib import Path
        from repomill.ledger import Index
        from tests.ledger.making import record
        index = Index(Path(sys.argv[1]))
        for number in itertools.count():
            index.note(record(f"o/{number}"))
            print(number, flush=True)
    """
    path = tmp_path / "index"
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE) as process:
        assert process.stdout
        for line in process.stdout:
            if line == b"500\n":
                break
        process.kill()
        noted = 501 + len(process.stdout.readlines())

    with Index(path) as index:
        keys = {one.key for one in index.pending(index.last_pending()) if isinstance(one, Record)}
        assert keys >= {f"o/{number}" for number in range(noted)}
