#!/usr/bin/env python3
"""The container's interface for orchestrators: outcomes as lines of JSON on stdout.

    python ingest.py https://HOST/OWNER/NAME
    python ingest.py --batch-size N --offset I [--dry-run]

The second works on part I, counted from 0, of the N parts of the feed REPOMILL_FEED. Logs and
statistics are JSON lines on stderr. Exit code 0: done; the digest is stored, or the repository is
empty. 1: it failed, or the feed or the store did. 2: usage. 3: more than --max-failures failed.
"""

from repomill import signals

signals.end_when_told()  # before the imports, which take a while

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from repomill import cli, feed, logs, options, plan, prepare, run, shards, stats, urls
from repomill.digest.fingerprint import fingerprint, of_repository
from repomill.errors import BadUrlError, RepoError, UsageError
from repomill.keeping import StoreKeeper, digest_key, find_known
from repomill.ledger import Record
from repomill.model import Outcome, Repo, Status
from repomill.stores.base import Store

Say = Callable[..., None]


@click.command()
@click.argument("repo_url", required=False)
@click.option("--batch-size", metavar="N", help="Work on a feed that is cut into N parts.")
@click.option("--offset", metavar="I", help="Which part, the first one 0.")
@click.option("--dry-run", is_flag=True, help="Only say which repositories the part holds.")
@options.store_option
@options.run_options
@options.attempts_option
@options.job_options
def ingest(
    repo_url: str | None,
    batch_size: str | None,
    offset: str | None,
    *,
    dry_run: bool,
    **values: Any,  # noqa: ANN401 as click calls it
) -> int:
    """Digest REPO_URL, or a part of a feed, into the store; print what became of each."""
    settings = options.read_settings(values, os.environ)

    def say(url: str, **facts: object) -> None:
        line = {**blank(url), **facts}
        if line["error"]:
            line["error"] = settings.credentials.redact(str(line["error"]))
        click.echo(json.dumps(line))

    if repo_url and batch_size is offset is None and not dry_run:
        return one(repo_url, values, settings, say)
    if batch_size and offset and not repo_url:
        values |= {"shard": shards.parse(f"{offset}/{batch_size}")}
        return batch(values, settings, say, dry_run=dry_run)
    raise UsageError("name a REPO_URL; or --batch-size N and --offset I, perhaps with --dry-run")


def one(repo_url: str, values: Mapping[str, Any], settings: options.Settings, say: Say) -> int:
    """Work on one repository, and return the exit code."""
    store = options.choose_store(values, os.environ, expects_bucket=True)
    key_of = plan.key_maker(values["key"])
    try:
        repo = urls.parse(repo_url)
    except BadUrlError as error:
        say(urls.shown(repo_url), **failure(error))
        return cli.EXIT_FAILED
    statistics = stats.Statistics()
    outcome = process(repo, key_of(repo), store, settings)
    statistics.add(outcome)
    logs.outcome(outcome, timeout_seconds=settings.job.timeout_seconds)
    logs.statistics(statistics.report())
    say(repo.url, **describe(outcome))
    return 0 if outcome.successful else cli.EXIT_FAILED


def process(repo: Repo, key: str, store: Store, settings: options.Settings) -> Outcome:
    """Digest one repository into a store, unless it has this very digest."""
    base = fingerprint(settings.job.select)
    current = of_repository(base, license=repo.license, description=repo.description)
    try:
        store.probe()
        known = find_known(store, repo, key, current)
    except RepoError as error:
        return Outcome(repo=repo, status=Status.FAILED, attempts=0, error=error)
    keeper = StoreKeeper(store=store, repo=repo, key=key, fingerprint=current, known=known)
    return cli.process_one(repo, keeper, settings)


def batch(values: Mapping[str, Any], settings: options.Settings, say: Say, *, dry_run: bool) -> int:
    """Work on a part of the feed, or only list it, and return the exit code."""
    run_options = options.read_run_options(values, settings)
    store = options.choose_store(values, os.environ, expects_bucket=True)
    source = os.environ.get("REPOMILL_FEED") or feed.DEFAULT_FEED
    if not dry_run:
        store.probe()
    with cli.planned(source, values, settings) as (todo, broken, folder):
        if not dry_run:
            with cli.ledger_of(store, values, folder) as ledger:
                prepare.decide(todo, ledger, cli.rules(values, settings))
                whole = run.Run(todo, store, settings.job, run_options, ledger)
                whole.code_so_far = broken
                whole.on_outcome = lambda outcome: say(outcome.repo.url, **describe(outcome))
                for item in todo.skipped():
                    say(item.repo.url, **describe_skipped(item, ledger.index.get(item.key)))
                return cli.work_through(whole.process(folder, os.environ))
        for item in todo.refused():
            say(item.repo.url, **failure(run.key_is_shared(item)))
        for item in todo.items(run_options.limit):
            say(item.repo.url, success=None, status="planned", key=digest_key(item.key))
        return broken


def blank(repo_url: str) -> dict[str, object]:
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


def describe(outcome: Outcome) -> dict[str, object]:
    """Return what is known of an outcome."""
    return {
        "success": outcome.successful,
        "key": outcome.key,
        "commit": outcome.commit,
        "status": outcome.status.value,
        "attempts": outcome.attempts,
        "duration_seconds": round(outcome.duration_seconds, 3),
        **(failure(outcome.error) if outcome.error and not outcome.successful else {}),
    }


def describe_skipped(item: plan.Item, record: Record | None) -> dict[str, object]:
    """Return what is known of a repository on which there is nothing to do for now."""
    if item.why is plan.Why.WAITING and record:  # it failed, and is not tried again yet
        return {"error_class": record.error_class, "error": record.error}
    stored = item.why is plan.Why.UNCHANGED
    return {
        "success": True,
        "key": digest_key(item.key) if stored else None,
        "commit": item.known.commit if item.known else None,
        "status": (Status.UNCHANGED if stored else Status.EMPTY).value,
    }


def failure(error: RepoError) -> dict[str, object]:
    """Return the class and the words of an error."""
    return {"error_class": error.error_class, "error": str(error)}


if __name__ == "__main__":
    raise SystemExit(cli.call(ingest))
