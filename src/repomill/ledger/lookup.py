"""What is in a store already, of what the ledger does not know.

The digests themselves are the truth: each says in its metadata which repository it is of, and at
which commit it was made. All of that may be missing, or somebody else's.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from repomill.errors import BadKeyError
from repomill.ledger.parallel import each
from repomill.ledger.records import EPOCH, Record, time_text
from repomill.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from repomill.stores.base import Head, Store

FOLDER = "gitingest/"
FEW = 300
"""Up to so many are asked for one by one: a list of the whole store may take longer."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_CHARACTERS = 200
"""Of a fingerprint, or a time."""


class Wanted(NamedTuple):
    """A repository of which the ledger knows nothing."""

    key: str
    identity: str
    url: str
    ref: str | None


def look_up(
    store: Store,
    wanted: Iterable[tuple[str, str, str, str | None]],
    *,
    digest_key: Callable[[str], str],
    threads: int = 16,
) -> Iterator[Record]:
    """Yield a record for each (key, identity, url, ref) whose digest is in *store*, in no order.

    *digest_key* returns where the digest that a key names is. Raises StoreError.
    """
    rest = (Wanted(*one) for one in wanted)
    few = list(islice(rest, FEW + 1))
    waiting: Iterator[Wanted] = chain(few, rest)
    if len(few) > FEW:
        waiting = _listed(store, waiting, digest_key)

    def ask(one: Wanted) -> Record | None:
        try:
            head = store.head(digest_key(one.key))
        except BadKeyError:  # then nothing can be there
            return None
        return _record(one, head) if head else None

    for record in each(ask, waiting, threads=threads):
        if record:
            yield record


def _listed(
    store: Store, wanted: Iterator[Wanted], digest_key: Callable[[str], str]
) -> Iterator[Wanted]:
    """Yield what the store's list has, too: all of the rest needs no request of its own.

    A hash of eight bytes stands for a key, so a million of them are 8 MB. Where two are the same,
    one request is made in vain.
    """
    hashes = array("q", sorted(array("q", (hash(key) for key in store.list(FOLDER)))))
    for one in wanted:
        sought = hash(digest_key(one.key))
        at = bisect_left(hashes, sought)
        if at < len(hashes) and hashes[at] == sought:
            yield one


def _record(wanted: Wanted, head: Head) -> Record | None:
    """Return what the digest's metadata says, or None where it is not of this repository."""
    said = head.metadata
    commit, fingerprint = said.get("commit", ""), _short(said.get("fingerprint"))
    same = (said.get("url"), said.get("ref")) == (wanted.url, wanted.ref)
    if not same or not _COMMIT.fullmatch(commit) or not fingerprint:
        return None
    return Record(
        key=wanted.key,
        identity=wanted.identity,
        url=wanted.url,
        status=Status.STORED,
        processed_at=_time(said.get("processedat")),
        commit=commit,
        pushed_at=_short(said.get("pushedat")),
        fingerprint=fingerprint,
        size_bytes=head.size_bytes,
    )


def _short(text: str | None) -> str | None:
    """Return *text* where it can be a name or a time, else None."""
    return text if text and len(text) <= _MAX_CHARACTERS and text.isprintable() else None


def _time(text: str | None) -> str:
    """Return when it was made; EPOCH where that is not said, or yet to come."""
    try:
        moment = datetime.fromisoformat(text or "")
        return time_text(moment) if _EARLIEST <= moment <= datetime.now(UTC) else EPOCH
    except (ValueError, TypeError, OverflowError):  # TypeError: it names no zone
        return EPOCH
