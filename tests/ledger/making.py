"""Records, and stores that behave in a way of their own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from repomill.ledger import Index, Record, RunRecord
from repomill.stores.base import Head, Store

COMMIT = "c0ffee" * 6 + "1234"
STORED: dict[str, Any] = {
    "commit": COMMIT,
    "pushed_at": "2026-11-20T10:00:00Z",
    "fingerprint": "f00d" * 16,
    "size_bytes": 1234,
    "tokens": 321,
}
NOTHING: dict[str, Any] = dict.fromkeys(STORED)


def record(key: str = "owner/name", *, at: int = 0, **values: Any) -> Record:
    """Return a record of second *at* of a certain hour; *values* are what is said besides."""
    given = {
        "key": key,
        "identity": f"github.com:443/{key} None",
        "url": f"https://github.com/{key}",
        "status": "stored",
        "processed_at": f"2026-11-23T10:{at // 60:02}:{at % 60:02}.000Z",
    }
    return Record(**given | values)


def run_record(run: str = "night", **values: Any) -> RunRecord:
    return RunRecord(run=run, started_at="2026-11-23T10:00:00.000Z", **values)


def known(index: Index) -> dict[str, Record]:
    """Return all that *index* knows of repositories, by key."""
    return {one.key: one for one in index.dump() if isinstance(one, Record)}


class Relay:
    """A store that hands all on to another one; what it does besides is for tests to say."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.before: Callable[[str, str], object] = lambda _method, _key: None
        """Called with the name and the key of each request."""

    @property
    def name(self) -> str:
        return self.store.name

    def probe(self) -> None:
        self.store.probe()

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
        self.before("put", key)
        self.store.put(key, body, content_type=content_type, metadata=metadata)

    def create(self, key: str, body: bytes, *, content_type: str) -> bool:
        self.before("create", key)
        return self.store.create(key, body, content_type=content_type)

    def get(self, key: str, *, most_bytes: int | None = None) -> bytes | None:
        self.before("get", key)
        return self.store.get(key, most_bytes=most_bytes)

    def head(self, key: str) -> Head | None:
        self.before("head", key)
        return self.store.head(key)

    def refresh(self, key: str, *, content_type: str, metadata: Mapping[str, str]) -> bool:
        self.before("refresh", key)
        return self.store.refresh(key, content_type=content_type, metadata=metadata)

    def list(self, prefix: str) -> Iterator[str]:
        self.before("list", prefix)
        return self.store.list(prefix)

    def delete(self, key: str) -> None:
        self.before("delete", key)
        self.store.delete(key)


class Requests:
    """What a relay is asked; at the request of a certain number it is cut off, as by a kill."""

    def __init__(self, relay: Relay, *, writes: int | None = None) -> None:
        relay.before = self._note
        self.made: list[tuple[str, str]] = []
        self._left = writes

    def _note(self, method: str, key: str) -> None:
        if method in {"put", "create", "delete"} and self._left is not None:
            if not self._left:
                raise CutOffError
            self._left -= 1
        self.made.append((method, key))

    def of(self, method: str) -> list[str]:
        return [key for name, key in self.made if name == method]


class CutOffError(Exception):
    """Nothing is done from here on."""


def digests(store: Store, keys: Iterable[str], **metadata: str) -> None:
    """Put a digest into *store* for each of *keys*, as a run does."""
    for key in keys:
        said = {
            "url": f"https://github.com/{key}",
            "commit": COMMIT,
            "pushedat": "2026-11-20T10:00:00Z",
            "processedat": "2026-11-21T10:00:00Z",
            "fingerprint": "f00d" * 16,
        }
        store.put(digest_key(key), b"digest", content_type="text/plain", metadata=said | metadata)


def digest_key(key: str) -> str:
    return f"gitingest/{key}/summary.txt"
