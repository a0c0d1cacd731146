"""What every store can do: one suite for all of them."""

import itertools
import random
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from repomill.errors import BadKeyError
from repomill.stores.base import JSON, MAX_KEY_BYTES, TEXT, Head, Store
from repomill.stores.local import LocalStore
from tests.s3.opening import open_bucket

KEY = "gitingest/owner/name/summary.txt"
METADATA = {"url": "https://github.com/owner/name", "commit": "1" * 40, "fingerprint": "ab12"}
WRITERS = 8


@pytest.fixture(scope="module")
def buckets(seaweedfs) -> dict[str, Store]:
    """Return the stores in buckets: it takes long to open one, so the tests share them."""
    prefixes = {"bucket": "", "prefix": "above/all"}
    return {
        name: open_bucket(seaweedfs, seaweedfs.make_bucket(f"contract-{name}"), prefix=prefix)
        for name, prefix in prefixes.items()
    }


@pytest.fixture
def folder(tmp_path) -> Store:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def in_bucket(buckets, seaweedfs) -> Iterator[Store]:
    yield buckets["bucket"]
    seaweedfs.empty("contract-bucket")


@pytest.fixture
def below_prefix(buckets, seaweedfs) -> Iterator[Store]:
    yield buckets["prefix"]
    seaweedfs.empty("contract-prefix")


@pytest.fixture(params=["folder", "in_bucket", "below_prefix"])
def store(request) -> Store:
    made: Store = request.getfixturevalue(request.param)
    return made


def put(store: Store, key: str, body: bytes, **metadata: str) -> None:
    store.put(key, body, content_type=TEXT, metadata=metadata)


def create(store: Store, key: str, body: bytes) -> bool:
    return store.create(key, body, content_type=TEXT)


def at_once(task) -> list[Any]:
    """Return what *task* does for each of the writers, all of them at the same moment."""
    start = threading.Barrier(WRITERS)

    def begin(number):
        start.wait()
        return task(number)

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(begin, range(WRITERS)))


def test_what_was_put_can_be_got(store):
    store.put(KEY, b"a digest", content_type=TEXT, metadata=METADATA)

    assert store.get(KEY) == b"a digest"
    assert store.head(KEY) == Head(8, TEXT, METADATA)


@pytest.mark.parametrize(
    "body", [b"", b"\0\xff\r\n", random.Random(0).randbytes(20_000_000)], ids=len
)
def test_bytes_stay_as_they_are(store, body):
    put(store, KEY, body)

    head = store.head(KEY)
    assert head is not None
    assert head.size_bytes == len(body)
    assert store.get(KEY) == body


def test_no_more_is_read_than_is_wanted(store):
    put(store, KEY, b"a digest")

    assert store.get(KEY, most_bytes=5) == b"a dig"
    assert store.get(KEY, most_bytes=8) == store.get(KEY, most_bytes=9) == b"a digest"


def test_what_is_not_there_is_none(store):
    put(store, KEY, b"")

    for key in ("summary.txt", "gitingest/owner/other/summary.txt", "a/b/c/d/e", KEY + ".json"):
        assert store.get(key) is None
        assert store.head(key) is None


def test_a_later_put_replaces_bytes_type_and_metadata(store):
    store.put(KEY, b"old and long", content_type=TEXT, metadata=METADATA)
    store.put(KEY, b"new", content_type=JSON, metadata={"commit": "2"})

    assert store.get(KEY) == b"new"
    assert store.head(KEY) == Head(3, JSON, {"commit": "2"})


def test_metadata_can_be_refreshed_alone(store):
    put(store, KEY, b"same", commit="1")
    put(store, KEY, b"same", commit="2")

    assert store.head(KEY) == Head(4, TEXT, {"commit": "2"})


METADATA_VALUES = [
    *("", " ", " spaces around  and  in ", "Größe", "文字", "\N{PILE OF POO}", "e\u0301"),
    *("tab\there", "two\nlines", "1\r\nx-amz-meta-injected: 2", "\0", "\x7f\x85\u2028"),
    *("=?utf-8?q?not_encoded?=", "=?", "100% &amp; +", '"quoted" \\', "a, b; c=d"),
]


def test_metadata_comes_back_as_it_was(store):
    metadata = {f"name{number}": value for number, value in enumerate(METADATA_VALUES)}
    put(store, KEY, b"", **metadata)

    assert store.head(KEY) == Head(0, TEXT, metadata)


