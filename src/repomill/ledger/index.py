"""The local index of the ledger: all parts of one store in SQLite, and what no part has yet.

It may be deleted at any time. Plans attach the file and join with its table ``outcome``; every
method has committed when it returns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from repomill.ledger import bulk, tables
from repomill.ledger.database import Database, check
from repomill.model import Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from repomill.ledger.bulk import Chunk
    from repomill.ledger.records import Record, RunRecord

_Made = TypeVar("_Made")

_CHUNK = 2000
_MOST_RUNS = 10_000
"""How many runs are kept when parts are written anew."""


class Index:
    """The index at *path*, which no other process can open meanwhile; safe between threads.

    Raises what :class:`~repomill.ledger.database.Database` does.
    """

    def __init__(self, path: Path) -> None:
        self._origin: str | None = None
        self._database = Database(path, self._begin)
        self._pending = self._database.do(tables.last_pending)

    @property
    def path(self) -> Path:
        """The file, to be attached."""
        return self._database.path

    def bind(self, origin: str) -> bool:
        """Empty the index unless it is of the ledger called *origin*; return whether it was."""

        def work(connection: sqlite3.Connection) -> bool:
            if tables.origin(connection) == origin:
                return True
            tables.clear(connection)
            tables.set_origin(connection, origin)
            return False

        self._origin = origin
        return self._database.do(work)

    def note(self, record: Record) -> Record:
        """Take note of an outcome, to be written into a part, and return what is now known.

        A failure leaves what is known of the digest in the store, and counts; what else there was
        ends the row of failures. For an unchanged digest the sizes stay, where *record* has none.
        Whatever the clocks say, it is newer than what was known.
        """
        failed = record.status == Status.FAILED
        record = replace(record, failures=int(failed))
        if failed:
            record = replace(
                record, commit=None, pushed_at=None, fingerprint=None, size_bytes=None, tokens=None
            )

        def work(connection: sqlite3.Connection) -> Record:
            row = (*bulk.row(record), self._next())
            (known,) = connection.execute(tables.NOTE, row).fetchall()
            return tables.record(known)

        return self._database.do(work)

    def note_run(self, record: RunRecord) -> None:
        """Take note of a run, to be written into a part."""
        row = tables.run_row(record)
        self._database.do(
            lambda connection: connection.execute(tables.NOTE_RUN, (*row, self._next()))
        )

    def learn(self, records: Iterable[Record]) -> None:
        """Take in what was found out, to be written into a part; the newest of a key counts."""
        rows = [bulk.row(record) for record in records]
        self._database.do(
            lambda connection: connection.executemany(
                tables.LEARN, ((*row, self._next()) for row in rows)
            )
        )

    def load(self, part: str, chunks: Callable[[], Iterable[Chunk]]) -> None:
        """Take in what the part called so says, all or nothing; the newest of a key counts.

        *chunks* is called again where the file turns out to be damaged.
        """

        def work(connection: sqlite3.Connection) -> None:
            for chunk in chunks():
                tables.load(connection, chunk)
            tables.add_parts(connection, [part])

        self._database.do(work)

    def parts(self) -> set[str]:
        """Return the names of the parts that the index has taken in, or was written to."""
        return self._database.do(tables.parts)

    def forget_parts(self, names: Iterable[str]) -> None:
        """Take note that there are no such parts any more; what they said stays known."""
        gone = [(name,) for name in names]
        self._database.do(
            lambda connection: connection.executemany("DELETE FROM part WHERE name = ?", gone)
        )

    def last_pending(self) -> int:
        """Return the number of the latest record that no part has yet, or 0."""
        return self._database.do(tables.last_pending)

    def count_pending(self) -> int:
        """Return how many outcomes no part has yet."""
        return self._database.do(tables.count_pending)

    def pending(self, through: int) -> Iterator[Record | RunRecord]:
        """Yield what no part has yet, up to the number *through*; what changes meanwhile is new."""
        yield from self._chunks(tables.PENDING, tables.record, 0, through)
        yield from self._chunks(tables.PENDING_RUNS, tables.run, 0, through)

    def settle(self, through: int, parts: Iterable[str]) -> None:
        """Take note that the *parts* have what was pending up to the number *through*."""
        added = list(parts)

        def work(connection: sqlite3.Connection) -> None:
            tables.settle(connection, through)
            tables.add_parts(connection, added)

        self._database.do(work)

    def dump(self) -> Iterator[Record | RunRecord]:
        """Yield all that is known, the newest runs alone; others may go on working meanwhile."""
        yield from self._chunks(tables.ALL, tables.record, "")
        yield from self._database.do(lambda connection: tables.newest_runs(connection, _MOST_RUNS))

    def get(self, key: str) -> Record | None:
        """Return what is known of the repository that *key* names."""
        return self._database.do(lambda connection: tables.find(connection, key))

    def newest_runs(self, limit: int) -> list[RunRecord]:
        """Return the latest runs, the newest first."""
        return self._database.do(lambda connection: tables.newest_runs(connection, limit))

    def __len__(self) -> int:
        """Return of how many repositories something is known."""
        return self._database.do(tables.count)

    def check(self) -> None:
        """Read the whole file: where it is damaged, the index is empty afterwards."""
        self._database.do(check)

    def begin_anew(self, reason: object) -> None:
        """Set the file aside: to be called by who attached it, and found it damaged."""
        self._database.begin_anew(reason)

    def close(self) -> None:
        """Close it, and let others have it; twice is no error."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")
        for statement in tables.SCHEMA:
            connection.execute(statement)
        if self._origin is not None:  # it is begun anew
            tables.set_origin(connection, self._origin)
        connection.execute("COMMIT")

    def _next(self) -> int:
        """Return the next number for what is pending: only called within a transaction."""
        self._pending += 1
        return self._pending

    def _chunks(
        self,
        query: str,
        make: Callable[[tuple[Any, ...]], _Made],
        after: int | str,
        through: int = 0,
    ) -> Iterator[_Made]:
        """Yield what *query* finds, not all at once: each row begins with what it is sorted by."""
        bounds = {"after": after, "through": through, "most": _CHUNK}

        def work(connection: sqlite3.Connection) -> list[_Made]:
            rows = connection.execute(query, bounds).fetchall()
            if rows:
                bounds["after"] = rows[-1][0]
            return [make(values) for _, *values in rows]

        while chunk := self._database.do(work):
            yield from chunk
