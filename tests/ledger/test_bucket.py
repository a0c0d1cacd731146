"""The ledger in a bucket of a real S3 server."""

import threading

import pytest
from structlog.testing import capture_logs

from repomill.ledger import Index, Ledger, book, new_run, parts
from repomill.shards import Shard
from tests.ledger.making import STORED, digest_key, digests, known, record, run_record
from tests.s3.opening import open_bucket


@pytest.fixture(params=["", "above/all"], ids=["whole", "prefix"])
def store(request, seaweedfs, bucket):
    return open_bucket(seaweedfs, bucket, prefix=request.param)


@pytest.fixture
def opened(store, tmp_path):
    """A function that opens a ledger of the bucket, with an index of a certain name."""
    indexes = []

    def open_(name, *, shard=None) -> Ledger:
        indexes.append(Index(tmp_path / name))
        return Ledger(store, indexes[-1], new_run(), shard)

    yield open_
    for index in indexes:
        index.close()


def test_runs_follow_each_other_on_machines_that_come_and_go(opened, store):
    first = opened("first")
    first.sync()
    for number in range(5):
        first.add(record(f"o/{number}", **STORED))
    first.finish(run_record("one", exit_code=0))

    second = opened("second")
    second.sync()
    assert known(second.index) == known(first.index)
    assert second.add(record("o/1", at=1, status="failed")).failures == 1
    second.flush()

    (kept, bad) = sorted(parts.names(store), key=lambda name: second.run in name)
    store.put(bad, b"garbage", content_type="", metadata={})
    digests(store, ["o/1", "o/6"])
    third = opened("third")
    with capture_logs() as lines:
        third.sync()

    assert [line["part"] for line in lines if line["log_level"] == "warning"] == [bad]
    assert parts.names(store) == {kept}
    assert known(third.index) == known(first.index)
    wanted = [
        ("o/6", "one", "https://github.com/o/6", None),
        ("o/7", "two", "https://github.com/o/7", None),
    ]
    assert third.recover(wanted, digest_key=digest_key) == 1
    assert third.index.newest_runs(5) == [run_record("one", exit_code=0)]


def test_shards_write_and_compact_at_once(opened, store):
    for number in range(book.MOST_PARTS + 1):
        list(parts.Writer(store, f"run-{number}").write([record(f"old/{number}")]))
    ledgers = [opened(f"index{n}", shard=shard) for n, shard in enumerate((None, Shard(0, 2)))]
    together = threading.Barrier(2, timeout=100)

    def work(ledger):
        ledger.sync()
        together.wait()
        ledger.add(record(f"new/{ledgers.index(ledger)}"))
        ledger.flush()
        ledger.compact()

    threads = [threading.Thread(target=work, args=[ledger]) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(parts.names(store)) <= 4
    last = opened("last")
    last.sync()
    assert len(known(last.index)) == book.MOST_PARTS + 3
