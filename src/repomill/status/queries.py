"""Sum up an index: all of its repositories at once, in SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from repomill import shards
from repomill.errors import UsageError
from repomill.ledger import tables
from repomill.ledger.records import EPOCH, REMOVED, STATUSES, time_text
from repomill.plan import FAILED_TOO_OFTEN, LASTING, THREE_DAYS, WEEK
from repomill.status.report import Ages, Coverage, FailingOwner, Report, Slow, Wait, Waiting
from repomill.urls import GITHUB

if TYPE_CHECKING:
    from pathlib import Path

MOST = 10
"""Of each list."""
AGES_DAYS = (1, 7, 30)

_Row = tuple[Any, ...]

# What failed is little, and asked for often.
_TABLES = f"""
CREATE TEMP VIEW known AS SELECT *,
    status IN ('stored', 'unchanged') AS current,
    status IN ('stored', 'unchanged') OR status = 'failed' AND commit_sha IS NOT NULL AS digest
FROM outcome;
CREATE TEMP TABLE failure AS
SELECT key, url, owner_of(url) AS owner, ifnull(error_class, 'unknown') AS class, failures,
    processed_at FROM outcome WHERE status = 'failed';
CREATE TEMP TABLE failing AS SELECT owner, count(*) AS failed FROM failure
GROUP BY owner ORDER BY failed DESC, owner LIMIT {MOST};
"""

# One scan, as grouping would sort all rows.
_STATUSES = sorted(STATUSES)
_SUMS = f"""
SELECT {", ".join(f"count(*) FILTER (WHERE status = '{status}')" for status in _STATUSES)},
    count(*) FILTER (WHERE digest),
    total(size_bytes) FILTER (WHERE digest), total(tokens) FILTER (WHERE digest)
FROM known
"""
_CLASSES = "SELECT class, count(*) FROM failure GROUP BY class ORDER BY class"
_AGES = f"""
SELECT count(*), min(processed_at), max(processed_at),
    {", ".join(f"count(*) FILTER (WHERE processed_at < :days_{days})" for days in AGES_DAYS)}
FROM known WHERE current AND processed_at > :epoch
"""
# The minute in which the middle is, and how many came before: sorting minutes is cheap.
_MIDDLE_MINUTE = """
SELECT minute, through - here FROM (
    SELECT substr(processed_at, 1, 16) AS minute, count(*) AS here,
        sum(count(*)) OVER (ORDER BY substr(processed_at, 1, 16)) AS through
    FROM known WHERE current AND processed_at > :epoch GROUP BY minute)
WHERE through > :middle ORDER BY minute LIMIT 1
"""
_MIDDLE = """
SELECT processed_at FROM known WHERE current AND substr(processed_at, 1, 16) = :minute
ORDER BY processed_at LIMIT 1 OFFSET :rest
"""
_SLOWEST = """
SELECT key, url, duration_seconds,
    (SELECT key FROM json_each(slow.seconds) ORDER BY value DESC, key LIMIT 1),
    (SELECT max(value) FROM json_each(slow.seconds))
FROM (SELECT * FROM known WHERE status != 'removed' AND duration_seconds > 0
    ORDER BY duration_seconds DESC, key LIMIT :most) AS slow
"""
_FAILING = "SELECT owner, failed FROM failing ORDER BY failed DESC, owner"
_OWNED = """
SELECT owner_of(url) AS one, count(*) FROM known
WHERE status != 'removed' AND one IN (SELECT owner FROM failing) GROUP BY one
"""
_COMMONEST = """
SELECT owner, class FROM failure WHERE owner IN (SELECT owner FROM failing)
GROUP BY owner, class ORDER BY count(*), class DESC
"""

# The rules of the plan. Past the year 9999 SQLite knows no times.
_WAITING = f"""
SELECT key, url, class, failures, ifnull(strftime('%Y-%m-%dT%H:%M:%fZ', processed_at,
    CASE WHEN lasting THEN :week ELSE :three_days END), processed_at) AS tried_again_at
FROM (SELECT *, class IN ({", ".join(f"'{one}'" for one in LASTING)}) AS lasting FROM failure)
WHERE CASE WHEN lasting THEN processed_at > :week_ago
    WHEN failures >= {FAILED_TOO_OFTEN} THEN processed_at > :three_days_ago END
"""
_WAITING_BY_DAY = f"""
SELECT substr(tried_again_at, 1, 10) AS day, count(*) FROM ({_WAITING}) GROUP BY day ORDER BY day
"""
_NEXT = f"SELECT * FROM ({_WAITING}) ORDER BY tried_again_at, key LIMIT :most"

_NEWEST_FEED = """
SELECT shard, feed_total FROM run WHERE feed_total IS NOT NULL
ORDER BY started_at DESC, run, shard LIMIT 1
"""
# SQLite takes the other columns from the row of the maximum:
# https://sqlite.org/lang_select.html#bareagg
_NEWEST_OF_SHARDS = """
SELECT count(*) FILTER (WHERE exit_code IS NOT NULL), min(started_at)
FROM (SELECT exit_code, max(started_at) AS started_at FROM run
    WHERE shard LIKE :shards AND feed_total IS NOT NULL GROUP BY shard)
