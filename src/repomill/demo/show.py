"""The demo itself: run the pipeline on the demo's fleet and show what became of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from repomill import feed, prepare, run
from repomill.demo import fleet
from repomill.demo.githost import GitHost
from repomill.digest.select import SelectOptions
from repomill.git.command import kept_variables
from repomill.git.fetch import FetchOptions
from repomill.isolation.scratch import ScratchFolder
from repomill.job import JobOptions
from repomill.model import Outcome, Status
from repomill.network import NetworkRules
from repomill.plan import Plan
from repomill.stores.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT_SECONDS = 8.0
_COLOURS = {Status.STORED: "green", Status.EMPTY: "yellow", Status.FAILED: "red"}


def run_demo(folder: Path, environ: Mapping[str, str]) -> int:
    """Make, serve and digest the fleet into *folder*, print every fate, return the exit code."""
    console = Console()
    outcomes: list[Outcome] = []
    with ScratchFolder() as scratch:
        root = scratch.path / "fleet"
        root.mkdir()
        console.print("Making a fleet of repositories from the packages installed here …")
        names = fleet.make(root)
        with GitHost(root) as host:
            fleet.script(host)
            feed_file = scratch.path / "repos.json"
            fleet.write_feed(feed_file, host, names)
            options = _options(host, environ)
            plan = Plan(scratch.path / "plan.sqlite")
            with feed.opened(str(feed_file), options.fetch.network) as stream:
                prepare.load(plan, feed.read(stream))
            whole = run.Run(plan, LocalStore(folder), options, run.RunOptions(for_people=True))
            whole.on_outcome = outcomes.append
            code = asyncio.run(whole.process(scratch, environ))
    _show(console, outcomes, folder)
    return code


def _options(host: GitHost, environ: Mapping[str, str]) -> JobOptions:
    selecting = SelectOptions()
    rules = NetworkRules(allowed=frozenset({host.authority}), ca_file=str(host.ca_file))
    fetching = FetchOptions(
        blob_limit_bytes=selecting.blob_limit_bytes,
        network=rules,
        environ=kept_variables(environ),
    )
    return JobOptions(fetch=fetching, select=selecting, timeout_seconds=TIMEOUT_SECONDS)


def _show(console: Console, outcomes: list[Outcome], folder: Path) -> None:
    table = Table("Repository", "Fate", title="What became of the fleet")
    for column in ("Attempts", "Seconds", "Bytes"):
        table.add_column(column, justify="right")
    for outcome in sorted(outcomes, key=lambda one: one.repo.url):
        name = "/".join(outcome.repo.url.split("/")[3:])
        seconds, size = f"{outcome.duration_seconds:.2f}", str(outcome.bytes_stored or "")
        style = _COLOURS.get(outcome.status, "")
        table.add_row(name, _fate(outcome), str(outcome.attempts), seconds, size, style=style)
    console.print(table)
    stored = sum(outcome.status is Status.STORED for outcome in outcomes)
    console.print(f"{stored} digests are in {folder}/gitingest/, OWNER/NAME/summary.txt each.")


def _fate(outcome: Outcome) -> str:
    if outcome.error and outcome.status is Status.FAILED:
        return outcome.error.error_class
    if outcome.attempts > 1:
        return f"retried, then {outcome.status.value}"
    return outcome.status.value
