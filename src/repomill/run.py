"""A run: every repository of a feed, each ending in exactly one outcome."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from repomill import job, logs
from repomill.digest.fingerprint import fingerprint, of_repository
from repomill.errors import BadKeyError, StoreError
from repomill.executors.local import LocalExecutor
from repomill.isolation.sandbox import Sandbox
from repomill.keeping import StoreKeeper
from repomill.ledger import Record, RunRecord, now
from repomill.model import Outcome, Status
from repomill.plan import SKIPPED, Why
from repomill.progress import FleetProgress
from repomill.stats import Statistics
from repomill.task import VOCABULARY, WORKER
from repomill.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from repomill.isolation.scratch import ScratchFolder
    from repomill.job import JobOptions
    from repomill.ledger import Ledger
    from repomill.model import Repo
    from repomill.plan import Item, Plan
    from repomill.stores.base import Store

DEFAULT_WORKERS = 8
PER_HOST = 8
"""At once of one host: published bulk cloners settled on 4 to 25 before connections are reset."""

_REPORT_EVERY = 100
_CLOSING_SECONDS = 1.0
"""What an interrupted run has for its ledger at the least, when all its grace went into work."""

DONE = 0
STORE_LOST = 1
TOO_MANY_FAILURES = 3


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many failures a run may have: a number, or a share of all."""

    count: int | None = None
    percent: float | None = None

    def exceeded(self, failed: int, total: int) -> bool:
        """Whether *failed* of *total* are too many."""
        if self.percent is not None:
            return failed * 100 > self.percent * total
        return self.count is not None and failed > self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run goes about its feed."""

    workers: int = DEFAULT_WORKERS
    limit: int | None = None
    grace_seconds: float = 8.0
    failures: FailureLimit = field(default_factory=FailureLimit)
    prune: bool = False
    prune_limit: FailureLimit = field(default_factory=lambda: FailureLimit(percent=5.0))
    for_people: bool = False


class Run:
    """One run over a plan: processes it, reports as it goes, and says how it went."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        job_options: JobOptions,
        options: RunOptions,
        ledger: Ledger | None = None,
    ) -> None:
        self._plan = plan
        self._store = store
        self._ledger = ledger
        self._flushing: asyncio.Future[None] | None = None
        self._base = fingerprint(job_options.select)
        self._job_options = job_options
        self._options = options
        self._executor = LocalExecutor(options.workers, per_group=PER_HOST)
        self._interrupted: signal.Signals | None = None
        self._ends_at = 0.0
        self._closing: asyncio.Future[None] | None = None
        self._store_lost = False
        self._at_work: dict[str, Item] = {}
        self.statistics = Statistics()
        self.on_outcome: Callable[[Outcome], None] = lambda _: None
        """Called with every outcome as it comes."""
        self.code_so_far = DONE
        """The exit code that what came before the work calls for."""

    async def process(self, folder: ScratchFolder, environ: Mapping[str, str]) -> int:
        """Work on the whole plan and return the exit code."""
        started_at = now()
        counts = self._plan.counts()
        logs.decided({why.value: count for why, count in counts.items()})
        logs.skipped((item.repo, item.why.value) for item in self._plan.skipped())
        unchanged = counts.get(Why.UNCHANGED, 0) + counts.get(Why.EMPTY, 0)
        self.statistics.skip(unchanged=unchanged, waiting=counts.get(Why.WAITING, 0))
        self._watch_signals()
        for item in self._plan.refused():
            refused = Outcome(repo=item.repo, status=Status.FAILED, error=key_is_shared(item))
            self._report(refused)
        total = self._plan.total
        if self._options.limit is not None:
            total = min(total, self._options.limit)
        if total:
            await self._work(total, folder, environ)
        for item in self._at_work.values():
            logs.abandoned(item.repo)
        logs.statistics(self.statistics.report())
        self._closing = asyncio.ensure_future(self._close_ledger(started_at))
        if self._interrupted:
            self._end_closing(at_least_seconds=_CLOSING_SECONDS)
        try:
            await self._closing
        except asyncio.CancelledError:
            logs.not_recorded(TimeoutError("the run was ended; the next one writes it"))
        return self._exit_code()

    async def _work(self, total: int, folder: ScratchFolder, environ: Mapping[str, str]) -> None:
        async with Sandbox([WORKER, VOCABULARY], environ=environ, folder=folder) as sandbox:
            with FleetProgress(total, shown=self._options.for_people) as progress:
                self._job = job.Job(sandbox, self._job_options)
                self._progress = progress
                items = self._plan.items(self._options.limit)
                results = self._executor.map(
                    self._process_one, items, group=lambda item: item.repo.authority
                )
                async for item, outcome in results:
                    self._progress.finish(item.repo.full_name, outcome)
                    self._report(outcome)
                    self._record(item, outcome)

    async def _process_one(self, item: Item) -> tuple[Item, Outcome]:
        repo = item.repo
        self._at_work[item.key] = item
        self._progress.start(repo.full_name)
        logs.processing(repo)
        keeper = StoreKeeper(
            store=self._store,
            repo=repo,
            key=item.key,
            fingerprint=self._fingerprint_of(repo),
            known=item.known,
            doubt=partial(self._ledger.doubt, [item.key]) if self._ledger else lambda: None,
        )
        on_retry = logs.retrying(repo, max_attempts=self._job_options.attempts)
        outcome = await self._job.process(repo, keeper, on_retry)
        del self._at_work[item.key]
        if isinstance(outcome.error, StoreError):
            with suppress(asyncio.CancelledError):  # the outcome is there: it is not lost
                await self._check_store()
        return item, outcome

    async def _check_store(self) -> None:
        """End the run if the store takes nothing more: what is fetched would be lost."""
        try:
            await in_thread(self._store.probe)
        except StoreError as error:
            if not self._store_lost:
                logs.unusable(error)
            self._store_lost = True
            # Not at once: this very call is to be finished, with its outcome.
            asyncio.get_running_loop().call_soon(self._executor.abandon)

    def _report(self, outcome: Outcome) -> None:
        """Tell everybody who wants to know: the one place where an outcome arrives."""
        self.statistics.add(outcome)
        logs.outcome(outcome, timeout_seconds=self._job_options.timeout_seconds)
        self.on_outcome(outcome)
        if self.statistics.worked_on % _REPORT_EVERY == 0:
            logs.statistics(self.statistics.report())

    def _record(self, item: Item, outcome: Outcome) -> None:
        """Put it into the ledger, and from time to time that into the store."""
        if self._ledger is None or isinstance(outcome.error, StoreError):
            return  # a store that did not take it has nothing to do with the repository
        self._ledger.add(self._as_record(item, outcome))
        if self._ledger.due and (self._flushing is None or self._flushing.done()):
            self._flushing = asyncio.ensure_future(self._flush(self._ledger.flush))

    def _as_record(self, item: Item, outcome: Outcome) -> Record:
        error = outcome.error
        unchanged = outcome.status is Status.UNCHANGED
        return Record(
            key=item.key,
            identity=item.identity,
            url=item.repo.url,
            status=outcome.status.value,
            processed_at=now(),
            commit=outcome.commit,
            pushed_at=item.repo.pushed_at,
            fingerprint=self._fingerprint_of(item.repo) if unchanged else outcome.fingerprint,
            size_bytes=outcome.digest_bytes or None,
            tokens=outcome.tokens or None,
            attempts=outcome.attempts,
            seconds=outcome.seconds,
            duration_seconds=outcome.duration_seconds,
            error_class=error.error_class if error else None,
            error=self._job_options.fetch.credentials.redact(str(error)) if error else None,
        )

    def _fingerprint_of(self, repo: Repo) -> str:
        return of_repository(self._base, license=repo.license, description=repo.description)

    async def _flush(self, write: Callable[[], object]) -> None:
        try:
            await in_thread(write)
        except StoreError as error:
            logs.not_recorded(error)

    async def _close_ledger(self, started_at: str) -> None:
        """Bring the ledger into the store."""
        if self._ledger is None or self._store_lost:
            return
        if self._flushing:
            await self._flushing
        counts = self._plan.counts()
        record = RunRecord(
            run=self._ledger.run,
            shard=str(self._plan.shard or "0/1"),
            started_at=started_at,
            ended_at=now(),
            feed_total=self._plan.feed_total,
            done=self.statistics.worked_on,
            skipped={why.value: counts[why] for why in SKIPPED if why in counts},
            exit_code=None if self._interrupted else self._exit_code(),
        )
        await self._flush(partial(self._ledger.finish, record))
        if not self._interrupted:
            await self._flush(self._ledger.compact)

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._interrupt, name)

    def _interrupt(self, name: signal.Signals) -> None:
        """Finish what is at work within the grace; the second time, at once."""
        loop = asyncio.get_running_loop()
        if self._interrupted:
            self._ends_at = loop.time()
            self._executor.abandon()
            self._end_closing()
            return
        self._interrupted = name
        self._ends_at = loop.time() + self._options.grace_seconds
        logs.interrupted(name.name, grace_seconds=self._options.grace_seconds)
        self._executor.stop()
        loop.call_at(self._ends_at, self._executor.abandon)
        self._end_closing()

    def _end_closing(self, *, at_least_seconds: float = 0.0) -> None:
        """See to it that an interrupted run leaves the ledger as it is when its time is over."""
        if self._closing:
            loop = asyncio.get_running_loop()
            loop.call_at(max(self._ends_at, loop.time() + at_least_seconds), self._closing.cancel)

    def _exit_code(self) -> int:
        if self._interrupted:
            return 128 + self._interrupted
        if self._store_lost:
            return STORE_LOST
        report = self.statistics
        if self._options.failures.exceeded(report.failed, report.total):
            return TOO_MANY_FAILURES
        return self.code_so_far


def key_is_shared(item: Item) -> BadKeyError:
    """Return the error of a repository whose key another one has too."""
    return BadKeyError(
        f"another repository of the feed has the key {item.key!r} too; "
        "keep one of them, or put {host} into --key"
    )
