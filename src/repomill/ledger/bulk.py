"""Many records at once: read, checked and put into rows together, as there may be a million."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from repomill.ledger.records import RECORD_CHECKS, CorruptPartError, Record, RunRecord, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = tuple[Any, ...]
"""The values of a Record in the order of its fields, the seconds as JSON."""

_IN_ORDER = itemgetter(*RECORD_CHECKS)


class Chunk(NamedTuple):
    """Some records, all of them good."""

    rows: list[Row]
    runs: list[RunRecord]


def read(lines: Sequence[bytes]) -> Chunk:
    """Return the records that *lines* are. Raises CorruptPartError unless all are."""
    try:
        values = json.loads(f"[{b','.join(lines).decode()}]")
        if len(values) != len(lines):
            raise ValueError("there are more records than lines")  # noqa: TRY301 like all others
        runs = [RunRecord(**value) for value in values if "run" in value]
        outcomes = [value for value in values if "run" not in value]
        return Chunk(_rows(outcomes) if outcomes else [], runs)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptPartError(f"a line is no record ({error})") from error


def chunk(records: Iterable[Record | RunRecord]) -> Chunk:
    """Return *records* as a chunk."""
    made = Chunk([], [])
    for record in records:
        if isinstance(record, Record):
            made.rows.append(row(record))
        else:
            made.runs.append(record)
    return made


def row(record: Record) -> Row:
    """Return *record* as a row."""
    return tuple(
        to_json(record.seconds) if name == "seconds" else getattr(record, name)
        for name in RECORD_CHECKS
    )


def _rows(values: list[dict[str, Any]]) -> list[Row]:
    """Return the rows of outcomes. Raises ValueError, TypeError or KeyError."""
    if any(len(value) != len(RECORD_CHECKS) for value in values):
        raise ValueError("there are more values, or fewer")
    columns = dict(zip(RECORD_CHECKS, zip(*map(_IN_ORDER, values), strict=True), strict=True))
    for name, column in columns.items():
        RECORD_CHECKS[name](column)
    columns["seconds"] = tuple(map(to_json, columns["seconds"]))
    return list(zip(*columns.values(), strict=True))
