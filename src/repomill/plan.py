"""What a run has to do: the feed, spooled to disk, without what cannot be done.

Two repositories with one key would overwrite each other. That can only be seen over the whole feed,
which may be larger than memory, so it goes through a temporary SQLite database.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from string import Formatter
from typing import TYPE_CHECKING

from repomill.errors import UsageError
from repomill.model import Repo
from repomill.urls import GITHUB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DEFAULT_KEY = "{owner}/{name}"
_KEY_FIELDS = {"host", "owner", "name"}
_REPO_FIELDS = (
    *("host", "port", "owner", "name", "ref", "clone_url"),
    *("pushed_at", "description", "license"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A repository to be worked on, and what names it in the store."""

    repo: Repo
    key: str


class Plan:
    """The repositories of one feed, each once, in the feed's order."""

    def __init__(self, path: Path, *, key: str = DEFAULT_KEY) -> None:
        """Make the database at *path*, which must not exist. Raises UsageError for a bad *key*."""
        self._key = _check_key(key)
        self._database = sqlite3.connect(path, isolation_level=None)
        columns = ", ".join(_REPO_FIELDS)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE repo"
            f" (position INTEGER PRIMARY KEY, identity TEXT, key TEXT, {columns});"
        )
        self.duplicates = 0

    def load(self, repos: Iterable[tuple[int, Repo]]) -> None:
        """Add repositories, each with its position in the feed; of equal ones the first counts."""
        seen = Counter[str]()
        key_of = self._key_of
        fields_of = attrgetter(*_REPO_FIELDS)

        def rows() -> Iterator[tuple[object, ...]]:
            for position, repo in repos:
                seen["all"] += 1
                yield (position, _identity(repo), key_of(repo), *fields_of(repo))

        marks = ", ".join("?" * (3 + len(_REPO_FIELDS)))
        self._database.execute("BEGIN")
        try:
            self._database.executemany(f"INSERT INTO repo VALUES ({marks})", rows())  # noqa: S608
        finally:
            if self._database.in_transaction:  # a full disk ends it
                self._database.execute("COMMIT")
            self._settle()
            self.duplicates = seen["all"] - self._count("SELECT COUNT(*) FROM repo")

    @property
    def total(self) -> int:
        """How many repositories there are to be worked on."""
        return self._count("SELECT COUNT(*) FROM repo WHERE key NOT IN collision")

    def items(self, limit: int | None = None) -> Iterator[Item]:
        """Yield what is to be worked on, *limit* of them at the most."""
        yield from self._select("NOT IN", -1 if limit is None else limit)

    def refused(self) -> Iterator[Item]:
        """Yield the repositories that share a key with another one."""
        yield from self._select("IN", -1)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _select(self, membership: str, limit: int) -> Iterator[Item]:
        rows = self._database.execute(
            f"SELECT key, {', '.join(_REPO_FIELDS)} FROM repo "  # noqa: S608 constants alone
            f"WHERE key {membership} collision ORDER BY position LIMIT ?",
            (limit,),
        )
        for key, *fields in rows:
            yield Item(Repo(**dict(zip(_REPO_FIELDS, fields, strict=True))), key)

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

    def _key_of(self, repo: Repo) -> str:
        if self._key == DEFAULT_KEY:  # a million times
            return repo.full_name
        return self._key.format(host=repo.authority, owner=repo.owner, name=repo.name)


def _identity(repo: Repo) -> str:
    """Return what is the same for two spellings of one repository: case is nothing to GitHub."""
    name = repo.full_name
    return f"{repo.host}:{repo.port}/{name.lower() if repo.host == GITHUB else name} {repo.ref}"


def _check_key(template: str) -> str:
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
    return template
