"""Where a digest goes once it is made, and what is known of the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from repomill.model import Known
from repomill.stores.base import JSON, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from repomill.model import Repo
    from repomill.results import Made
    from repomill.stores.base import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a digest is, if under a key, and how many bytes it took to bring it there."""

    key: str | None = None
    size_bytes: int = 0


class Keeper(Protocol):
    """Takes the digest of one repository."""

    @property
    def known(self) -> Known | None:
        """The digest that it has already; at the same commit no other is made."""

    def check(self) -> None:
        """Raise BadKeyError where a digest could not be kept, before anything is done for it."""

    def keep(self, made: Made) -> Kept:
        """Keep a digest. Raises StoreError."""

    def refresh(self) -> Kept | None:
        """Bring up to date what is said of the digest that is known; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKeeper:
    """Keeps the digest of *repo* in *store*, under *key*.

    The metadata object goes first, the digest last: its arrival is the commit.
    """

    store: Store
    repo: Repo
    key: str
    fingerprint: str
    """Of the digest of *repo* that would be made now."""
    known: Known | None = None
    doubt: Callable[[], None] = lambda: None
    """Called before anything is overwritten: what is known of it may not be true any more."""

    def check(self) -> None:
        """Raise BadKeyError where the store takes no such key."""
        for key in (metadata_key(self.key), digest_key(self.key)):
            self.store.check(key)

    def keep(self, made: Made) -> Kept:
        """Write both objects. Raises StoreError."""
        facts = self._facts(made.commit, made.fingerprint)
        self.doubt()
        self.store.put(metadata_key(self.key), made.metadata, content_type=JSON, metadata={})
        self.store.put(digest_key(self.key), made.body, content_type=TEXT, metadata=facts)
        return Kept(digest_key(self.key), len(made.metadata) + len(made.body))

    def refresh(self) -> Kept | None:
        """Write the digest's facts anew, where the feed has moved and the commit has not."""
        digest = digest_key(self.key)
        if self.known is None:
            return None
        if self.known.ask_first:  # the feed says nothing that could have moved
            return Kept(digest)
        if find_known(self.store, self.repo, self.key, self.fingerprint) != self.known:
            return None  # another program has been here
        facts = self._facts(self.known.commit, self.fingerprint)
        refreshed = self.store.refresh(digest, content_type=TEXT, metadata=facts)
        return Kept(digest) if refreshed else None

    def _facts(self, commit: str, fingerprint: str) -> dict[str, str]:
        return {
            "url": self.repo.url,
            "commit": commit,
            "processedat": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "fingerprint": fingerprint,
            **({"ref": self.repo.ref} if self.repo.ref else {}),
            **({"pushedat": self.repo.pushed_at} if self.repo.pushed_at else {}),
        }


def find_known(store: Store, repo: Repo, key: str, fingerprint: str) -> Known | None:
    """Return the digest of *repo* that *store* has, if it is one that would be made now."""
    head = store.head(digest_key(key))
    facts = head.metadata if head else {}
    said = (facts.get("url"), facts.get("ref"), facts.get("fingerprint"))
    same = said == (repo.url, repo.ref, fingerprint)
    return Known(facts["commit"]) if same and facts.get("commit") else None


def digest_key(key: str) -> str:
    """Return where the digest of the repository called *key* is stored."""
    return f"gitingest/{key}/summary.txt"


def metadata_key(key: str) -> str:
    """Return where the metadata of the repository called *key* is stored."""
    return f"metadata/{key}.json"
