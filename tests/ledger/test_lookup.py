"""What a store says of its digests."""

import threading

import pytest

from repomill.errors import StoreError
from repomill.ledger import lookup
from repomill.ledger.lookup import look_up
from repomill.stores.local import LocalStore
from tests.ledger.making import COMMIT, Relay, Requests, digest_key, digests, record


@pytest.fixture
def store(tmp_path):
    return Relay(LocalStore(tmp_path / "store"))


def wanted(*keys, ref=None):
    return [(key, f"github.com:443/{key} {ref}", f"https://github.com/{key}", ref) for key in keys]


def found(store, keys):
    return {one.key: one for one in look_up(store, wanted(*keys), digest_key=digest_key)}


@pytest.fixture(params=["few", "many"])
def _number(request, monkeypatch):
    """The same for a few that are wanted, and for more than that."""
    if request.param == "many":
        monkeypatch.setattr(lookup, "FEW", 0)


@pytest.mark.usefixtures("_number")
def test_what_is_there_is_found(store):
    digests(store, ["o/a", "o/b"])

    assert found(store, ["o/a", "o/c"]) == {
        "o/a": record(
            "o/a",
            processed_at="2026-11-21T10:00:00.000Z",
            commit=COMMIT,
            pushed_at="2026-11-20T10:00:00Z",
            fingerprint="f00d" * 16,
            size_bytes=6,
        )
    }


@pytest.mark.usefixtures("_number")
def test_a_store_that_has_nothing_has_none(store):
    assert found(store, ["o/a", "o/b"]) == {}


def test_a_few_are_asked_for_one_by_one(store):
    digests(store, ["o/a", "o/other"])
    requests = Requests(store)

    found(store, ["o/a", "o/b"])

    assert sorted(requests.made) == [("head", digest_key("o/a")), ("head", digest_key("o/b"))]


def test_of_many_only_those_are_asked_for_that_are_listed(store):
    digests(store, ["o/5", "o/500", "o/other"])
    requests = Requests(store)

    assert set(found(store, [f"o/{number}" for number in range(1000)])) == {"o/5", "o/500"}

    assert requests.of("list") == ["gitingest/"]
    assert sorted(requests.of("head")) == [digest_key("o/5"), digest_key("o/500")]


def test_all_of_many_are_found(store):
    keys = [f"o/{number}" for number in range(400)]
    digests(store, keys)

    assert set(found(store, keys)) == set(keys)


@pytest.mark.parametrize(
    "said",
    [
        *({"url": "https://github.com/o/other"}, {"url": ""}),
        *({"commit": ""}, {"commit": "main"}, {"commit": "c0ffee"}, {"commit": "C" * 40}),
        *({"fingerprint": ""}, {"fingerprint": "x" * 300}, {"fingerprint": "a\nb"}),
    ],
)
def test_what_is_not_this_repositorys_digest_is_not_known(store, said):
    digests(store, ["o/a"], **said)

    assert found(store, ["o/a"]) == {}


def test_an_object_that_says_nothing_is_not_known(store):
    store.put(digest_key("o/a"), b"mine", content_type="text/plain", metadata={})

    assert found(store, ["o/a"]) == {}


@pytest.mark.parametrize(
    ("processed", "read"),
    [
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00.000Z"),
        ("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.500Z"),
        *((text, "1970-01-01T00:00:00.000Z") for text in ("", "yesterday", "2026-01-01T10:00:00")),
        *((text, "1970-01-01T00:00:00.000Z") for text in ("9999-12-31T23:59:59Z", "0001-01-01")),
        ("0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_the_time_is_one_that_was(store, processed, read):
    digests(store, ["o/a"], processedat=processed)

    assert found(store, ["o/a"])["o/a"].processed_at == read


@pytest.mark.parametrize("pushed", ["", "x" * 300, "a\x00b"])
def test_a_push_of_no_meaning_is_none(store, pushed):
    digests(store, ["o/a"], pushedat=pushed)

    assert found(store, ["o/a"])["o/a"].pushed_at is None


def test_a_key_that_no_store_takes_is_not_known(store):
    digests(store, ["o/a"])

    assert set(found(store, ["o/" + "x" * 2000, "../a", "o/a"])) == {"o/a"}


def test_keys_whose_hashes_are_the_same_cost_a_request_alone(store, monkeypatch):
    monkeypatch.setattr(lookup, "FEW", 0)
    monkeypatch.setattr(lookup, "hash", lambda _: 1, raising=False)
    digests(store, ["o/a"])

    assert set(found(store, ["o/a", "o/b"])) == {"o/a"}


def test_it_asks_for_many_at_once(store):
    together = threading.Barrier(4, timeout=100)
    store.before = lambda _method, _key: together.wait()

    assert list(look_up(store, wanted(*"abcd"), digest_key=digest_key, threads=4)) == []


def test_a_store_that_fails_ends_it(store):
    def fail(_method, _key):
        raise StoreError("gone")

    store.before = fail

    with pytest.raises(StoreError, match="gone"):
        found(store, [f"o/{number}" for number in range(100)])
