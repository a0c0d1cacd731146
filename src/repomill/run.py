"""A run: every repository of a feed, each ending in exactly one outcome."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill import job, logs
from repomill.errors import BadKeyError, FeedError
from repomill.executors.local import LocalExecutor
from repomill.feed import Entry
from repomill.isolation.sandbox import Sandbox
from repomill.model import Outcome, Status
from repomill.progress import FleetProgress
from repomill.stats import Statistics
from repomill.task import WORKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from repomill.feed import Problem
    from repomill.isolation.scratch import ScratchFolder
    from repomill.job import JobOptions
    from repomill.model import Repo
    from repomill.plan import Item, Plan
    from repomill.stores.base import Store

DEFAULT_WORKERS = 8
PER_HOST = 8
"""At once of one host: published bulk cloners settled on 4 to 25 before connections are reset."""

_REPORT_EVERY = 100

DONE = 0
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
    for_people: bool = False


class Run:
    """One run over a plan: processes it, reports as it goes, and says how it went."""

    def __init__(
        self, plan: Plan, store: Store, job_options: JobOptions, options: RunOptions
    ) -> None:
        self._plan = plan
        self._store = store
        self._job_options = job_options
        self._options = options
        self._executor = LocalExecutor(options.workers, per_group=PER_HOST)
        self._interrupted: signal.Signals | None = None
        self._at_work: dict[str, Repo] = {}
        self.statistics = Statistics()
        self.outcomes: list[Outcome] | None = None
        """Every outcome, where somebody wants them all: a run of any length does not."""

    async def process(self, folder: ScratchFolder, environ: Mapping[str, str]) -> int:
        """Work on the whole plan and return the exit code."""
        total = self._plan.total
        if self._options.limit is not None:
            total = min(total, self._options.limit)
        self._watch_signals()
        async with Sandbox([WORKER], environ=environ, folder=folder) as sandbox:
            with FleetProgress(total, shown=self._options.for_people) as progress:
                self._job = job.Job(sandbox, self._job_options)
                self._progress = progress
                for item in self._plan.refused():
                    self._report(item.repo, _refuse(item))
                items = self._plan.items(self._options.limit)
                results = self._executor.map(
                    self._process_one, items, group=lambda item: item.repo.authority
                )
                async for repo, outcome in results:
                    self._report(repo, outcome)
        for repo in self._at_work.values():
            logs.abandoned(repo)
        logs.statistics(self.statistics.report())
        return self._exit_code()

    async def _process_one(self, item: Item) -> tuple[Repo, Outcome]:
        repo = item.repo
        self._at_work[item.key] = repo
        self._progress.start(repo.full_name)
        logs.processing(repo)
        keep = job.keep_in(self._store, repo, item.key)
        on_retry = logs.retrying(repo, max_attempts=self._job_options.attempts)
        outcome = await self._job.process(repo, keep, on_retry)
        del self._at_work[item.key]
        return repo, outcome

    def _report(self, repo: Repo, outcome: Outcome) -> None:
        """Tell everybody who wants to know: the one place where an outcome arrives."""
        self.statistics.add(outcome)
        self._progress.finish(repo.full_name, outcome)
        logs.outcome(outcome, timeout_seconds=self._job_options.timeout_seconds)
        if self.outcomes is not None:
            self.outcomes.append(outcome)
        if self.statistics.total % _REPORT_EVERY == 0:
            logs.statistics(self.statistics.report())

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._interrupt, name)

    def _interrupt(self, name: signal.Signals) -> None:
        """Finish what is at work within the grace; the second time, at once."""
        if self._interrupted:
            self._executor.abandon()
            return
        self._interrupted = name
        logs.interrupted(name.name, grace_seconds=self._options.grace_seconds)
        self._executor.stop()
        asyncio.get_running_loop().call_later(self._options.grace_seconds, self._executor.abandon)

    def _exit_code(self) -> int:
        if self._interrupted:
            return 128 + self._interrupted
        report = self.statistics
        if self._options.failures.exceeded(report.failed, report.total):
            return TOO_MANY_FAILURES
        return DONE


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
                    logs.unusable(item.position, item.kind, item.message)
        except FeedError as error:
            broken.append(error)

    plan.load(repos())
    logs.planned(plan.total, duplicates=plan.duplicates, unusable=problems)
    return broken[0] if broken else None


def _refuse(item: Item) -> Outcome:
    error = BadKeyError(
        f"another repository of the feed has the key {item.key!r} too; "
        "keep one of them, or put {host} into --key"
    )
    return Outcome(repo=item.repo, status=Status.FAILED, error=error)
