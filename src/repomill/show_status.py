"""Print what the ledger knows: tables for people, or one JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from repomill.digest import names, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from repomill.status import Report

_MAX_NAME_CHARACTERS = 120
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_RIGHT = {"Repositories", "Failed", "Of", "Seconds", "Done", "Skipped"}
"""The columns of numbers."""


def as_json(report: Report) -> bytes:
    """Return *report* as docs/reference/status.md describes it."""
    return json.dumps(asdict(report), indent=2).encode() + b"\n"


def as_table(report: Report) -> bytes:
    """Return *report* as a person reads it, for the width, colours and letters of stdout."""
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as captured:
        for part in _parts(report):
            console.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "".join(f"{line}\n" for line in lines).encode(console.encoding, "backslashreplace")


def _parts(report: Report) -> Iterator[RenderableType]:
    store = _name(report.store)
    if not report.ledger:
        yield f"There is no ledger in {store}: no run has stored anything there yet."
        return
    yield Text(f"{store} at {_minute(report.at)} UTC\n", style="bold")
    yield _facts(report)
    for make in (_outcomes, _failing_owners, _waits, _slowest, _runs):
        table = make(report)
        if table.row_count:
            yield ""
            yield table


def _facts(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, lines in (
        ("Digests", _digests(report)),
        ("Age", _ages(report)),
        ("Feed", _feed(report)),
        ("Failures", _failures(report)),
    ):
        for number, line in enumerate(lines):
            table.add_row("" if number else name, line)
    return table


def _digests(report: Report) -> Iterator[str]:
    yield f"{report.coverage.digests:,} of {_count(report.repositories, 'known repository')}"
    yield f"{decimal(report.size_bytes)}, {tokens.human(report.tokens)} tokens"


def _ages(report: Report) -> Iterator[str]:
    ages = report.ages
    spans = {
        "newest": ages.newest_seconds,
        "median": ages.median_seconds,
        "oldest": ages.oldest_seconds,
    }
    if ages.digests:
        yield ", ".join(f"{name} {_span(age)}" for name, age in spans.items() if age is not None)
        older = (
            f"than {_count(int(days), 'day')}: {count:,}"
            for days, count in ages.older_than_days.items()
        )
        yield f"older {', '.join(older)}"


def _feed(report: Report) -> Iterator[str]:
    found = report.coverage
    if found.feed_total is None or found.since is None:
        return
    share = "" if found.percent is None else f", {found.percent} % have a digest"
    yield f"{_count(found.feed_total, 'repository')}{share}"
    since = _minute(found.since)
    if found.shards > 1:
        yield f"{found.shards_complete:,} of {found.shards:,} shards done, in runs since {since}"
    else:
        yield f"the run of {since} {'is done' if found.shards_complete else 'was interrupted'}"


def _failures(report: Report) -> Iterator[str]:
    failed, waiting = report.by_status["failed"], report.waiting
    if failed:
        yield f"tried again by the next run: {failed - waiting.repositories:,}"
    if waiting.repositories:
        days = (f"{day}: {count:,}" for day, count in waiting.by_day.items())
        yield f"waiting: {waiting.repositories:,}, until {', '.join(days)}"


def _outcomes(report: Report) -> Table:
    table = _table("Outcome", "Repositories")
    for status, count in report.by_status.items():
        if count:
            table.add_row(Text(status, style="red" if status == "failed" else ""), f"{count:,}")
        if status == "failed":
            commonest = sorted(report.by_error_class.items(), key=lambda one: (-one[1], one[0]))
            for error_class, failed in commonest:
                table.add_row(f"  {_name(error_class)}", f"{failed:,}")
    return table


def _failing_owners(report: Report) -> Table:
    table = _table("Failing organisation", "Failed", "Of", "Most often")
    for one in report.failing_owners:
        failed, of = f"{one.failed:,}", f"{one.repositories:,}"
        table.add_row(_name(one.owner), failed, of, _name(one.error_class))
    return table


def _waits(report: Report) -> Table:
    table = _table("Failure that waits", "Error class", "Until")
    for one in report.waiting.next:
        table.add_row(_name(one.key), _name(one.error_class), _minute(one.tried_again_at))
    return table


def _slowest(report: Report) -> Table:
    table = _table("Slowest repository", "Seconds", "Slowest stage")
    for one in report.slowest:
        stage = f"{_name(one.stage)} {one.stage_seconds:,.1f} s" if one.stage else ""
        table.add_row(_name(one.key), f"{one.seconds:,.1f}", stage)
    return table


def _runs(report: Report) -> Table:
    table = _table("Run of", "Shard", "Done", "Skipped", "Exit code")
    for run in report.runs:
        code = "interrupted" if run.exit_code is None else str(run.exit_code)
        skipped = f"{sum(run.skipped.values()):,}"
        table.add_row(_minute(run.started_at), _name(run.shard), f"{run.done:,}", skipped, code)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in _RIGHT else "left", overflow="fold")
    return table


def _name(text: str) -> str:
    """Return *text* as it can be shown: on one line, deceiving nobody, and not too long."""
    cut = text if len(text) <= _MAX_NAME_CHARACTERS else f"{text[:_MAX_NAME_CHARACTERS]}…"
    return names.quote(cut)


def _minute(time: str) -> str:
    """Return the beginning of a time as records have it.

    >>> _minute("2026-11-23T10:00:00.000Z")
    '2026-11-23 10:00'
    """
    return time[:16].replace("T", " ")


def _span(seconds: int) -> str:
    """Return *seconds* in the largest unit of which there is one.

    >>> _span(0), _span(60), _span(200_000)
    ('0 seconds', '1 minute', '2 days')
    """
    size, unit = next((step for step in _SPANS if seconds >= step[0]), _SPANS[-1])
    return _count(seconds // size, unit)


def _count(number: int, thing: str) -> str:
    """Return *number* and *thing*, in the plural where it is one.

    >>> _count(1, "day"), _count(2000, "repository")
    ('1 day', '2,000 repositories')
    """
    many = f"{thing[:-1]}ies" if thing.endswith("y") and thing != "day" else f"{thing}s"
    return f"{number:,} {thing if number == 1 else many}"