@pytest.mark.parametrize("letter", ["x", "文", "\N{PILE OF POO}\n"], ids=ascii)
def test_metadata_that_is_too_long_is_kept_as_far_as_possible(store, letter):
    long = letter * 10_000
    put(store, KEY, b"digest", commit="1", long=long, url="https://github.com/owner/name")

    head = store.head(KEY)
    assert head is not None
    assert head.metadata["commit"] == "1"
    assert head.metadata["url"] == "https://github.com/owner/name"
    kept = head.metadata["long"]
    assert kept == long or (kept.endswith("...") and long.startswith(kept.removesuffix("...")))
    assert len(kept.encode()) > 1000
    assert store.get(KEY) == b"digest"


def test_there_can_be_much_metadata(store):
    metadata = {f"name-{number}": f"value {number}" for number in range(60)}
    put(store, KEY, b"", **metadata)

    assert store.head(KEY) == Head(0, TEXT, metadata)


def test_the_caller_may_change_its_metadata_afterwards(store):
    metadata = {"commit": "1"}
    store.put(KEY, b"", content_type=TEXT, metadata=metadata)

    metadata["commit"] = "2"

    assert store.head(KEY) == Head(0, TEXT, {"commit": "1"})


def test_keys_do_not_meet(store):
    keys = [
        KEY,
        "gitingest/owner/Name/summary.txt",
        "gitingest/owner/name.js/summary.txt",
        "metadata/owner/name.json",
        "a.b",
        "a-b",
        "~",
    ]
    for key in keys:
        put(store, key, key.encode(), commit=key)

    assert [store.get(key) for key in keys] == [key.encode() for key in keys]
    assert [store.head(key) for key in keys] == [
        Head(len(key), TEXT, {"commit": key}) for key in keys
    ]
    assert sorted(store.list("")) == sorted(keys)


ODD_KEYS = [
    *("größe/文字/\N{PILE OF POO}.txt", unicodedata.normalize("NFD", "größe/文字"), "ß/ẞ/ss"),
    *("a b/c  d", " a", "b ", "a+b", "a%20b", "a%2Fb", "a%", "a?b=c", "a#b", "a&b;c=d:e,f"),
    *("a'b", 'a"b', "a*b", "<a>", "$a@b!", "{owner}", ".a", "a.", "a..b", "...", "-a"),
    *("a~b", "[a]|`b`^", "aux", "CON"),
]


@pytest.mark.parametrize("template", ["{}", "odd/{}/x"])
def test_odd_keys_are_keys(store, template):
    keys = [template.format(key) for key in ODD_KEYS]
    for key in keys:
        put(store, key, key.encode(), name=key)

    assert {key: store.get(key) for key in keys} == {key: key.encode() for key in keys}
    for key in keys:
        assert store.head(key) == Head(len(key.encode()), TEXT, {"name": key})
        assert key in store.list(key)
        assert create(store, key, b"other") is False
    assert sorted(store.list("")) == sorted(keys)
    for key in keys:
        store.delete(key)
    assert list(store.list("")) == []


def test_of_many_writers_one_wins_whole(store):
    def body(number):
        return bytes([65 + number]) * 300_000

    put(store, KEY, body(0), number="0")
    at_once(lambda number: put(store, KEY, body(number), number=str(number)))

    stored = store.get(KEY)
    head = store.head(KEY)
    assert stored in map(body, range(WRITERS))
    assert head.metadata in ({}, {"number": str(stored[0] - 65)})


def test_readers_see_all_of_an_object_or_nothing(store):
    def body(number):
        return bytes([65 + number]) * 100_000

    def write_or_read(number):
        if number % 2:
            return [store.get(KEY) for _ in range(5)]
        for _ in range(5):
            put(store, KEY, body(number))
        return []

    seen = [one for found in at_once(write_or_read) for one in found]

    assert set(seen) <= {None, *map(body, range(WRITERS))}


def test_the_last_put_wins(store):
    at_once(lambda number: put(store, KEY, b"early" * 1000, number=str(number)))
    put(store, KEY, b"late", number="last")

    assert store.get(KEY) == b"late"
    assert store.head(KEY) == Head(4, TEXT, {"number": "last"})


def test_what_is_there_is_not_created(store):
    assert create(store, KEY, b"first") is True
    assert create(store, KEY, b"second") is False

    assert store.get(KEY) == b"first"
    assert store.head(KEY) == Head(5, TEXT, {})


def test_what_was_put_is_not_created(store):
    put(store, KEY, b"put", commit="1")

    assert create(store, KEY, b"created") is False
    assert store.head(KEY) == Head(3, TEXT, {"commit": "1"})


def test_what_was_created_can_be_replaced(store):
    create(store, KEY, b"created")
    put(store, KEY, b"put", commit="1")

    assert store.get(KEY) == b"put"
    assert store.head(KEY) == Head(3, TEXT, {"commit": "1"})


