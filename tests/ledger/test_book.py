"""The ledger's story: runs that end, die, share a store, and lose what they had."""

import gzip
import itertools
import threading

import pytest
from structlog.testing import capture_logs

from repomill.errors import StoreError
from repomill.ledger import Index, Ledger, book, new_run, parts
from repomill.shards import Shard
from repomill.stores.local import LocalStore
from tests.ledger.making import (
    STORED,
    CutOffError,
    Relay,
    Requests,
    digest_key,
    digests,
    known,
    record,
    run_record,
)


@pytest.fixture
def store(tmp_path):
    return Relay(LocalStore(tmp_path / "store"))


@pytest.fixture
def opened(store, tmp_path):
    """A function that opens a ledger of the store, with an index of a certain name."""
    indexes = []

    def open_(name="index", *, shard=None, at=store, read_only=False) -> Ledger:
        indexes.append(Index(tmp_path / "indexes" / name))
        return Ledger(at, indexes[-1], new_run(), shard, read_only=read_only)

    yield open_
    for index in indexes:
        index.close()


@pytest.fixture
def ledger(opened):
    ledger = opened()
    ledger.sync()
    return ledger


def write_parts(store, number, start=0):
    """Write as many parts as *number*, each with a record of its own."""
    for n in range(start, start + number):
        list(parts.Writer(store, f"run-{n}").write([record(f"o/{n}"), run_record(f"run-{n}")]))


def names(store):
    return sorted(parts.names(store))


def test_what_one_run_knew_another_machine_knows(opened, ledger):
    added = [ledger.add(record(f"o/{n}", **STORED)) for n in range(3)]
    ledger.finish(run_record(exit_code=0))
    ledger.add(record("o/unwritten"))

    other = opened("other")
    other.sync()

    assert known(other.index) == {one.key: one for one in added}
    assert other.index.newest_runs(1) == [run_record(exit_code=0)]


def test_nothing_is_asked_for_twice(opened, store, ledger):
    write_parts(store, 3)
    ledger.sync()
    ledger.add(record())
    ledger.flush()
    requests = Requests(store)

    ledger.sync()

    assert requests.made == [("get", book.ORIGIN), ("list", parts.FOLDER)]


def test_a_part_is_due_after_so_many_outcomes(store, ledger):
    for number in range(book.EVERY):
        assert not ledger.due
        ledger.add(record(f"o/{number}"))

    assert ledger.due
    ledger.flush()
    assert not ledger.due
    assert len(names(store)) == 1


def test_nothing_new_makes_no_part(store, ledger):
    ledger.flush()

    assert names(store) == []


def test_a_run_that_died_is_written_by_the_next_one(opened, store, ledger):
    ledger.add(record())
    ledger.index.close()

    opened().sync()

    other = opened("other")
    other.sync()
    assert set(known(other.index)) == {"owner/name"}


def test_what_a_store_did_not_take_is_written_later(store, ledger):
    def fail(_method, _key):
        raise StoreError("away")

    ledger.add(record("o/a"))
    store.before = fail
    with pytest.raises(StoreError, match="away"):
        ledger.flush()

    store.before = lambda _method, _key: None
    ledger.add(record("o/b"))
    ledger.flush()

    assert len(names(store)) == 1
    assert ledger.index.count_pending() == 0


def test_a_part_that_is_there_already_is_left_alone(store, ledger):
    for key in ("o/a", "o/b"):
        again = Ledger(store, ledger.index, "same-run", Shard(3, 10))
        again.add(record(key))
        again.flush()

    stem = f"{parts.FOLDER}same-run/3-of-10-"
    assert names(store) == [f"{stem}000000.jsonl.gz", f"{stem}000001.jsonl.gz"]


