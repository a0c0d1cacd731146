"""Print what a run would do, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from repomill.plan import SKIPPED, Why

if TYPE_CHECKING:
    from repomill.plan import Plan

_WIDTH = max(len(why) for why in (*Why, "left the feed"))


def show(plan: Plan, limit: int | None, form: str) -> None:
    """Print it on stdout as a ``table`` for people, or as ``json``."""
    if form == "json":
        _print_json(plan, limit)
    else:
        _print_table(plan, limit)


def _print_table(plan: Plan, limit: int | None) -> None:
    """Print a line for each repository, then how many there are of each kind."""
    for item in plan.items(limit):
        click.echo(f"{item.why:{_WIDTH}}  {item.repo.url}")
    for item in plan.refused():
        click.echo(f"{'refused':{_WIDTH}}  {item.repo.url}")
    click.echo()
    counts = plan.counts()
    for why, count in counts.items():
        skipped = "skipped" if why in SKIPPED else ""
        click.echo(f"{why:{_WIDTH}}  {count:>9}  {skipped}".rstrip())
    if left := plan.left_count():
        click.echo(f"{'left the feed':{_WIDTH}}  {left:>9}")
    if not counts:
        click.echo("The feed holds nothing for this run.")


def _print_json(plan: Plan, limit: int | None) -> None:
    """Print one JSON object; the repositories come one by one, however many there are."""
    counts = plan.counts()
    head = {
        "todo": {why.value: count for why, count in counts.items() if why not in SKIPPED},
        "skipped": {why.value: count for why, count in counts.items() if why in SKIPPED},
        "left_feed": plan.left_count(),
        "refused": [item.repo.url for item in plan.refused()],
    }
    click.echo(json.dumps(head)[:-1] + ', "repositories": [', nl=False)
    for number, item in enumerate(plan.items(limit)):
        line = {"url": item.repo.url, "key": item.key, "why": item.why.value}
        click.echo(("," if number else "") + "\n" + json.dumps(line), nl=False)
    click.echo("\n]}")
