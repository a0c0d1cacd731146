"""One repository, supervised: attempts in a sandbox under one deadline, then the store."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from repomill import http, results, retry, urls
from repomill.credentials import Credentials
from repomill.deadline import Deadline
from repomill.errors import BadUrlError, CrashedError, DigestError, EmptyError, RepoError
from repomill.git import fetch
from repomill.isolation.forkserver import Limits
from repomill.model import LocalRepo, Outcome, Repo, Status
from repomill.results import Made
from repomill.stores.base import JSON, TEXT
from repomill.task import WORKER, Task

if TYPE_CHECKING:
    from repomill.digest.select import SelectOptions
    from repomill.git.fetch import FetchOptions
    from repomill.isolation.sandbox import Ended, Sandbox
    from repomill.retry import OnRetry
    from repomill.stores.base import Store

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How one repository is worked on."""

    fetch: FetchOptions
    select: SelectOptions
    limits: Limits = field(default_factory=Limits)
    timeout_seconds: float = 300.0
    """All attempts together."""
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a digest went, if under a key, and how many bytes that took."""

    key: str | None = None
    size_bytes: int = 0


Keep = Callable[[Made], Kept]


class Job:
    """Turns a repository into its Outcome; whatever goes wrong costs that repository alone."""

    def __init__(self, sandbox: Sandbox, options: JobOptions) -> None:
        self._sandbox = sandbox
        self._options = options

    async def process(self, source: Repo | LocalRepo, keep: Keep, on_retry: OnRetry) -> Outcome:
        """Digest *source*, hand the digest to *keep* in a thread, and say what came of it."""
        deadline = Deadline(self._options.timeout_seconds)
        policy = retry.RepositoryPolicy(self._options.attempts, deadline, on_retry)
        seconds: dict[str, float] = {}
        tried = 0
        try:
            async for attempt in retry.repository_attempts(policy):
                with attempt:
                    tried += 1
                    made = await self._attempt(source, deadline, seconds)
            kept = await _upload(keep, made, seconds)
        except Exception as error:  # noqa: BLE001 the one place: it costs one repository
            return Outcome(
                repo=source,
                status=Status.EMPTY if isinstance(error, EmptyError) else Status.FAILED,
                attempts=tried,
                seconds=seconds,
                error=_as_repo_error(error),
                duration_seconds=deadline.spent_seconds(),
            )
        return Outcome(
            repo=source,
            status=Status.STORED,
            attempts=tried,
            seconds=seconds,
            key=kept.key,
            commit=made.commit,
            bytes_stored=kept.size_bytes,
            duration_seconds=deadline.spent_seconds(),
        )

    async def _attempt(
        self, source: Repo | LocalRepo, deadline: Deadline, seconds: dict[str, float]
    ) -> Made:
        """Try once, on as many hosts as the repository is sent to."""
        moved_to: Repo | None = None
        for _ in range(http.MAX_REDIRECTS + 1):
            result = await self._work(self._task(source, moved_to, deadline), deadline)
            for stage, spent in result.seconds.items():
                seconds[stage] = seconds.get(stage, 0.0) + spent
            if result.error:
                raise result.error
            if result.made:
                return result.made
            moved_to = _target(result.moved_to or "", source)
        raise fetch.too_many_redirects()

    async def _work(self, task: Task, deadline: Deadline) -> results.Result:
        call = self._sandbox.call(
            f"{WORKER}:run",
            task,
            limits=self._options.limits,
            timeout_seconds=task.timeout_seconds,
        )
        async with call as ended:
            if ended.timed_out:
                raise deadline.passed()
            if ended.code != 0:
                raise _crash(ended)
            return results.read(ended.scratch)

    def _task(self, source: Repo | LocalRepo, moved_to: Repo | None, deadline: Deadline) -> Task:
        """Return what the worker is told: of the credentials only those for its host."""
        target = moved_to or source
        known = self._options.fetch.credentials
        own = (
            known.only_for(target.host, target.port) if isinstance(target, Repo) else Credentials()
        )
        return Task(
            source=source,
            fetch_from=moved_to,
            fetch=replace(self._options.fetch, credentials=own),
            select=self._options.select,
            timeout_seconds=deadline.remaining_seconds(),
        )


def keep_in(store: Store, repo: Repo, key: str) -> Keep:
    """Return the function that keeps the digest of *repo* in *store*, under *key*.

    The metadata object goes first, the digest last: its arrival is the commit.
    """

    def keep(made: Made) -> Kept:
        processed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        user_metadata = {
            "url": repo.url,
            "commit": made.commit,
            "processedat": processed,
            "fingerprint": made.fingerprint,
            **({"pushedat": repo.pushed_at} if repo.pushed_at else {}),
        }
        store.put(metadata_key(key), made.metadata, content_type=JSON, metadata={})
        store.put(digest_key(key), made.body, content_type=TEXT, metadata=user_metadata)
        return Kept(digest_key(key), len(made.metadata) + len(made.body))

    return keep


def digest_key(key: str) -> str:
    """Return where the digest of the repository called *key* is stored."""
    return f"gitingest/{key}/summary.txt"


def metadata_key(key: str) -> str:
    """Return where the metadata of the repository called *key* is stored."""
    return f"metadata/{key}.json"


async def _upload(keep: Keep, made: Made, seconds: dict[str, float]) -> Kept:
    """Keep the digest; an upload that fails is retried by itself."""
    started = time.perf_counter()
    try:
        async for attempt in retry.upload_attempts():
            with attempt:
                return await asyncio.to_thread(keep, made)
    finally:
        seconds["store"] = time.perf_counter() - started
    raise AssertionError("the last attempt returns or raises")


def _as_repo_error(error: Exception) -> RepoError:
    if isinstance(error, RepoError):
        return error
    _log.debug("Unexpected error", exc_info=error)
    return DigestError(f"unexpected {type(error).__name__}: {error}; please report it")


def _target(clone_url: str, source: Repo | LocalRepo) -> Repo:
    """Return the repository at *clone_url*, at the ref of *source*; a worker names the URL."""
    try:
        return urls.parse(clone_url).with_ref(source.ref if isinstance(source, Repo) else None)
    except BadUrlError as error:
        raise CrashedError("the worker named an address that is none; try again") from error


def _crash(ended: Ended) -> CrashedError:
    if ended.code is None:
        return CrashedError("the processes that worked on it were killed; try again")
    if ended.code < 0:
        name = signal.strsignal(-ended.code) or f"signal {-ended.code}"
        return CrashedError(f"its worker died of {name}; was there enough memory?")
    return CrashedError(f"its worker ended with {ended.code}; try again, and report it")