def test_threads_may_add_and_flush_together(opened, ledger):
    def work(thread):
        for number in range(60):
            ledger.add(record(f"o/{thread}-{number}"))
            if number % 20 == 0:
                ledger.flush()

    threads = [threading.Thread(target=work, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.flush()

    other = opened("other")
    other.sync()
    assert known(other.index) == known(ledger.index)
    assert len(known(other.index)) == 240


def test_two_shards_write_what_one_run_reads(opened, store):
    shards = [opened(f"shard{n}", shard=Shard(n, 2)) for n in range(2)]
    for shard in shards:
        shard.sync()
    for number, shard in enumerate(shards):
        shard.add(record(f"o/{number}"))
        shard.finish(run_record(shard=f"{number}/2"))

    whole = opened("whole")
    whole.sync()

    assert set(known(whole.index)) == {"o/0", "o/1"}
    assert [run.shard for run in whole.index.newest_runs(5)] == ["0/2", "1/2"]


def test_an_index_of_a_store_that_was_emptied_is_no_use(opened, ledger, tmp_path):
    ledger.add(record("o/a"))
    ledger.flush()
    ledger.add(record("o/pending"))
    ledger.index.close()

    elsewhere = LocalStore(tmp_path / "elsewhere")
    other = opened(at=elsewhere)
    other.sync()

    assert known(other.index) == {}
    assert names(elsewhere) == []


def test_shards_that_begin_together_have_one_ledger(opened, store):
    together = threading.Barrier(4, timeout=100)
    ledgers = [opened(f"shard{n}") for n in range(4)]

    def work(ledger):
        together.wait()
        ledger.sync()
        ledger.add(record(f"o/{ledgers.index(ledger)}"))
        ledger.flush()

    threads = [threading.Thread(target=work, args=[ledger]) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for ledger in ledgers:
        ledger.sync()
        assert len(known(ledger.index)) == 4


def test_reading_alone_touches_nothing_in_the_store(opened, store, ledger):
    assert ledger
    write_parts(store, book.MOST_PARTS + 1)
    store.put(f"{parts.FOLDER}bad/0-of-1-000000.jsonl.gz", b"", content_type="", metadata={})
    digests(store, ["o/digest"])
    requests = Requests(store, writes=0)
    reading = opened("reading", read_only=True)

    with capture_logs():
        reading.sync()
    reading.add(record("o/pending"))
    wanted = [("o/digest", "an identity", "https://github.com/o/digest", None)]
    assert reading.recover(wanted, digest_key=digest_key) == 1
    reading.flush()
    assert not reading.compact()

    assert {method for method, _ in requests.made} == {"get", "list", "head"}
    assert {"o/0", "o/1", "o/pending", "o/digest"} < set(known(reading.index))


def test_reading_an_empty_store_alone_leaves_it_empty(opened, store):
    ledger = opened(read_only=True)
    Requests(store, writes=0)

    ledger.sync()

    assert list(store.list("")) == []


def test_a_corrupt_part_is_named_and_set_aside_and_costs_only_itself(opened, store, ledger):
    write_parts(store, 3)
    bad = names(store)[1]
    store.put(bad, b"garbage", content_type="", metadata={})
    digests(store, ["o/0", "o/1", "o/2"])

    with capture_logs() as lines:
        ledger.sync()

    aside = bad.replace(parts.FOLDER, parts.CORRUPT_FOLDER)
    assert [(line["part"], line["set_aside"]) for line in lines] == [(bad, aside)]
    assert store.get(aside) == b"garbage"
    assert bad not in names(store)
    assert set(known(ledger.index)) == {"o/0", "o/2"}

    wanted = [("o/1", "github.com:443/o/1 None", "https://github.com/o/1", None)]
    assert ledger.recover(wanted, digest_key=digest_key) == 1
    assert set(known(ledger.index)) == {"o/0", "o/1", "o/2"}


def test_a_part_of_a_newer_version_is_left_where_it_is(store, ledger):
    name = f"{parts.FOLDER}later/0-of-1-000000.jsonl.gz"
    store.put(name, gzip.compress(b'{"format":2}\n'), content_type="", metadata={})

    with capture_logs() as lines:
        ledger.sync()
        ledger.sync()

    assert [line["part"] for line in lines] == [name]
    assert names(store) == [name]


def test_a_part_that_another_run_deletes_meanwhile_is_found_in_its_new_place(store, ledger):
    write_parts(store, 2)
    old = names(store)

    def compact(method, key):
        if (method, key) == ("get", old[0]):
            store.before = lambda _method, _key: None
            list(parts.Writer(store, "compacted").write([record("o/0"), record("o/1")]))
            for name in old:
                store.delete(name)

    store.before = compact
    ledger.sync()

    assert set(known(ledger.index)) == {"o/0", "o/1"}
    assert ledger.index.parts() == parts.names(store)


def test_a_part_that_is_listed_but_not_there_is_given_up(store, ledger, tmp_path):
    name = f"{parts.FOLDER}broken/0-of-1-000000.jsonl.gz"
    path = tmp_path / "store" / name
    path.parent.mkdir(parents=True)
    path.symlink_to("nothing")

    with capture_logs() as lines:
        ledger.sync()

    assert [line["part"] for line in lines] == [name]


def test_what_the_store_has_is_recovered_in_parts(store, ledger, opened, monkeypatch):
    monkeypatch.setattr(book, "_LEARNT_AT_ONCE", 10)
    monkeypatch.setattr(book, "_LEARNT_IN_A_PART", 20)
    keys = [f"o/{number}" for number in range(50)]
    digests(store, keys)

    wanted = (
        (key, f"github.com:443/{key} None", f"https://github.com/{key}", None) for key in keys
    )
    assert ledger.recover(wanted, digest_key=digest_key) == 50

    assert len(names(store)) == 2
    ledger.flush()
    other = opened("other")
    other.sync()
    assert set(known(other.index)) == set(keys)


def test_a_few_parts_are_left_as_they_are(store, ledger):
    write_parts(store, book.MOST_PARTS)
    ledger.sync()

    assert not ledger.compact()
    assert len(names(store)) == book.MOST_PARTS


def test_many_parts_are_written_anew_as_one(opened, store, ledger):
    write_parts(store, book.MOST_PARTS + 1)
    ledger.sync()
    before = list(ledger.index.dump())

    assert ledger.compact()

    assert len(names(store)) == 1
    assert not ledger.compact()
    other = opened("other")
    other.sync()
    assert list(other.index.dump()) == before
    requests = Requests(store)
    ledger.sync()
    assert [key for key in requests.of("get") if key != book.ORIGIN] == []


def test_an_index_that_needs_many_parts_is_not_written_anew_each_time(store, ledger, monkeypatch):
    monkeypatch.setattr(parts, "MAX_RECORDS", 2)
    write_parts(store, 100)
    ledger.sync()

    assert not ledger.compact()  # it would be 50 parts again


def test_only_the_first_shard_writes_them_anew(opened, store):
    write_parts(store, book.MOST_PARTS + 1)
    shards = [opened(f"shard{n}", shard=Shard(n, 2)) for n in range(2)]
    for shard in shards:
        shard.sync()

    assert [shard.compact() for shard in reversed(shards)] == [False, True]


def test_a_part_that_comes_meanwhile_is_kept(opened, store, ledger):
    write_parts(store, book.MOST_PARTS + 1)
    ledger.sync()
    write_parts(store, 1, start=1000)

    ledger.compact()

    assert len(names(store)) == 2
    other = opened("other")
    other.sync()
    assert "o/1000" in known(other.index)


def test_two_may_write_them_anew_at_once(opened, store):
    write_parts(store, book.MOST_PARTS + 1)
    ledgers = [opened(name) for name in ("one", "two")]
    for ledger in ledgers:
        ledger.sync()
    together = threading.Barrier(2, timeout=100)
    waited = threading.local()

    def wait(method, key):
        if method == "create" and not getattr(waited, "done", False):
            waited.done = True
            together.wait()

    store.before = wait
    threads = [threading.Thread(target=ledger.compact) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(names(store)) == 2
    other = opened("other")
    other.sync()
    assert len(known(other.index)) == book.MOST_PARTS + 1


def test_killed_anywhere_while_they_are_written_anew_nothing_is_lost(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(book, "MOST_PARTS", 6)
    monkeypatch.setattr(parts, "MAX_RECORDS", 3)
    expected = {f"o/{number}" for number in range(8)}
    for moment in itertools.count():
        store = Relay(LocalStore(tmp_path / f"store{moment}"))
        write_parts(store, 8)
        ledger = opened(f"killed{moment}", at=store)
        ledger.sync()
        Requests(store, writes=moment)
        try:
            ended = ledger.compact()
        except CutOffError:
            ended = False
        store.before = lambda _method, _key: None
        other = opened(f"after{moment}", at=store)
        other.sync()
        assert set(known(other.index)) == expected
        assert len(other.index.newest_runs(100)) == 8
        if ended:
            break
    assert moment > 8


def test_an_index_that_turns_out_to_be_damaged_deletes_nothing(opened, store, ledger):
    write_parts(store, book.MOST_PARTS + 1)
    ledger.sync()
    index = ledger.index

    def damage(method, _key):
        if method == "create":
            store.before = lambda _method, _key: None
            index.begin_anew("a page is broken")

    store.before = damage
    with capture_logs():
        assert not ledger.compact()

    assert len(names(store)) >= book.MOST_PARTS + 1
    ledger.sync()
    assert len(known(index)) == book.MOST_PARTS + 1
