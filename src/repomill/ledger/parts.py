"""The durable ledger: parts, each an object of the store that is written once and never changed.

A part is gzip of lines: a header with the number of the format, then a record a line. It is good as
a whole or not at all. What parts say may be said twice and read in any order: the newest counts.
"""

from __future__ import annotations

import gzip
import io
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from repomill.ledger import bulk
from repomill.ledger.records import (
    MAX_LINE_BYTES,
    CorruptPartError,
    LedgerError,
    from_json,
    to_line,
)
from repomill.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repomill.ledger.bulk import Chunk
    from repomill.ledger.records import Record, RunRecord
    from repomill.stores.base import Store

FOLDER = "_repomill/ledger/"
CORRUPT_FOLDER = "_repomill/corrupt/"

GZIP = "application/gzip"
MAX_RECORDS = 50_000
_FULL_BYTES = 64 << 20
_MAX_BYTES = 128 << 20
"""Unpacked; a part is closed long before."""
_CHUNK = 500
_FORMAT = 1
_HEADER = b'{"format":%d}\n'
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_NAME = re.compile(
    rf"{re.escape(FOLDER)}{_RUN.pattern}/[0-9]{{1,9}}-of-[0-9]{{1,9}}-[0-9]{{6,9}}\.jsonl\.gz"
)


class NewerPartError(LedgerError):
    """A newer version of repomill wrote the part."""


def new_run() -> str:
    """Return a name for a run that no other one has; later ones sort behind it."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def names(store: Store) -> set[str]:
    """Return the names of all parts in *store*. Raises StoreError."""
    return {name for name in store.list(FOLDER) if _NAME.fullmatch(name)}


class Writer:
    """Writes the parts of one run and shard."""

    def __init__(self, store: Store, run: str, shard: Shard | None = None) -> None:
        if not _RUN.fullmatch(run):
            raise ValueError(f"{run!r} cannot name a run")
        shard = shard or Shard(0, 1)
        self._store = store
        self._stem = f"{FOLDER}{run}/{shard.index}-of-{shard.count}-"
        self._sequence = 0

    def write(self, records: Iterable[Record | RunRecord]) -> Iterator[str]:
        """Write *records* as parts, and yield the name of each that is in the store.

        Raises StoreError; what was yielded before stays.
        """
        for body in pack(records):
            name = self._next()
            while not self._store.create(name, body, content_type=GZIP):
                name = self._next()  # somebody's, perhaps our own
            yield name

    def _next(self) -> str:
        name = f"{self._stem}{self._sequence:06}.jsonl.gz"
        self._sequence += 1
        return name


@dataclass(frozen=True, slots=True)
class Part:
    """A part as the store gave it."""

    name: str
    body: bytes

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records, some at a time; they are good only if no error comes behind them.

        Raises CorruptPartError, or NewerPartError.
        """
        lines = _lines(self.body)
        _check_header(next(lines, b""))
        while some := list(islice(lines, _CHUNK)):
            yield bulk.read(some)


def pack(records: Iterable[Record | RunRecord]) -> Iterator[bytes]:
    """Yield the bodies of the parts that *records* make, each as large as a part may be."""
    waiting = iter(records)
    first = next(waiting, None)
    while first is not None:
        body = io.BytesIO()
        with gzip.GzipFile(filename="", fileobj=body, mode="wb", compresslevel=6, mtime=0) as file:
            size = file.write(_HEADER % _FORMAT) + file.write(to_line(first))
            count = 1
            while (record := next(waiting, None)) is not None:
                if count == MAX_RECORDS or size > _FULL_BYTES:
                    break
                size += file.write(to_line(record))
                count += 1
        yield body.getvalue()
        first = record


def set_aside(store: Store, part: Part) -> str:
    """Move a corrupt part out of the ledger, and return where it is now. Raises StoreError."""
    name = CORRUPT_FOLDER + part.name.removeprefix(FOLDER)
    store.put(name, part.body, content_type=GZIP, metadata={})
    store.delete(part.name)
    return name


def _lines(body: bytes) -> Iterator[bytes]:
    """Yield the lines of a part, within bounds. Raises CorruptPartError."""
    left = _MAX_BYTES
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        while True:
            try:
                line = file.readline(MAX_LINE_BYTES + 1)
            except (OSError, EOFError, zlib.error) as error:
                raise CorruptPartError(f"it cannot be unpacked ({error})") from error
            left -= len(line)
            if left < 0 or not line.endswith(b"\n"):
                if not line:
                    return
                raise CorruptPartError("a line, or all of it, is too long, or not whole")
            yield line


def _check_header(line: bytes) -> None:
    try:
        header = from_json(line.decode())
    except (ValueError, RecursionError) as error:
        raise CorruptPartError("it has no header") from error
    number = header.get("format")
    if type(number) is not int or number < _FORMAT:
        raise CorruptPartError("its header names no format")
    if number > _FORMAT:
        raise NewerPartError(f"its format {number} is that of a newer repomill; use that")
    if header != {"format": _FORMAT}:
        raise CorruptPartError("its header is another")
