"""What a run has to do: the feed, spooled to disk, without what is done or cannot be.

Two repositories with one key would overwrite each other. That can only be seen over the whole feed,
which may be larger than memory, so it goes through a temporary SQLite database. What the ledger
knows is joined to it there, all repositories at once.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from operator import attrgetter
from string import Formatter
from typing import TYPE_CHECKING, Any

from repomill.digest.fingerprint import of_facts
from repomill.errors import UsageError
from repomill.ledger.records import time_text
from repomill.model import Known, Repo
from repomill.urls import GITHUB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from repomill.shards import Shard

DEFAULT_KEY = "{owner}/{name}"
_KEY_FIELDS = {"host", "owner", "name"}
_REPO_FIELDS = (
    *("host", "port", "owner", "name", "ref", "clone_url"),
    *("pushed_at", "description", "license"),
)

_COLUMNS = ", ".join(_REPO_FIELDS)

WEEK = timedelta(days=7)
THREE_DAYS = timedelta(days=3)
FAILED_TOO_OFTEN = 3
"""Runs in a row; from then on a repository waits."""
LASTING = ("not_found", "blocked")
"""Error classes that a few days seldom change."""


class Why(StrEnum):
    """Why a repository is worked on, or not."""

    NEW = "new"
    CHANGED = "changed"
    OPTIONS = "options changed"
    FACTS = "feed facts changed"
    ASK = "ask its host"
    RETRY = "retry due"
    FORCED = "forced"
    UNCHANGED = "unchanged"
    EMPTY = "still empty"
    WAITING = "failed, waiting"


SKIPPED = (Why.UNCHANGED, Why.EMPTY, Why.WAITING)
_SKIPPED = ", ".join(f"'{why}'" for why in SKIPPED)
_LASTING = ", ".join(f"'{error_class}'" for error_class in LASTING)


@dataclass(frozen=True, slots=True)
class Item:
    """A repository to be worked on, and what names it in the store."""

    repo: Repo
    key: str
    identity: str
    why: Why = Why.NEW
    known: Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By which it is decided whether what the ledger knows of a repository will do."""

    fingerprint: str
    """What the fingerprints of all digests made now begin with."""
    now: datetime
    force: bool = False
    retry_failed: bool = False


# Without pushed_at the feed does not say whether anything has changed: then the host does.
_DECIDE = f"""
CREATE TABLE todo AS SELECT repo.position, done.commit_sha AS known_commit, CASE
    WHEN :force THEN '{Why.FORCED}'
    WHEN done.key IS NULL OR done.status = 'removed' OR done.identity != repo.identity
        THEN '{Why.NEW}'
    WHEN done.status = 'failed' THEN CASE
        WHEN NOT :retry_failed AND done.processed_at > CASE
            WHEN done.error_class IN ({_LASTING}) THEN :week_ago
            WHEN done.failures >= {FAILED_TOO_OFTEN} THEN :three_days_ago
            ELSE '~' END
        THEN '{Why.WAITING}' ELSE '{Why.RETRY}' END
    WHEN done.status = 'empty' THEN CASE
        WHEN repo.pushed_at = done.pushed_at THEN '{Why.EMPTY}' ELSE '{Why.CHANGED}' END
    WHEN done.fingerprint IS NOT :fingerprint || repo.facts THEN CASE
        WHEN substr(done.fingerprint, 1, length(:fingerprint)) = :fingerprint
        THEN '{Why.FACTS}' ELSE '{Why.OPTIONS}' END
    WHEN repo.pushed_at IS NULL THEN '{Why.ASK}'
    WHEN repo.pushed_at = done.pushed_at THEN '{Why.UNCHANGED}'
    ELSE '{Why.CHANGED}' END AS why,
    done.fingerprint IS :fingerprint || repo.facts AND done.identity = repo.identity AS usable
FROM repo LEFT JOIN known.outcome AS done ON done.key = repo.key
WHERE ours AND repo.key NOT IN collision ORDER BY repo.position
"""

# The index over the keys knows no case; the answer does.
_LEFT = """
FROM known.outcome AS done WHERE status != 'removed' AND NOT EXISTS (
    SELECT 1 FROM repo
    WHERE repo.key = done.key COLLATE NOCASE AND repo.key = done.key COLLATE BINARY)
"""


