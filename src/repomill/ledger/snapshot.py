"""A copy of an index, to be read while others work with the index itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def copy_index(index: Path, target: Path) -> bool:
    """Copy what *index* holds at this moment to *target*, a new file; return whether it can be.

    A run that works with the index is neither waited for nor disturbed, and nothing is changed.
    """
    try:
        _copy(index, target)
    except sqlite3.Error:  # there is none, or it is no database, or there is no room
        target.unlink(missing_ok=True)
        return False
    return True


def _copy(index: Path, target: Path) -> None:
    # Opened for writing, though nothing is: else SQLite leaves two files of its own beside it.
    name = f"{index.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(name, uri=True)) as source:
        source.execute("PRAGMA query_only = TRUE")
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy, progress=_refuse_to_wait)


def _refuse_to_wait(status: int, _remaining: int, _total: int) -> None:
    """End a copy that would wait for ever: a file of ours is never locked against readers."""
    if status not in {sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE}:
        raise sqlite3.OperationalError("it is locked")
