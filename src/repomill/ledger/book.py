"""The ledger of one store, as a run of one shard reads and writes it."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from repomill.ledger import parts
from repomill.ledger.lookup import look_up
from repomill.ledger.parallel import each
from repomill.ledger.parts import NewerPartError, Part, Writer
from repomill.ledger.records import CorruptPartError, now
from repomill.stores.base import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from repomill.ledger.index import Index
    from repomill.ledger.records import Record, RunRecord
    from repomill.shards import Shard
    from repomill.stores.base import Store

EVERY = 200
"""So many outcomes are worth a part; what is not in one yet is lost with this machine's disk."""
MOST_PARTS = 64
"""More than these, and each run would wait for its start."""
ORIGIN = f"{parts.FOLDER}origin"
"""Names the ledger: an index of another one, or of this one before it was deleted, is no use."""

THREADS = 16
"""So many connections to a store are used at once."""
_LEARNT_AT_ONCE = 1000
_LEARNT_IN_A_PART = 10_000

_log = structlog.get_logger()


class Ledger:
    """What is known of every repository in *store*: parts in it, and their local *index*.

    *run* names this run, as :func:`~repomill.ledger.parts.new_run` makes a name. With *read_only*
    nothing in the store is touched. Safe between threads; every method that reaches for the store
    raises StoreError, and all of them LedgerError, where the index cannot be used.
    """

    def __init__(
        self,
        store: Store,
        index: Index,
        run: str,
        shard: Shard | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self.run = run
        self.index = index
        self._store = store
        self._shard = shard
        self._read_only = read_only
        self._writer = Writer(store, run, shard)
        self._writing = threading.Lock()
        self._useless: set[str] = set()
        self._missed: set[str] = set()

    def sync(self) -> None:
        """Write what a run that died has left, and take in all parts that the index lacks.

        A corrupt part is named, set aside, and costs only what it said.
        """
        if not self.index.bind(self._origin()):
            _log.debug("The ledger's index begins empty", path=str(self.index.path))
        self.flush()
        while unknown := self._unknown():
            for part in each(self._get, sorted(unknown), threads=THREADS):
                self._load(*part)

    def add(self, record: Record) -> Record:
        """Take note of an outcome, and return what is now known: see :meth:`Index.note`."""
        return self.index.note(record)

    def doubt(self, keys: Iterable[str]) -> None:
        """Take note that the digests which *keys* name may soon be others, or gone.

        To be called before they are touched: whatever kills this process then, no later run takes
        what it finds for what was known.
        """
        known = filter(None, map(self.index.get, keys))
        self.index.learn(
            [replace(one, commit=None, fingerprint=None, processed_at=now()) for one in known]
        )

    @property
    def due(self) -> bool:
        """Whether there is enough to be written that it is worth a part."""
        return self.index.count_pending() >= EVERY

    def flush(self) -> None:
        """Write what no part has yet; nothing, if there is nothing."""
        if self._read_only:
            return
        with self._writing:
            through = self.index.last_pending()
            names = list(self._writer.write(self.index.pending(through)))
            self.index.settle(through, names)

    def finish(self, record: RunRecord) -> None:
        """Take note of how the run went, and write what no part has yet."""
        self.index.note_run(record)
        self.flush()

    def recover(
        self,
        wanted: Iterable[tuple[str, str, str, str | None]],
        *,
        digest_key: Callable[[str], str],
    ) -> int:
        """Take note of those of *wanted* that are in the store, and return how many are.

        Each is (key, identity, url, ref) of a repository that the index does not know.
        """
        found = look_up(self._store, wanted, digest_key=digest_key, threads=THREADS)
        total = 0
        while records := list(islice(found, _LEARNT_AT_ONCE)):
            self.index.learn(records)
            total += len(records)
            if self.index.count_pending() >= _LEARNT_IN_A_PART:
                self.flush()
        return total

    def compact(self) -> bool:
        """Write everything anew in as few parts as can be, where there are many; return whether.

        Of many shards only the first one does. Others may write, and even compact, meanwhile: only
        parts that this index had taken in before are deleted, and only once all that they said is
        written again. It is to be called after :meth:`sync`.
        """
        old = self.index.parts()
        needed = len(self.index) // parts.MAX_RECORDS + 1
        ours = not self._read_only and (self._shard is None or self._shard.index == 0)
        if not ours or len(old) <= max(MOST_PARTS, 2 * needed):
            return False
        self.index.check()
        new = list(Writer(self._store, parts.new_run(), self._shard).write(self.index.dump()))
        if not old <= self.index.parts():  # it was damaged, and begun anew
            return False
        self.index.settle(0, new)
        for _ in each(self._store.delete, sorted(old), threads=THREADS):
            pass
        self.index.forget_parts(old)
        _log.debug("Ledger compacted", before=len(old), after=len(new))
        return True

    def _origin(self) -> str:
        """Return what tells this ledger from all others, which the first of all runs made up."""
        found = self._store.get(ORIGIN)
        if found is None and not self._read_only:
            self._store.create(ORIGIN, secrets.token_hex(16).encode(), content_type=UNKNOWN)
            found = self._store.get(ORIGIN)
        return hashlib.sha256(found or b"").hexdigest()

    def _unknown(self) -> set[str]:
        """Return the parts in the store that are still to be taken in."""
        listed = parts.names(self._store)
        known = self.index.parts()
        self.index.forget_parts(known - listed)
        return listed - known - self._useless

    def _get(self, name: str) -> tuple[str, bytes | None]:
        return name, self._store.get(name)

    def _load(self, name: str, body: bytes | None) -> None:
        if body is None:
            # Another run wrote it anew and deleted it, unless it is still listed the next time.
            if name in self._missed:
                self._ignore(name, "it is listed, but not there")
            self._missed.add(name)
            return
        part = Part(name, body)
        try:
            self.index.load(name, part.chunks)
        except NewerPartError as error:
            self._ignore(name, str(error))
        except CorruptPartError as error:
            self._set_aside(part, error)

    def _ignore(self, name: str, reason: str) -> None:
        self._useless.add(name)
        _log.warning("A part of the ledger cannot be used", part=name, error=reason)

    def _set_aside(self, part: Part, error: CorruptPartError) -> None:
        """Move the part away: what it said is lost, and is looked up in the store."""
        self._useless.add(part.name)
        aside = None if self._read_only else parts.set_aside(self._store, part)
        _log.warning(
            "A part of the ledger is corrupt", part=part.name, set_aside=aside, error=str(error)
        )
