"""The tables of the index, and the statements on them; each is to be run in a transaction."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar

from repomill.ledger.records import (
    RECORD_CHECKS,
    RUN_CHECKS,
    Record,
    RunRecord,
    from_json,
    to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from repomill.ledger.bulk import Chunk

_Made = TypeVar("_Made")

SCHEMA = (
    """CREATE TABLE outcome (
        key TEXT PRIMARY KEY, identity TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL,
        processed_at TEXT NOT NULL, commit_sha TEXT, pushed_at TEXT, fingerprint TEXT,
        size_bytes INTEGER, tokens INTEGER, attempts INTEGER NOT NULL, failures INTEGER NOT NULL,
        seconds TEXT NOT NULL, duration_seconds REAL NOT NULL, error_class TEXT, error TEXT,
        pending INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE run (
        run TEXT NOT NULL, shard TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
        feed_total INTEGER, done INTEGER NOT NULL, skipped TEXT NOT NULL, exit_code INTEGER,
        pending INTEGER NOT NULL, PRIMARY KEY (run, shard)
    ) WITHOUT ROWID""",
    "CREATE TABLE part (name TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE origin (name TEXT NOT NULL)",
    # What is pending is a few hundred rows of a million.
    "CREATE INDEX pending_outcome ON outcome (pending) WHERE pending > 0",
    "CREATE INDEX pending_run ON run (pending) WHERE pending > 0",
)
"""``pending`` numbers what no part has yet, in the order it came; 0 is for all that a part has."""

_OUTCOME = tuple("commit_sha" if name == "commit" else name for name in RECORD_CHECKS)
_RUN = tuple(RUN_CHECKS)


def _insert(table: str, columns: tuple[str, ...], pending: str = "?") -> str:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}, pending) VALUES ({marks}, {pending})"  # noqa: S608


def _overwrite(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in (*columns, "pending"))


def _newer(table: str, time: str, columns: tuple[str, ...]) -> str:
    """Return the condition that the new row is the later one.

    Of two with one time the order of the other values decides, so that it is never the order in
    which they came.
    """
    order = (time, *(column for column in columns if column != time))
    new, old = (
        ", ".join(f"ifnull({row}.{column}, '')" for column in order) for row in ("excluded", table)
    )
    return f"({new}) > ({old})"


_IF_NEWER = (
    f"ON CONFLICT (key) DO UPDATE SET {_overwrite(_OUTCOME)}"
    f" WHERE {_newer('outcome', 'processed_at', _OUTCOME)}"
)
LEARN = f"{_insert('outcome', _OUTCOME)} {_IF_NEWER}"
_LOAD = f"{_insert('outcome', _OUTCOME, '0')} {_IF_NEWER}"
_LOAD_RUN = (
    f"{_insert('run', _RUN, '0')} ON CONFLICT (run, shard) DO UPDATE SET {_overwrite(_RUN)}"
    f" WHERE {_newer('run', 'ended_at', _RUN)}"
)
NOTE_RUN = f"{_insert('run', _RUN)} ON CONFLICT (run, shard) DO UPDATE SET {_overwrite(_RUN)}"

_SAME = "outcome.identity = excluded.identity"
_FAILED = f"excluded.status = 'failed' AND {_SAME}"
_UNCHANGED = f"excluded.status = 'unchanged' AND {_SAME}"
_NOTED = {
    **{column: f"excluded.{column}" for column in (*_OUTCOME, "pending")},
    **{
        column: f"CASE WHEN {_FAILED} THEN outcome.{column} ELSE excluded.{column} END"
        for column in ("commit_sha", "pushed_at", "fingerprint")
    },
    **{
        column: f"CASE WHEN {_FAILED} THEN outcome.{column} WHEN {_UNCHANGED}"
        f" THEN ifnull(excluded.{column}, outcome.{column}) ELSE excluded.{column} END"
        for column in ("size_bytes", "tokens")
    },
    "failures": f"excluded.failures + CASE WHEN {_FAILED} THEN outcome.failures ELSE 0 END",
    # A clock that is behind, or two outcomes in a millisecond, must not hide what came last.
    "processed_at": "max(excluded.processed_at, ifnull("
    "strftime('%Y-%m-%dT%H:%M:%fZ', outcome.processed_at, '+0.001 seconds'), ''))",
}
NOTE = (
    f"{_insert('outcome', _OUTCOME)} ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{column} = {value}" for column, value in _NOTED.items())
    + f" RETURNING {', '.join(_OUTCOME)}"
)

_PENDING_NOW = "pending > 0 AND pending > :after AND pending <= :through"
ALL = f"SELECT key, {', '.join(_OUTCOME)} FROM outcome WHERE key > :after ORDER BY key LIMIT :most"  # noqa: S608
PENDING = (
    f"SELECT pending, {', '.join(_OUTCOME)} FROM outcome WHERE {_PENDING_NOW}"  # noqa: S608
    " ORDER BY pending LIMIT :most"
)
PENDING_RUNS = (
    f"SELECT pending, {', '.join(_RUN)} FROM run WHERE {_PENDING_NOW}"  # noqa: S608
    " ORDER BY pending LIMIT :most"
)
_FIND = f"SELECT {', '.join(_OUTCOME)} FROM outcome WHERE key = ?"  # noqa: S608
_NEWEST_RUNS = f"SELECT {', '.join(_RUN)} FROM run ORDER BY started_at DESC, run, shard LIMIT ?"  # noqa: S608

_SECONDS = _OUTCOME.index("seconds")
_SKIPPED = _RUN.index("skipped")


def run_row(record: RunRecord) -> tuple[Any, ...]:
    """Return the values of *record*, but for ``pending``."""
    values = [getattr(record, name) for name in _RUN]
    values[_SKIPPED] = to_json(record.skipped)
    return tuple(values)


def record(values: tuple[Any, ...]) -> Record:
    """Return the record that a row is. Raises DatabaseError where it cannot be one."""

    def make() -> Record:
        named = dict(zip(RECORD_CHECKS, values, strict=True))
        return Record(**named | {"seconds": from_json(values[_SECONDS])})

    return _made(make)


def run(values: tuple[Any, ...]) -> RunRecord:
    """Return the record that a row is. Raises DatabaseError where it cannot be one."""

    def make() -> RunRecord:
        named = dict(zip(_RUN, values, strict=True))
        return RunRecord(**named | {"skipped": from_json(values[_SKIPPED])})

    return _made(make)


def load(connection: sqlite3.Connection, chunk: Chunk) -> None:
    """Take in what a part says."""
    connection.executemany(_LOAD, chunk.rows)
    connection.executemany(_LOAD_RUN, map(run_row, chunk.runs))


def find(connection: sqlite3.Connection, key: str) -> Record | None:
    """Return what is known of *key*."""
    found = connection.execute(_FIND, (key,)).fetchone()
    return found and record(found)


def newest_runs(connection: sqlite3.Connection, limit: int) -> list[RunRecord]:
    """Return the latest runs, the newest first."""
    return [run(values) for values in connection.execute(_NEWEST_RUNS, (limit,))]


def count(connection: sqlite3.Connection) -> int:
    """Return the number of outcomes."""
    return _number(connection, "SELECT count(*) FROM outcome")


def count_pending(connection: sqlite3.Connection) -> int:
    """Return the number of outcomes that no part has yet."""
    return _number(connection, "SELECT count(*) FROM outcome WHERE pending > 0")


def last_pending(connection: sqlite3.Connection) -> int:
    """Return the highest number of what no part has yet, or 0."""
    return _number(
        connection,
        "SELECT max(ifnull((SELECT max(pending) FROM outcome WHERE pending > 0), 0),"
        " ifnull((SELECT max(pending) FROM run WHERE pending > 0), 0))",
    )


def settle(connection: sqlite3.Connection, through: int) -> None:
    """Note that a part has all that is pending up to the number *through*."""
    for table in ("outcome", "run"):
        connection.execute(
            f"UPDATE {table} SET pending = 0 WHERE pending > 0 AND pending <= ?",  # noqa: S608
            (through,),
        )


def parts(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the parts."""
    return {name for (name,) in connection.execute("SELECT name FROM part")}


def add_parts(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Add the names of parts."""
    connection.executemany("INSERT OR IGNORE INTO part VALUES (?)", ((name,) for name in names))


def origin(connection: sqlite3.Connection) -> str | None:
    """Return the name of the ledger that this is an index of, if it was given one."""
    found = connection.execute("SELECT name FROM origin").fetchone()
    return found and str(found[0])


def set_origin(connection: sqlite3.Connection, name: str) -> None:
    """Give the ledger a name: only for one that has none."""
    connection.execute("INSERT INTO origin VALUES (?)", (name,))


def clear(connection: sqlite3.Connection) -> None:
    """Forget everything."""
    for table in ("outcome", "run", "part", "origin"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608


def _made(make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except (ValueError, TypeError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"a row cannot be ({error})") from error


def _number(connection: sqlite3.Connection, query: str) -> int:
    (number,) = connection.execute(query).fetchone()
    return int(number)