@pytest.mark.parametrize("size_bytes", [1, 200_000])
def test_of_many_who_create_one_does(store, size_bytes):
    def body(number):
        return bytes([65 + number]) * size_bytes

    created = at_once(lambda number: create(store, KEY, body(number)))

    assert sorted(created) == [False] * (WRITERS - 1) + [True]
    assert store.get(KEY) == body(created.index(True))
    assert store.head(KEY) == Head(size_bytes, TEXT, {})


def test_keys_are_listed_by_what_they_begin_with(store):
    names = ["a/b/c", "a/b/d", "a/bc/d", "a/c", "ab/c", "b", "_repomill/ledger/1"]
    for name in names:
        put(store, name, b"")

    def listed(prefix):
        return sorted(store.list(prefix))

    assert listed("") == sorted(names)
    assert listed("a/b/") == ["a/b/c", "a/b/d"]
    assert listed("a/b") == ["a/b/c", "a/b/d", "a/bc/d"]
    assert listed("a") == ["a/b/c", "a/b/d", "a/bc/d", "a/c", "ab/c"]
    assert listed("b") == ["b"]
    assert listed("_repomill/") == ["_repomill/ledger/1"]
    assert listed("a/b/c/") == listed("B") == listed("c") == listed("nothing/there/") == []


def test_a_store_with_nothing_in_it_lists_nothing(store):
    assert list(store.list("")) == []
    assert list(store.list("gitingest/")) == []


def test_a_hostile_prefix_is_refused(store):
    for prefix in ("/", "//", "/etc/", "./", "../", "../a", "a/../", "a//", "a\n"):
        with pytest.raises(BadKeyError):
            list(store.list(prefix))
    assert list(store.list("..")) == []


def test_what_is_deleted_is_gone(store):
    put(store, KEY, b"digest", commit="1")
    put(store, KEY + ".json", b"other")

    store.delete(KEY)

    assert store.get(KEY) is None
    assert store.head(KEY) is None
    assert list(store.list("")) == [KEY + ".json"]


def test_what_was_deleted_can_be_created(store):
    put(store, KEY, b"digest", commit="1")
    store.delete(KEY)

    assert create(store, KEY, b"new") is True
    assert store.head(KEY) == Head(3, TEXT, {})


def test_what_is_not_there_can_be_deleted(store):
    store.delete(KEY)
    store.delete(KEY)
    put(store, "a/b", b"")
    store.delete("a")
    store.delete("a/b/c")

    assert list(store.list("")) == ["a/b"]


def test_a_probe_leaves_nothing(store):
    store.probe()
    store.probe()

    assert list(store.list("")) == []


HOSTILE_KEYS = [
    *("", "/", "//", "/etc/passwd", ".", "..", "../a", "a/../b", "a/..", "a/./b", "a//b", "a/"),
    *("a\0b", "../../../../tmp/a", "a\nb", "a\r\nb", "a\tb", "a\x7fb", "a\x85b", "a\u202eb"),
]


USES = [
    lambda store, key: put(store, key, b""),
    lambda store, key: create(store, key, b""),
    lambda store, key: store.get(key),
    lambda store, key: store.head(key),
    lambda store, key: store.delete(key),
]


def test_a_hostile_key_is_refused(store):
    for use, key in itertools.product(USES, HOSTILE_KEYS):
        with pytest.raises(BadKeyError):
            use(store, key)
    assert list(store.list("")) == []


def test_a_key_that_is_too_long_is_refused(store):
    keys = ["/".join(["x" * 200] * 6), "/".join(["文" * 66] * 6)]
    for use, key in itertools.product(USES, keys):
        with pytest.raises(BadKeyError, match=str(MAX_KEY_BYTES)):
            use(store, key)
    assert list(store.list("")) == []


def test_a_long_key_is_a_key(store):
    key = "/".join(["x" * 200] * 4)
    put(store, key, b"digest")

    assert store.get(key) == b"digest"
    assert list(store.list("x")) == [key]


def test_what_is_known_of_an_object_can_be_refreshed(store):
    store.put(KEY, b"a digest", content_type=TEXT, metadata=METADATA)

    assert store.refresh(KEY, content_type=TEXT, metadata={"commit": "2", "name": "Größe"})

    assert store.get(KEY) == b"a digest"
    assert store.head(KEY) == Head(8, TEXT, {"commit": "2", "name": "Größe"})


def test_what_is_not_there_cannot_be_refreshed(store):
    assert not store.refresh(KEY, content_type=TEXT, metadata=METADATA)
    assert store.get(KEY) is None