class Plan:
    """The repositories of one feed, each once, in the feed's order."""

    def __init__(self, path: Path, *, key: str = DEFAULT_KEY, shard: Shard | None = None) -> None:
        """Make the database at *path*, which must not exist. Raises UsageError for a bad *key*.

        The feed is looked over whole; what there is to do is then the part that *shard* holds.
        """
        self._key_of = key_maker(key)
        self.shard = shard
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE repo"
            " (position INTEGER PRIMARY KEY, identity TEXT, key TEXT, ours INTEGER, facts TEXT,"
            f" {_COLUMNS});"
            f"CREATE VIEW everything AS SELECT position, '{Why.NEW}' AS why, FALSE AS usable,"
            " NULL AS known_commit FROM repo WHERE ours AND key NOT IN collision;"
        )
        self._todo = "everything"
        self.duplicates = 0
        self.unusable = 0
        """Entries of the feed that are no repository, as whoever loads it says."""

    def load(self, repos: Iterable[tuple[int, Repo]]) -> None:
        """Add repositories, each with its position in the feed; of equal ones the first counts."""
        seen = Counter[str]()
        key_of = self._key_of
        fields_of = attrgetter(*_REPO_FIELDS)
        ours = self._holds

        def rows() -> Iterator[tuple[object, ...]]:
            for position, repo in repos:
                seen["all"] += 1
                facts = of_facts(repo.license, repo.description)
                own = position, _identity(repo), key_of(repo), ours(repo), facts
                yield (*own, *fields_of(repo))

        marks = ", ".join("?" * (5 + len(_REPO_FIELDS)))
        self._database.execute("BEGIN")
        try:
            self._database.executemany(f"INSERT INTO repo VALUES ({marks})", rows())
        finally:
            if self._database.in_transaction:  # a full disk ends it
                self._database.execute("COMMIT")
            self._settle()
            self.duplicates = seen["all"] - self._count("SELECT COUNT(*) FROM repo")

    @property
    def feed_total(self) -> int:
        """How many repositories the whole feed holds, those of other shards included."""
        return self._count("SELECT COUNT(*) FROM repo")

    @property
    def total(self) -> int:
        """How many repositories there are to be worked on."""
        return self._count(f"SELECT COUNT(*) FROM {self._todo} WHERE why NOT IN ({_SKIPPED})")

    def unknown(self) -> Iterator[Item]:
        """Yield the repositories of which the ledger knows nothing."""
        yield from self._select(f"why = '{Why.NEW}'")

    def decide(self, ledger: Path, rules: Rules) -> None:
        """Compare the feed with what the file *ledger* says of each repository's last outcome.

        Until then every repository is new.
        """
        known = self._database.execute("SELECT 1 FROM pragma_database_list WHERE name = 'known'")
        if not known.fetchone():
            self._database.execute("ATTACH ? AS known", (str(ledger),))
        self._database.execute("DROP TABLE IF EXISTS todo")
        self._database.execute(
            _DECIDE,
            {
                "fingerprint": rules.fingerprint,
                "force": rules.force,
                "retry_failed": rules.retry_failed,
                "week_ago": time_text(rules.now - WEEK),
                "three_days_ago": time_text(rules.now - THREE_DAYS),
            },
        )
        self._todo = "todo"

    def forget(self) -> None:
        """Let go of the ledger: every repository is new again."""
        self._todo = "everything"
        self._database.execute("DETACH known")

    def items(self, limit: int | None = None) -> Iterator[Item]:
        """Yield what is to be worked on, *limit* of them at the most."""
        yield from self._select(f"why NOT IN ({_SKIPPED})", limit)

    def skipped(self) -> Iterator[Item]:
        """Yield what there is nothing to do about."""
        yield from self._select(f"why IN ({_SKIPPED})")

    def counts(self) -> dict[Why, int]:
        """Return how many repositories are worked on, or not, for which reason."""
        rows = self._database.execute(f"SELECT why, COUNT(*) FROM {self._todo} GROUP BY why")
        found = {Why(why): count for why, count in rows}
        return {why: found[why] for why in Why if why in found}

    def left(self) -> Iterator[str]:
        """Yield the keys that the ledger knows and the feed no longer has."""
        yield from (key for (key,) in self._database.execute(f"SELECT key {_LEFT}"))

    def left_count(self) -> int:
        """Return how many there are of them."""
        return self._count(f"SELECT COUNT(*) {_LEFT}")

    def known_count(self) -> int:
        """Return how many repositories the ledger knows, but for those it has seen removed."""
        return self._count("SELECT COUNT(*) FROM known.outcome WHERE status != 'removed'")

    def refused(self) -> Iterator[Item]:
        """Yield the repositories that share a key with another one."""
        rows = self._database.execute(
            f"SELECT key, identity, {_COLUMNS} FROM repo "
            "WHERE ours AND key IN collision ORDER BY position"
        )
        for key, identity, *fields in rows:
            yield Item(_repo(fields), key, identity)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _select(self, condition: str, limit: int | None = None) -> Iterator[Item]:
        rows = self._database.execute(
            f"SELECT key, identity, why, usable, known_commit, {_COLUMNS} "
            f"FROM {self._todo} JOIN repo USING (position) WHERE {condition} "
            "ORDER BY position LIMIT ?",
            (-1 if limit is None else limit,),
        )
        for key, identity, why, usable, commit, *fields in rows:
            repo = _repo(fields)
            known = None
            if usable and commit and why != Why.FORCED:
                known = Known(commit, ask_first=why == Why.ASK and repo.ref is None)
            yield Item(repo, key, identity, Why(why), known)

    def _settle(self) -> None:
        """Drop duplicates and mark collisions; both are only among equal keys, whatever the case.

        One index made at the end, by sorting, costs a fraction of one kept up row by row.
        """
        self._database.executescript(
            "CREATE INDEX by_key ON repo (key COLLATE NOCASE, identity, position);"
            "CREATE TABLE shared AS SELECT key FROM repo"
            " GROUP BY key COLLATE NOCASE HAVING COUNT(*) > 1;"
            "DELETE FROM repo WHERE key COLLATE NOCASE IN shared AND EXISTS"
            " (SELECT 1 FROM repo AS first WHERE first.key = repo.key COLLATE NOCASE"
            " AND first.identity = repo.identity AND first.position < repo.position);"
            "CREATE TABLE collision AS SELECT key FROM repo"
            " WHERE key COLLATE NOCASE IN shared GROUP BY key HAVING COUNT(*) > 1;"
        )

    def _count(self, query: str) -> int:
        (count,) = self._database.execute(query).fetchone()
        return int(count)

    def _holds(self, repo: Repo) -> bool:
        if self.shard is None:
            return True
        return self.shard.holds(repo.url.lower() if repo.host == GITHUB else repo.url)


