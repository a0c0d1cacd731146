"""What comes before the work of a run: read the feed, decide what is to be done, prune."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from repomill import logs
from repomill.errors import FeedError
from repomill.feed import Entry
from repomill.keeping import digest_key, metadata_key
from repomill.ledger import REMOVED, now
from repomill.ledger.book import THREADS
from repomill.ledger.database import is_damage
from repomill.ledger.parallel import each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repomill.feed import Problem
    from repomill.ledger import Ledger, Record
    from repomill.model import Repo
    from repomill.plan import Plan, Rules
    from repomill.run import FailureLimit, RunOptions
    from repomill.stores.base import Store


def load(plan: Plan, items: Iterable[Entry | Problem]) -> FeedError | None:
    """Load the feed's *items* into *plan*; unusable ones are logged.

    Returns the error that ended the feed early, once what came before it is loaded.
    """
    broken: list[FeedError] = []
    problems: Counter[str] = Counter()

    def repos() -> Iterator[tuple[int, Repo]]:
        try:
            for item in items:
                if isinstance(item, Entry):
                    yield item.position, item.repo
                else:
                    problems[item.kind] += 1
                    logs.unusable_entry(item.position, item.kind, item.message)
        except FeedError as error:
            broken.append(error)

    plan.load(repos())
    plan.unusable = problems.total()
    logs.planned(plan.total, duplicates=plan.duplicates, unusable=problems)
    return broken[0] if broken else None


def prune(plan: Plan, ledger: Ledger, store: Store, options: RunOptions, *, whole: bool) -> bool:
    """Say what has left the feed and, if it is to be, remove it; False where that cannot be right.

    It cannot for a feed that is not *whole*, as the digests of all it lacks would go; for a shard,
    whose ledger has others' repositories too; and past the limit. Raises StoreError.
    """
    left = plan.left_count() if whole and not plan.shard else 0
    if not options.prune:
        if left:
            logs.left_feed(left, removed=0)
        return True
    if reason := _not_to_be_pruned(plan, left, options.prune_limit, whole=whole):
        logs.not_pruned(reason)
        return False
    gone = list(plan.left())
    ledger.doubt(gone)
    ledger.flush()
    for _ in each(partial(_remove, store), gone, threads=THREADS):
        pass
    for record in filter(None, map(ledger.index.get, gone)):
        ledger.add(_without_digest(record))
    ledger.flush()
    if left:
        logs.left_feed(left, removed=left)
    return True


def _remove(store: Store, key: str) -> None:
    store.delete(digest_key(key))
    store.delete(metadata_key(key))


def _without_digest(record: Record) -> Record:
    return replace(
        record,
        status=REMOVED,
        processed_at=now(),
        commit=None,
        pushed_at=None,
        fingerprint=None,
        size_bytes=None,
        tokens=None,
    )


def _not_to_be_pruned(plan: Plan, left: int, limit: FailureLimit, *, whole: bool) -> str | None:
    if not whole:
        return "the feed ended early; prune with one that is whole"
    if plan.unusable:
        return (
            f"{plan.unusable} entries of the feed cannot be used, and may be what is missing; "
            "prune with a feed without such"
        )
    if plan.shard:
        return "a shard is not the whole feed; prune without --shard"
    known = plan.known_count()
    if limit.exceeded(left, known):
        return (
            f"{left} of {known} repositories have left the feed, more than --prune-limit allows; "
            "check the feed, or raise the limit"
        )
    return None


def decide(plan: Plan, ledger: Ledger, rules: Rules) -> None:
    """Decide what is to be done, by what the ledger knows and what the store has.

    Raises StoreError, LedgerError.
    """
    ledger.sync()
    try:
        plan.decide(ledger.index.path, rules)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        # It was found only now.
        plan.forget()
        ledger.index.begin_anew(error)
        ledger.sync()
        plan.decide(ledger.index.path, rules)
    unknown = ((item.key, item.identity, item.repo.url, item.repo.ref) for item in plan.unknown())
    if not rules.force and ledger.recover(unknown, digest_key=digest_key):
        plan.decide(ledger.index.path, rules)
