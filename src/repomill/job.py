"""One repository, supervised: attempts in a sandbox under one deadline, then the store."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from repomill import http, results, retry, urls
from repomill.credentials import Credentials
from repomill.deadline import Deadline
from repomill.errors import BadUrlError, CrashedError, DigestError, EmptyError, RepoError
from repomill.git import fetch
from repomill.isolation.forkserver import Limits
from repomill.model import LocalRepo, Outcome, Repo, Status
from repomill.task import WORKER, Task
from repomill.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from repomill.digest.select import SelectOptions
    from repomill.git.fetch import FetchOptions
    from repomill.isolation.sandbox import Ended, Sandbox
    from repomill.keeping import Keeper
    from repomill.model import Known
    from repomill.results import Made
    from repomill.retry import OnRetry

_Answer = TypeVar("_Answer")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How one repository is worked on."""

    fetch: FetchOptions
    select: SelectOptions
    explained: bool = False
    """Whether the metadata are to say what each file is worth, and why."""
    limits: Limits = field(default_factory=Limits)
    timeout_seconds: float = 300.0
    """All attempts together."""
    attempts: int = 3


class Job:
    """Turns a repository into its Outcome; whatever goes wrong costs that repository alone."""

    def __init__(self, sandbox: Sandbox, options: JobOptions) -> None:
        self._sandbox = sandbox
        self._options = options

    async def process(self, source: Repo | LocalRepo, keeper: Keeper, on_retry: OnRetry) -> Outcome:
        """Digest *source*, hand the digest to *keeper* in a thread, and say what came of it."""
        deadline = Deadline(self._options.timeout_seconds)
        policy = retry.RepositoryPolicy(self._options.attempts, deadline, on_retry)
        course = _Course(source, deadline, policy)
        try:
            return await self._follow(course, keeper)
        except Exception as error:  # noqa: BLE001 the one place: it costs one repository
            status = Status.EMPTY if isinstance(error, EmptyError) else Status.FAILED
            return course.outcome(status, error=_as_repo_error(error))

    async def _follow(self, course: _Course, keeper: Keeper) -> Outcome:
        keeper.check()
        made = await self._attempts(course, keeper.known)
        if made is None and keeper.known:
            kept = await course.timed("store", keeper.refresh)
            if kept:
                return course.outcome(Status.UNCHANGED, key=kept.key, commit=keeper.known.commit)
            made = await self._attempts(course, None)  # it is not in the store, whoever said so
        if made is None:
            raise CrashedError("the worker says that what it does not know is unchanged; try again")
        kept = await course.timed("store", partial(keeper.keep, made))
        return course.outcome(
            Status.STORED,
            key=kept.key,
            commit=made.commit,
            fingerprint=made.fingerprint,
            tokens=made.tokens,
            digest_bytes=len(made.body),
            bytes_stored=kept.size_bytes,
        )

    async def _attempts(self, course: _Course, known: Known | None) -> Made | None:
        """Return the digest, or None where the repository is at the commit that is *known*."""
        made = None
        async for attempt in retry.repository_attempts(course.policy):
            with attempt:
                course.tried += 1
                made = await self._attempt(course, known)
        return made

    async def _attempt(self, course: _Course, known: Known | None) -> Made | None:
        """Try once, on as many hosts as the repository is sent to."""
        moved_to: Repo | None = None
        for _ in range(http.MAX_REDIRECTS + 1):
            task = self._task(course, moved_to, known)
            result = await self._work(task, course.deadline)
            for stage, spent in result.seconds.items():
                course.add(stage, spent)
            if result.error:
                raise result.error
            if result.made or result.unchanged:
                return result.made
            moved_to = _target(result.moved_to or "", course.source)
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

    def _task(self, course: _Course, moved_to: Repo | None, known: Known | None) -> Task:
        """Return what the worker is told: of the credentials only those for its host."""
        target = moved_to or course.source
        tokens = self._options.fetch.credentials
        own = (
            tokens.only_for(target.host, target.port) if isinstance(target, Repo) else Credentials()
        )
        return Task(
            source=course.source,
            fetch_from=moved_to,
            known_commit=known.commit if known else None,
            ask_first=known.ask_first if known else False,
            fetch=replace(self._options.fetch, credentials=own),
            select=self._options.select,
            explained=self._options.explained,
            timeout_seconds=course.deadline.remaining_seconds(),
        )


@dataclass(slots=True)
class _Course:
    """How the work on one repository has gone so far."""

    source: Repo | LocalRepo
    deadline: Deadline
    policy: retry.RepositoryPolicy
    tried: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    async def timed(self, stage: str, call: Callable[[], _Answer]) -> _Answer:
        """Return what *call* returns, run in a thread; a store waits, where it does, for itself."""
        started = time.perf_counter()
        try:
            return await in_thread(call)
        finally:
            self.add(stage, time.perf_counter() - started)

    def outcome(self, status: Status, **facts: Any) -> Outcome:  # noqa: ANN401 Outcome's own
        return Outcome(
            repo=self.source,
            status=status,
            attempts=self.tried,
            seconds=self.seconds,
            duration_seconds=self.deadline.spent_seconds(),
            **facts,
        )


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
