"""Logs: one JSON object a line for machines, readable lines for people, no credential in either."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from repomill.errors import DeadlineError, StoreError
from repomill.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping

    from repomill.errors import FeedError, RepoError
    from repomill.model import LocalRepo, Outcome, Repo
    from repomill.retry import OnRetry

FORMATS = ("auto", "json", "console")
LEVELS = ("debug", "info", "warning", "error")

_log = structlog.get_logger()


def configure(form: str, level: str, *, redact: Callable[[str], str]) -> bool:
    """Send log lines to stderr from now on; return whether a person reads them.

    *form* is one of FORMATS: ``auto`` is ``console`` on a terminal and ``json`` elsewhere.
    """
    for_people = form == "console" or (
        form == "auto" and sys.stderr is not None and sys.stderr.isatty()
    )
    structlog.configure(
        processors=[
            structlog.processors.format_exc_info,
            _redactor(redact),
            _render_for_people if for_people else _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: _Stderr(),
        cache_logger_on_first_use=False,
    )
    return for_people


def processing(repo: Repo | LocalRepo, *, attempt: int = 1) -> None:
    """Say that work on a repository begins."""
    _log.info("Processing repository", repo_url=repo.url, attempt=attempt)


def outcome(outcome: Outcome, *, timeout_seconds: float) -> None:
    """Say what became of a repository."""
    facts: dict[str, Any] = {
        "repo_url": outcome.repo.url,
        "attempt": outcome.attempts,
        "duration_seconds": round(outcome.duration_seconds, 3),
    }
    if outcome.status is Status.FAILED and outcome.error:
        if isinstance(outcome.error, DeadlineError):
            _log.warning("Timeout", repo_url=outcome.repo.url, timeout_seconds=timeout_seconds)
        _log.error(
            "Processing failed",
            **facts,
            attempts=outcome.attempts,
            error=str(outcome.error),
            error_class=outcome.error.error_class,
        )
    elif outcome.status is Status.EMPTY:
        _log.warning(
            "Repository is empty", **facts, status=outcome.status.value, error=str(outcome.error)
        )
    else:
        _log.info(
            "Summary generated",
            **facts,
            status=outcome.status.value,
            commit=outcome.commit,
            key=outcome.key,
        )


def retrying(repo: Repo | LocalRepo, *, max_attempts: int) -> OnRetry:
    """Return the function that says that *repo* is tried again."""

    def say(*, attempt: int, delay_seconds: float, error: RepoError) -> None:
        _log.warning(
            "Retrying",
            repo_url=repo.url,
            attempt=attempt,
            max_attempts=max_attempts,
            delay_seconds=delay_seconds,
            error=str(error),
            error_class=error.error_class,
        )

    return say


def unusable_entry(position: int, kind: str, problem: str) -> None:
    """Say that an entry of the feed cannot be used."""
    _log.warning("Feed entry cannot be used", position=position, kind=kind, error=problem)


def planned(total: int, *, duplicates: int, unusable: Mapping[str, int]) -> None:
    """Say what the feed holds."""
    _log.info("Feed read", repositories=total, duplicates=duplicates, unusable=dict(unusable))


def interrupted(signal: str, *, grace_seconds: float) -> None:
    """Say that the run ends early."""
    _log.warning(
        "Interrupted, finishing what is at work", signal=signal, grace_seconds=grace_seconds
    )


def abandoned(repo: Repo) -> None:
    """Say that work on *repo* was cut off by the end of the run; it has no outcome."""
    _log.warning("Abandoned", repo_url=repo.url)


def decided(counts: Mapping[str, int]) -> None:
    """Say what is to be done, and for which reasons."""
    _log.info(
        "Plan made", **{why.replace(", ", "_").replace(" ", "_"): n for why, n in counts.items()}
    )


def skipped(repos: Iterable[tuple[Repo, str]]) -> None:
    """Say of each that nothing is done about it, and why; if anybody wants to know."""
    if _log.is_enabled_for(logging.DEBUG):
        for repo, reason in repos:
            _log.debug("Skipped, unchanged", repo_url=repo.url, reason=reason)


def not_recorded(error: Exception) -> None:
    """Say that a part of the ledger is not in the store yet: the next run writes it."""
    _log.warning("The ledger is not written yet", error=str(error))


def left_feed(count: int, *, removed: int) -> None:
    """Say how many repositories the feed no longer has, and whether their digests are gone."""
    _log.warning("Repositories have left the feed", count=count, removed=removed)


def not_pruned(reason: str) -> None:
    """Say why nothing is removed that was to be."""
    _log.error("Nothing is pruned", error=reason)


def no_inventory(key: str, error: Exception) -> None:
    """Say that the metadata of a repository in a store cannot be used."""
    _log.warning("Metadata cannot be used", key=key, error=str(error))


def table_written(*, repositories: int, dependencies: int, unusable: int) -> None:
    """Say what is in a table of dependencies, and how many metadata objects could not be used."""
    say = _log.warning if unusable else _log.info
    say("Table written", repositories=repositories, dependencies=dependencies, unusable=unusable)


def unusable(error: FeedError | StoreError) -> None:
    """Say that a feed is none, or ended early; or that a store takes nothing, or nothing more."""
    what = "Store" if isinstance(error, StoreError) else "Feed"
    _log.error(f"{what} cannot be used", error=str(error))


def statistics(report: Mapping[str, Any]) -> None:
    """Say what became of all repositories so far."""
    _log.info("Processing statistics", **report)


class _Stderr:
    """Writes to whatever stderr is at the time, which a spinner may have wrapped."""

    def msg(self, line: str) -> None:
        if sys.stderr is not None:  # it can be closed
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def _redactor(redact: Callable[[str], str]) -> structlog.typing.Processor:
    def clean(value: Any) -> Any:  # noqa: ANN401 whatever is logged
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return redact(str(value))

    return lambda _logger, _method, event: clean(dict(event))


def _render_json(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    message = event.pop("event")
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {
        "timestamp": now.replace("+00:00", "Z"),
        "level": method,
        "message": message,
        "context": {"operation": "repomill", "metadata": dict(event)},
    }
    return json.dumps(line, allow_nan=False)  # in ASCII, which every stderr can spell


def _render_for_people(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    message = event.pop("event")
    facts = "  ".join(f"{name}={value}" for name, value in event.items() if value is not None)
    return f"{datetime.now().astimezone():%H:%M:%S} {method:7} {message:22} {facts}"
