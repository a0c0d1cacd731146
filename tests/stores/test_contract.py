"""What every store can do: one suite for all of them."""

import pytest

from repomill.errors import BadKeyError
from repomill.stores.base import JSON, TEXT, Head, Store
from repomill.stores.local import LocalStore

KEY = "gitingest/owner/name/summary.txt"
METADATA = {"url": "https://github.com/owner/name", "commit": "1" * 40, "fingerprint": "ab12"}


@pytest.fixture(params=["local"])
def store(request, tmp_path) -> Store:
    makers = {"local": lambda: LocalStore(tmp_path / "store")}
    made: Store = makers[request.param]()
    return made


def put(store: Store, key: str, body: bytes, **metadata: str) -> None:
    store.put(key, body, content_type=TEXT, metadata=metadata)


def test_what_was_put_can_be_got(store):
    store.put(KEY, b"a digest", content_type=TEXT, metadata=METADATA)

    assert store.get(KEY) == b"a digest"
    assert store.head(KEY) == Head(8, TEXT, METADATA)


@pytest.mark.parametrize("body", [b"", b"\0\xff\r\n", b"x" * 5_000_000], ids=len)
def test_bytes_stay_as_they_are(store, body):
    put(store, KEY, body)

    head = store.head(KEY)
    assert head is not None
    assert head.size_bytes == len(body)
    assert store.get(KEY) == body


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


def test_keys_do_not_meet(store):
    keys = [KEY, "gitingest/owner/Name/summary.txt", "metadata/owner/name.json", "a.b", "a-b", "~"]
    for key in keys:
        put(store, key, key.encode(), commit=key)

    assert [store.get(key) for key in keys] == [key.encode() for key in keys]
    assert [store.head(key) for key in keys] == [
        Head(len(key), TEXT, {"commit": key}) for key in keys
    ]


def test_the_caller_may_change_its_metadata_afterwards(store):
    metadata = {"commit": "1"}
    store.put(KEY, b"", content_type=TEXT, metadata=metadata)

    metadata["commit"] = "2"

    assert store.head(KEY) == Head(0, TEXT, {"commit": "1"})


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "//", "/etc/passwd", ".", "..", "../a", "a/../b", "a/..", "a/./b", "a//b"),
        *("a/", "a\0b", "../../../../tmp/a"),
    ],
)
def test_a_hostile_key_is_refused(store, key):
    with pytest.raises(BadKeyError):
        put(store, key, b"")
    with pytest.raises(BadKeyError):
        store.get(key)
    with pytest.raises(BadKeyError):
        store.head(key)
