"""One repository through every stage: fetch, select, gitingest, compose, store."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from repomill import urls
from repomill.deadline import Deadline
from repomill.digest import compose, gitingest, select, view
from repomill.digest.select import SelectOptions
from repomill.errors import (
    BadUrlError,
    DigestError,
    EmptyError,
    OutOfMemoryError,
    RepoError,
)
from repomill.git import fetch, tree
from repomill.model import Digest, LocalRepo, Outcome, Repo, Status
from repomill.stores.base import JSON, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repomill.git.fetch import FetchOptions
    from repomill.stores.base import Store

SCRATCH_PREFIX = "repomill-"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How one repository is worked on."""

    fetch: FetchOptions
    select: SelectOptions = field(default_factory=SelectOptions)
    timeout_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a digest went, if under a key, and how many bytes that took."""

    key: str | None = None
    size_bytes: int = 0


Keep = Callable[[Digest], Kept]


def make_digest(
    source: Repo | LocalRepo, options: JobOptions, seconds: dict[str, float] | None = None
) -> Digest:
    """Return the digest of what *source* names; stage → wall seconds go into *seconds*.

    Raises the RepoError that says why there is none. No file outlives the call.
    """
    seconds = {} if seconds is None else seconds
    if isinstance(source, LocalRepo):
        commit = tree.open_commit(source.path)
        return _digest(commit, _local_name(source, commit), None, options, seconds)
    deadline = Deadline(options.timeout_seconds)
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX) as scratch:
        with _timed(seconds, "fetch"):
            fetched = fetch.fetch(source, Path(scratch) / "repo.git", options.fetch, deadline)
        commit = tree.open_commit(fetched.path, fetched.revision)
        return _digest(commit, source.full_name, source.url, options, seconds)


def process(source: Repo | LocalRepo, keep: Keep, options: JobOptions) -> Outcome:
    """Digest *source*, hand the digest to *keep*, and return what became of it.

    Whatever goes wrong costs this repository alone: nothing but the end of the process is raised.
    """
    seconds: dict[str, float] = {}
    try:
        digest = make_digest(source, options, seconds)
        with _timed(seconds, "store"):
            kept = keep(digest)
    except EmptyError as error:
        return Outcome(repo=source, status=Status.EMPTY, seconds=seconds, error=error)
    except RepoError as error:
        return Outcome(repo=source, status=Status.FAILED, seconds=seconds, error=error)
    except MemoryError:
        full = OutOfMemoryError("there is not enough memory for this repository")
        return Outcome(repo=source, status=Status.FAILED, seconds=seconds, error=full)
    except Exception as error:  # noqa: BLE001 the one place: a defect costs one repository
        _log.debug("Unexpected error", exc_info=True)
        defect = DigestError(f"unexpected {type(error).__name__}: {error}; please report it")
        return Outcome(repo=source, status=Status.FAILED, seconds=seconds, error=defect)
    return Outcome(
        repo=source,
        status=Status.STORED,
        seconds=seconds,
        key=kept.key,
        commit=digest.commit,
        bytes_stored=kept.size_bytes,
    )


def keep_in(store: Store, repo: Repo) -> Keep:
    """Return the function that keeps the digest of *repo* in *store*.

    The metadata object goes first, the digest last: its arrival is the commit.
    """

    def keep(digest: Digest) -> Kept:
        processed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        user_metadata = {
            "url": repo.url,
            "commit": digest.commit,
            "processedat": processed,
            "fingerprint": digest.fingerprint,
        }
        metadata = compose.render({**digest.metadata, "processedat": processed})
        store.put(metadata_key(repo), metadata, content_type=JSON, metadata={})
        key = digest_key(repo)
        store.put(key, digest.body, content_type=TEXT, metadata=user_metadata)
        return Kept(key, len(metadata) + len(digest.body))

    return keep


def digest_key(repo: Repo) -> str:
    """Return the key of the repository's digest."""
    return f"gitingest/{repo.key}/summary.txt"


def metadata_key(repo: Repo) -> str:
    """Return the key of the repository's metadata object."""
    return f"metadata/{repo.key}.json"


def _digest(
    commit: tree.Commit,
    full_name: str,
    url: str | None,
    options: JobOptions,
    seconds: dict[str, float],
) -> Digest:
    with _timed(seconds, "select"):
        selection = select.select(
            commit.entries(), options.select, default_patterns=gitingest.DEFAULT_PATTERNS
        )
    with _timed(seconds, "gitingest"):
        root_name = full_name.replace("/", "-")
        ingested = gitingest.ingest(view.build(root_name, selection.chosen, commit.read))
    facts = compose.Facts(
        full_name=full_name, url=url, commit=commit.sha, committed=commit.committed
    )
    with _timed(seconds, "compose"):
        return compose.compose(facts, selection, ingested, options.select)


def _local_name(source: LocalRepo, commit: tree.Commit) -> str:
    """Return ``OWNER/NAME`` from the repository's origin, else the name of its folder."""
    try:
        return urls.parse(commit.origin() or "").full_name
    except BadUrlError:
        folder = source.path.resolve()
        folder = folder.parent if folder.name == ".git" else folder
        return folder.name.removesuffix(".git") or "repository"


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - started
