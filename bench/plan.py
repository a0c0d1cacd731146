"""Measure how long a run takes to find out what there is to do, when nine in ten need nothing.

    python -m bench.plan [--entries 10000 24500 1000000] [--rounds 5]

For each number of entries a feed is made, shaped like the UK government's, and a ledger that knows
all of them but the new ones. Then `repomill run --limit 0` reads the feed, compares it with the
ledger and ends, first on an empty disk (the index is made from the parts in the store), then with
its index. A feed of one entry tells what the command costs without a feed.

Prints a table for docs/benchmarks.md; exit code 1 where a bound is not met.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from repomill.digest.fingerprint import fingerprint, of_repository
from repomill.digest.select import SelectOptions
from repomill.ledger import Record, new_run
from repomill.ledger.parts import Writer
from repomill.stores.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = 10_000
NIGHTLY = 24_500
"""What the UK government's feed holds."""
LARGE = 1_000_000
MOST_SECONDS = {NIGHTLY: 5.0, LARGE: 60.0}
"""With an index."""
MOST_MB = 500
MOST_RATIO = 1.5
"""Of the processor's time per entry, with LARGE and with SMALL."""

EMPTY_DISK, WITH_INDEX = "empty disk", "with its index"
COMMIT = "c0ffee" * 6 + "1234"
OWNERS = 900
LICENSE = "MIT"
_CHANGED, _NEW = 9, 19
"""Of twenty in a row: which one was pushed to since, and which one the ledger does not know."""


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    """The most memory it held."""


def entries(count: int) -> Iterator[dict[str, object]]:
    """Yield the entries of a feed."""
    for number in range(count):
        owner, name = f"department-{number % OWNERS}", f"service-{number}"
        yield {
            "owner": owner,
            "name": name,
            "url": f"https://github.com/{owner}/{name}",
            "description": _description(number),
            "isArchived": False,
            "license": {"key": "mit", "name": "MIT License", "spdxId": LICENSE},
            "language": "Ruby",
            "pushedAt": _pushed_at(number, changed=number % 20 == _CHANGED),
            "stargazersCount": number % 100,
            "forksCount": number % 10,
        }


def records(count: int) -> Iterator[Record]:
    """Yield what the ledger knows of them."""
    base = fingerprint(SelectOptions())
    for number in range(count):
        if number % 20 != _NEW:
            key = f"department-{number % OWNERS}/service-{number}"
            yield Record(
                key=key,
                identity=f"github.com:443/{key} None",
                url=f"https://github.com/{key}",
                status="stored",
                processed_at="2026-11-22T01:00:00.000Z",
                commit=COMMIT,
                pushed_at=_pushed_at(number, changed=False),
                fingerprint=of_repository(base, license=LICENSE, description=_description(number)),
                size_bytes=123_456,
                tokens=34_567,
                attempts=1,
                seconds={"fetch": 0.321, "select": 0.012, "compose": 0.045, "store": 0.067},
                duration_seconds=0.445,
            )


def _description(number: int) -> str:
    return f"What citizens need, number {number}"


def _pushed_at(number: int, *, changed: bool) -> str:
    day = 1 + number % 28
    return f"2026-{'11' if changed else '06'}-{day:02}T{number % 24:02}:{number % 60:02}:00Z"


@dataclass(frozen=True)
class Fleet:
    """A feed and a store with a ledger, in a folder of their own."""

    folder: Path
    count: int

    def make(self) -> None:
        """Write both."""
        with (self.folder / "repos.json").open("w") as file:
            separator = "["
            for entry in entries(self.count):
                file.write(separator + json.dumps(entry))
                separator = ",\n"
            file.write("]")
        for _ in Writer(LocalStore(self.folder / "store"), new_run()).write(records(self.count)):
            pass

    def plan(self) -> Cost:
        """Have a run make its plan."""
        options = ["--store", str(self.folder / "store"), "--limit", "0", "--log-format", "json"]
        command = ["-m", "repomill", "run", str(self.folder / "repos.json"), *options]
        environment = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(self.folder / "cache")}
        with (self.folder / "log").open("wb") as log:
            started = time.perf_counter()
            process = subprocess.Popen([sys.executable, *command], env=environment, stderr=log)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        text = (self.folder / "log").read_text()
        if process.returncode or not self._is_right(text):
            raise SystemExit(text[-2000:])
        return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def forget(self) -> None:
        """Lose the index."""
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def _is_right(self, log: str) -> bool:
        """Whether nine in ten were found to be unchanged."""
        lines = map(json.loads, log.splitlines())
        plan = next(line for line in lines if line["message"] == "Plan made")
        unchanged = sum(number % 20 not in {_CHANGED, _NEW} for number in range(self.count))
        found: int = plan["context"]["metadata"].get("unchanged", 0)
        return found == unchanged


def measure(count: int, rounds: int) -> dict[str, Cost]:
    """Return the cost for *count* entries, on an empty disk and with an index.

    Of some rounds the one counts that others on this machine disturbed least.
    """
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), count)
        fleet.make()
        costs: dict[str, list[Cost]] = {EMPTY_DISK: [], WITH_INDEX: []}
        for _ in range(rounds):
            fleet.forget()
            for taken in costs.values():
                taken.append(fleet.plan())
    return {name: min(taken, key=lambda cost: cost.cpu_seconds) for name, taken in costs.items()}


def main() -> int:
    """Measure, print, and return 1 if a bound is not met."""
    parser = argparse.ArgumentParser(description="Measure the planning of a run.")
    parser.add_argument("--entries", type=int, nargs="+", default=[SMALL, NIGHTLY, LARGE])
    parser.add_argument("--rounds", type=int, default=5, help="a million entries have one")
    options = parser.parse_args()
    start = measure(1, options.rounds)[WITH_INDEX].cpu_seconds
    print(f"The command itself: {start:.2f} s of CPU\n")
    print("| entries | | wall s | CPU s | CPU µs per entry | peak MB |\n|---|---|---|---|---|---|")
    met = True
    each: dict[tuple[int, str], float] = {}
    for count in options.entries:
        for name, cost in measure(count, options.rounds if count < LARGE else 1).items():
            each[count, name] = (cost.cpu_seconds - start) / count * 1e6
            print(
                f"| {count:,} | {name} | {cost.seconds:.2f} | {cost.cpu_seconds:.2f} "
                f"| {each[count, name]:.0f} | {cost.megabytes:.0f} |",
                flush=True,
            )
            if name == WITH_INDEX:
                met &= cost.seconds < MOST_SECONDS.get(count, math.inf)
            met &= cost.megabytes < MOST_MB
    for name in (EMPTY_DISK, WITH_INDEX):
        if (LARGE, name) in each and (SMALL, name) in each:
            ratio = each[LARGE, name] / each[SMALL, name]
            print(f"\n{name}: an entry of {LARGE:,} takes {ratio:.2f} × one of {SMALL:,}")
            met &= ratio <= MOST_RATIO
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