def key_maker(template: str) -> Callable[[Repo], str]:
    """Return the function that names a repository in a store. Raises UsageError.

    >>> from repomill import urls
    >>> key_maker("{host}/{owner}-{name}")(urls.parse("alphagov/whitehall"))
    'github.com/alphagov-whitehall'
    """
    _check_key(template)
    if template == DEFAULT_KEY:  # a million times
        return attrgetter("full_name")
    return lambda repo: template.format(host=repo.authority, owner=repo.owner, name=repo.name)


def _repo(fields: Iterable[Any]) -> Repo:
    return Repo(**dict(zip(_REPO_FIELDS, fields, strict=True)))


def _identity(repo: Repo) -> str:
    """Return what is the same for two spellings of one repository: case is nothing to GitHub."""
    name = repo.full_name
    return f"{repo.host}:{repo.port}/{name.lower() if repo.host == GITHUB else name} {repo.ref}"


def _check_key(template: str) -> None:
    advice = f"--key {template!r}: write a template of {{host}}, {{owner}} and {{name}}"
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise UsageError(advice) from None
    plain = all(not spec and not conversion for _, _, spec, conversion in parts)
    fields = {field for _, field, _, _ in parts if field is not None}
    if not plain or not fields <= _KEY_FIELDS or "name" not in fields:
        raise UsageError(advice)
    example = template.format(host="h", owner="o", name="n")
    if any(part in {"", ".", ".."} for part in example.split("/")):
        raise UsageError(advice)
