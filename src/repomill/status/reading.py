"""Read the ledger of a store without changing it, whoever works with it meanwhile."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from repomill.ledger import Index, Ledger, new_run
from repomill.ledger.database import is_damage
from repomill.ledger.snapshot import copy_index
from repomill.status.queries import sum_up

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from repomill.status.report import Report
    from repomill.stores.base import Store


def read(store: Store, local: Path | None, folder: Path, moment: datetime) -> Report:
    """Return what the ledger of *store* knows at the *moment*; the store is only read.

    *local* is an index of it, which saves reading the store again and knows what is not in it yet.
    It is copied into *folder*, so that no run finds it in use; without it everything is read from
    the store. Raises StoreError, LedgerError.
    """
    path = folder / "status.sqlite"
    if local:
        copy_index(local, path)
    with Index(path) as index:
        ledger = Ledger(store, index, new_run(), read_only=True)
        ledger.sync()
        try:
            return sum_up(path, store.name, moment)
        except (sqlite3.DatabaseError, ValueError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                raise
            # It was found damaged only now, or holds what no record can be.
            index.begin_anew(error)
            ledger.sync()
            return sum_up(path, store.name, moment)
