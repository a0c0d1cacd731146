#!/usr/bin/env python3
"""The container's interface for orchestrators: one repository in, one JSON outcome out.

    python ingest.py https://HOST/OWNER/NAME

The outcome is a JSON line on stdout; logs and statistics are JSON lines on stderr. Exit code 0: the
digest is stored, or the repository is empty. 1: it failed. 2: usage.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from repomill import cli, logs, options, stats, urls
from repomill.errors import BadUrlError
from repomill.job import keep_in
from repomill.stores import choose

if TYPE_CHECKING:
    from repomill.errors import RepoError
    from repomill.model import Outcome
    from repomill.options import Settings


@click.command()
@click.argument("repo_url")
@options.store_option
@options.attempts_option
@options.job_options
def ingest(repo_url: str, store: str | None, **values: Any) -> int:  # noqa: ANN401 as click calls it
    """Digest REPO_URL into the store, and print what became of it as a line of JSON."""
    settings = options.read_settings(values, os.environ)
    target = choose.choose(store, os.environ, expects_bucket=True)
    try:
        repo = urls.parse(repo_url)
    except BadUrlError as error:
        print_outcome({**blank(urls.shown(repo_url)), **describe_failure(error)}, settings)
        return cli.EXIT_FAILED
    outcome = cli.process_one(repo, keep_in(target, repo, repo.full_name), settings)
    logs.outcome(outcome, timeout_seconds=settings.job.timeout_seconds)
    statistics = stats.Statistics()
    statistics.add(outcome)
    logs.statistics(statistics.report())
    print_outcome({**blank(repo.url), **describe(outcome)}, settings)
    return 0 if outcome.successful else cli.EXIT_FAILED


def blank(repo_url: str) -> dict[str, Any]:
    """Return an outcome of which nothing is known: every field, in its order."""
    return {
        "success": False,
        "repo_url": repo_url,
        "key": None,
        "commit": None,
        "status": "failed",
        "error_class": None,
        "error": None,
        "attempts": 0,
        "duration_seconds": 0.0,
    }


def describe(outcome: Outcome) -> dict[str, Any]:
    """Return what is known of an outcome."""
    return {
        "success": outcome.successful,
        "key": outcome.key,
        "commit": outcome.commit,
        "status": outcome.status.value,
        "attempts": outcome.attempts,
        "duration_seconds": round(outcome.duration_seconds, 3),
        **(describe_failure(outcome.error) if outcome.error and not outcome.successful else {}),
    }


def describe_failure(error: RepoError) -> dict[str, Any]:
    """Return the class and the words of an error."""
    return {"error_class": error.error_class, "error": str(error)}


def print_outcome(outcome: dict[str, Any], settings: Settings) -> None:
    """Print an outcome as a line of JSON, without any credential."""
    redact = settings.credentials.redact
    clean = {name: redact(v) if isinstance(v, str) else v for name, v in outcome.items()}
    click.echo(json.dumps(clean))


if __name__ == "__main__":
    raise SystemExit(cli.call(ingest))
