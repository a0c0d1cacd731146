"""The bytes of parts: whole, or not at all."""

import gzip
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repomill.ledger import Index, Record, RunRecord, new_run
from repomill.ledger import parts as parts_
from repomill.ledger.bulk import chunk
from repomill.ledger.parts import NewerPartError, Part, Writer, pack
from repomill.ledger.records import RECORD_CHECKS, RUN_CHECKS, CorruptPartError, to_line
from repomill.shards import Shard
from repomill.stores.local import LocalStore
from tests.ledger.making import STORED, known, record, run_record

HEADER = b'{"format":1}\n'
RECORDS: list[Record | RunRecord] = [
    record("o/a", **STORED, seconds={"fetch": 0.5}),
    run_record(),
    record("o/ü", error="ß"),
]


def read(body: bytes) -> list[object]:
    """Return the rows and runs that *body* is made of."""
    chunks = list(Part("part", body).chunks())
    return [one for some in chunks for one in (*some.rows, *some.runs)]


def packed(*lines: bytes) -> bytes:
    return gzip.compress(b"".join(lines))


def test_what_is_packed_can_be_read():
    (body,) = pack(RECORDS)

    expected = chunk(RECORDS)
    assert read(body) == [*expected.rows, *expected.runs]


def test_the_same_records_make_the_same_bytes():
    assert list(pack(RECORDS)) == list(pack(iter(RECORDS)))


def test_nothing_makes_no_part():
    assert list(pack([])) == []


def test_many_records_make_parts_of_a_bounded_size(monkeypatch):
    monkeypatch.setattr(parts_, "MAX_RECORDS", 10)  # 50,000 records would take long

    bodies = list(pack(record(f"o/{number}") for number in range(25)))

    assert [len(read(body)) for body in bodies] == [10, 10, 5]


def test_long_records_make_more_parts(monkeypatch):
    monkeypatch.setattr(parts_, "_FULL_BYTES", 10_000)  # for 64 MiB

    bodies = list(pack(record(f"o/{number}", error="x" * 2000) for number in range(10)))

    assert [len(read(body)) for body in bodies] == [5, 5]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no gzip",
        gzip.compress(b""),
        packed(HEADER)[:-1],
        packed(HEADER) + b"garbage",
        packed(b"\n"),
        packed(b"[]\n"),
        packed(b'{"format":0}\n'),
        packed(b'{"format":true}\n'),
        packed(b'{"format":1,"more":1}\n'),
        packed(b"[" * 100_000 + b"\n"),
        packed(HEADER.rstrip()),
        packed(HEADER, to_line(record()).rstrip()),
        packed(HEADER, b"\n"),
        packed(HEADER, b"null\n"),
        packed(HEADER, b"[]\n"),
        packed(HEADER, b'"run"\n'),
        packed(HEADER, b"{}\n"),
        packed(HEADER, b"[" * 100_000 + b"\n"),
        packed(HEADER, b"1" * 10_000 + b"\n"),
        packed(HEADER, b"\xff\n"),
        packed(HEADER, to_line(record()).rstrip() + b"," + to_line(record())),
        packed(HEADER, to_line(record()).replace(b'"key"', b'"yek"')),
        packed(HEADER, to_line(record()).replace(b'"url"', b'"key"')),
        packed(HEADER, to_line(record()).replace(b"stored", b"\\ud800")),
        packed(HEADER, to_line(record()).replace(b"0.0", b"NaN")),
        packed(HEADER, to_line(record()).replace(b"0.0", b"1e999")),
        packed(HEADER, to_line(record()).replace(b'"failures":0', b'"failures":' + b"9" * 30)),
        packed(HEADER, to_line(run_record()).replace(b'"done"', b'"gone"')),
        packed(HEADER, b'{"x":"' + b"x" * (1 << 20) + b'"}\n'),
    ],
    ids=range(30),
)
def test_bytes_that_are_no_part_are_refused(body):
    with pytest.raises(CorruptPartError):
        read(body)


def test_a_small_part_cannot_fill_the_memory():
    line = to_line(record(error="x" * 2000))

    with pytest.raises(CorruptPartError, match="too long"):
        read(packed(HEADER, *[line] * ((128 << 20) // len(line) + 1)))


def test_a_part_of_a_newer_version_is_told_from_a_corrupt_one():
    with pytest.raises(NewerPartError, match="format 2"):
        read(packed(b'{"format":2,"something":"else"}\n', b"\xff"))


@given(data=st.data())
def test_a_part_that_lost_or_changed_bytes_is_read_as_it_was_or_refused(data):
    (body,) = pack(RECORDS)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    damaged = body[:start] + data.draw(st.binary(max_size=10)) + body[end:]

    try:
        assert read(damaged) == read(body)  # what gzip says of itself means nothing
    except (CorruptPartError, NewerPartError):
        assert damaged != body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = st.sampled_from([*RECORD_CHECKS, *RUN_CHECKS, "other"])
GOOD = [json.loads(to_line(one)) for one in RECORDS]


@settings(deadline=None)
@example(changes=[(0, "error", "\x00\n")])
@example(changes=[(0, "seconds", {"\x00": 1})])
@given(changes=st.lists(st.tuples(st.integers(0, 2), NAMES, JSON), min_size=1))
def test_what_a_part_may_say_the_index_can_keep(changes, tmp_path_factory):
    values = [dict(one) for one in GOOD]
    for number, name, value in changes:
        values[number][name] = value
    part = Part("part", packed(HEADER, *(json.dumps(one).encode() + b"\n" for one in values)))
    with Index(tmp_path_factory.mktemp("index") / "index") as index:
        try:
            index.load("part", part.chunks)
        except CorruptPartError:
            assert not index.parts()
            assert not known(index)
        else:
            assert known(index)
            list(pack(index.dump()))


def test_a_part_is_never_written_over(tmp_path):
    store = LocalStore(tmp_path)

    for _ in range(2):
        list(Writer(store, "night", Shard(3, 10)).write([record()]))

    stem = "_repomill/ledger/night/3-of-10-"
    assert parts_.names(store) == {f"{stem}000000.jsonl.gz", f"{stem}000001.jsonl.gz"}


def test_other_objects_are_no_parts(tmp_path):
    store = LocalStore(tmp_path)
    for name in ("origin", "night/notes.txt", "night/0-of-1-0.jsonl.gz", "0-of-1-000000.jsonl.gz"):
        store.create(f"_repomill/ledger/{name}", b"", content_type="text/plain")

    assert parts_.names(store) == set()


@pytest.mark.parametrize("run", ["", "a/b", "..", "a b", "x" * 200])
def test_a_run_whose_name_cannot_be_a_key_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match="cannot name a run"):
        Writer(LocalStore(tmp_path), run)


def test_runs_have_names_of_their_own(tmp_path):
    runs = {new_run() for _ in range(100)}

    assert len(runs) == 100
    assert list(Writer(LocalStore(tmp_path), runs.pop()).write([record()]))


def test_a_record_in_a_part_is_the_same_record(tmp_path):
    whole = record(
        "o/n",
        **STORED,
        status="failed",
        attempts=3,
        failures=2,
        seconds={"fetch": 0.5},
        duration_seconds=2.5,
        error_class="network",
        error="no\nroute \x00 ü",
    )
    (body,) = pack([whole])

    with Index(tmp_path / "index") as index:
        index.load("part", Part("part", body).chunks)
        assert known(index) == {"o/n": whole}
        assert isinstance(index.get("o/n"), Record)
