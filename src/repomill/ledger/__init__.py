"""What became of every repository, kept in the store itself, so that no work is done twice."""

from repomill.ledger.book import EVERY, THREADS, Ledger
from repomill.ledger.database import IndexInUseError
from repomill.ledger.index import Index
from repomill.ledger.location import default_path, path_in_cache
from repomill.ledger.parts import new_run
from repomill.ledger.records import REMOVED, LedgerError, Record, RunRecord, now

__all__ = [
    "EVERY",
    "REMOVED",
    "THREADS",
    "Index",
    "IndexInUseError",
    "Ledger",
    "LedgerError",
    "Record",
    "RunRecord",
    "default_path",
    "new_run",
    "now",
    "path_in_cache",
]
