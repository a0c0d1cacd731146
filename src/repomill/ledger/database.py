"""A SQLite file that may be lost: used by one process, and begun anew where it is damaged."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, TypeVar

import structlog

from repomill.ledger.records import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Answer = TypeVar("_Answer")

_WHOLE_CHECK_BYTES = 64 << 20
"""A file up to this size is read whole when it is opened, in a fraction of a second."""
_CACHE_KIB = 32 << 10
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF
"""What of an error's code names its kind: https://sqlite.org/rescode.html"""

_log = structlog.get_logger()


class IndexInUseError(LedgerError):
    """Another process works with this very file."""


class Database:
    """The file at *path*, locked as long as this is open, whose tables *begin* makes.

    What it holds can be had elsewhere, so losing it is no error: a file that is damaged, or is no
    such database, is set aside as ``PATH.corrupt-N``, of which only the newest is kept, and a
    warning names it. Safe between threads.

    Raises IndexInUseError, and LedgerError where the file cannot be used at all.
    """

    def __init__(self, path: Path, begin: Callable[[sqlite3.Connection], object]) -> None:
        self.path = path
        self._begin = begin
        self._mutex = threading.RLock()
        self._lock: int | None = _lock(path)
        try:
            self._connection = self._open()
        except BaseException:
            self._unlock()
            raise

    def do(self, work: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        """Return what *work* does with the database, in one transaction of its own.

        Where the file turns out to be damaged, *work* is done once more, in an empty one.
        """
        with self._mutex:
            try:
                return self._transact(work)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise self._unusable(error) from error
                self.begin_anew(error)
        with self._mutex:
            try:
                return self._transact(work)
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def begin_anew(self, reason: object) -> None:
        """Set the file aside, which a warning names with the *reason*, and begin an empty one."""
        with self._mutex:
            self._connection.close()
            self._set_aside(reason)
            self._connection = self._open()

    def close(self) -> None:
        """Close the database, and let others have it."""
        with self._mutex:
            self._connection.close()
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _transact(self, work: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            answer = work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # what went wrong first is what counts
                self._connection.execute("ROLLBACK")
            raise
        return answer

    def _open(self) -> sqlite3.Connection:
        try:
            return self._try_open()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise self._unusable(error) from error
            self._set_aside(error)
        try:
            return self._try_open()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _try_open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            # A transaction outlives the process that is killed; a power cut costs the last ones.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            if not _tables(connection):
                self._begin(connection)
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        """Raise DatabaseError for other tables, or damage that is quickly found."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
            self._begin(fresh)
            expected = _tables(fresh)
        if _tables(connection) != expected:
            raise sqlite3.DatabaseError("its tables are others")
        if self.path.stat().st_size <= _WHOLE_CHECK_BYTES:
            check(connection)

    def _set_aside(self, reason: object) -> None:
        older = _corrupt(self.path)
        aside = self.path.with_name(f"{self.path.name}.corrupt-{max(older, default=0) + 1}")
        _log.warning(
            "The ledger's index is damaged and set aside; it is made anew from the store",
            path=str(self.path),
            set_aside=str(aside),
            error=str(reason),
        )
        try:
            self.path.replace(aside)
            for path in (*older.values(), *(_beside(self.path, name) for name in ("-wal", "-shm"))):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> LedgerError:
        return LedgerError(
            f"the ledger's index {self.path} cannot be used ({error}); check the room on its disk "
            "and its rights, or name another file with --ledger"
        )


def check(connection: sqlite3.Connection) -> None:
    """Read all of the database. Raises DatabaseError where it is damaged."""
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether *error* means that the file is damaged, or no database of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # our own checks, and texts that are no UTF-8
        return type(error) in {sqlite3.DatabaseError, sqlite3.OperationalError}
    return code & _PRIMARY in _DAMAGED


def _tables(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def _lock(path: Path) -> int:
    """Return the file that is locked: it is the kernel that unlocks it when the process ends."""
    lock = _beside(path, ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise LedgerError(
            f"the ledger's index cannot be at {path} ({error.strerror}); name another file with "
            "--ledger"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):
            raise IndexInUseError(
                f"another run uses the ledger's index {path}; wait for its end, or name another "
                "file with --ledger"
            ) from error
        raise LedgerError(
            f"{lock} cannot be locked ({error.strerror}); name a file on a local disk with --ledger"
        ) from error
    return file


def _corrupt(path: Path) -> dict[int, Path]:
    """Return what was set aside before, by number."""
    name = re.compile(rf"{re.escape(path.name)}\.corrupt-([0-9]{{1,9}})")
    found = ((name.fullmatch(other.name), other) for other in path.parent.iterdir())
    return {int(match[1]): other for match, other in found if match}


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