"""


def sum_up(index: Path, store: str, moment: datetime) -> Report:
    """Return what the file *index* of the ledger of the *store* says at the *moment*.

    Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(index)) as database:
        database.create_function("owner_of", 1, owner_of, deterministic=True)
        database.executescript(_TABLES)
        return _Questions(database, moment).report(store)


def owner_of(url: str) -> str:
    """Return host and owner, the first part of the path; on GitHub case is nothing.

    >>> owner_of("https://github.com/AlphaGov/whitehall"), owner_of("https://gitlab.com/a/b/c")
    ('github.com/alphagov', 'gitlab.com/a')
    """
    host, _, path = url.removeprefix("https://").partition("/")
    owner = f"{host}/{path.partition('/')[0]}"
    return owner.lower() if host == GITHUB else owner


class _Questions:
    """What is asked of an index."""

    def __init__(self, database: sqlite3.Connection, moment: datetime) -> None:
        self._database = database
        self._moment = moment
        self._values = {
            "most": MOST,
            "epoch": EPOCH,
            "week": f"+{WEEK.days} days",
            "three_days": f"+{THREE_DAYS.days} days",
            "week_ago": time_text(moment - WEEK),
            "three_days_ago": time_text(moment - THREE_DAYS),
            **{f"days_{days}": time_text(moment - timedelta(days=days)) for days in AGES_DAYS},
        }

    def report(self, store: str) -> Report:
        """Ask everything."""
        ((*counts, digests, size_bytes, tokens),) = self._ask(_SUMS)
        by_status = dict(zip(_STATUSES, counts, strict=True))
        runs = tuple(tables.newest_runs(self._database, MOST))
        return Report(
            store=store,
            at=time_text(self._moment),
            ledger=bool(any(counts) or runs or self._ask("SELECT 1 FROM part LIMIT 1")),
            repositories=sum(counts) - by_status[REMOVED],
            by_status=by_status,
            by_error_class=self._by_name(_CLASSES),
            size_bytes=int(size_bytes),
            tokens=int(tokens),
            coverage=self._coverage(digests),
            ages=self._ages(),
            slowest=self._slowest(),
            failing_owners=self._failing_owners(),
            waiting=self._waiting(),
            runs=runs,
        )

    def _coverage(self, digests: int) -> Coverage:
        total, count, complete, since = None, 0, 0, None
        for shard, total in self._ask(_NEWEST_FEED):  # noqa: B007 one, or none
            count = _shard_count(shard)
            ((complete, since),) = self._ask(_NEWEST_OF_SHARDS, shards=f"%/{count}")
        return Coverage(
            feed_total=total,
            digests=digests,
            percent=round(100 * min(digests, total) / total, 1) if total else None,
            shards=count,
            shards_complete=min(complete, count),
            since=since,
        )

    def _ages(self) -> Ages:
        ((count, oldest, newest, *older),) = self._ask(_AGES)
        return Ages(
            digests=count,
            newest_seconds=self._age(newest) if count else None,
            median_seconds=self._age(self._middle(count)) if count else None,
            oldest_seconds=self._age(oldest) if count else None,
            older_than_days=dict(zip(map(str, AGES_DAYS), older, strict=True)),
        )

    def _middle(self, count: int) -> str:
        """Return the median of the times, which are *count*; of an even number the earlier one."""
        middle = (count - 1) // 2
        ((minute, before),) = self._ask(_MIDDLE_MINUTE, middle=middle)
        ((time,),) = self._ask(_MIDDLE, minute=minute, rest=middle - before)
        return str(time)

    def _slowest(self) -> tuple[Slow, ...]:
        return tuple(
            Slow(key=key, url=url, seconds=seconds, stage=stage, stage_seconds=stage_seconds)
            for key, url, seconds, stage, stage_seconds in self._ask(_SLOWEST)
        )

    def _failing_owners(self) -> tuple[FailingOwner, ...]:
        failing = self._by_name(_FAILING)
        owned = self._by_name(_OWNED)
        commonest = self._by_name(_COMMONEST)  # of several classes the last, which stays
        return tuple(
            FailingOwner(
                owner=owner, failed=failed, repositories=owned[owner], error_class=commonest[owner]
            )
            for owner, failed in failing.items()
        )

    def _waiting(self) -> Waiting:
        by_day = self._by_name(_WAITING_BY_DAY)
        waits = (
            Wait(key=key, url=url, error_class=kind, failures=failures, tried_again_at=time)
            for key, url, kind, failures, time in self._ask(_NEXT)
        )
        return Waiting(repositories=sum(by_day.values()), by_day=by_day, next=tuple(waits))

    def _by_name(self, query: str) -> dict[str, Any]:
        return dict(self._ask(query))

    def _age(self, time: str) -> int:
        """Return the seconds since *time*; 0 where some clock is ahead."""
        return max(0, int((self._moment - datetime.fromisoformat(time)).total_seconds()))

    def _ask(self, query: str, **values: object) -> list[_Row]:
        return self._database.execute(query, {**self._values, **values}).fetchall()


def _shard_count(shard: str) -> int:
    """Return of how many parts *shard* is one."""
    try:
        return shards.parse(shard).count
    except UsageError:  # nothing that a run of ours has written
        return 1
