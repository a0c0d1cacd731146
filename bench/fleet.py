"""Measure a run over a fleet against its floor, and against gitingest.

    python bench/fleet.py [--folder FOLDER] [--count 50] [--rounds 3]

FOLDER holds bare repositories, OWNER/NAME.git; without one the packages installed here are taken.
In one run, interleaved, with 50 ms round trips added:

- floor: the same number of `git clone --bare --depth=1 --filter` as `repomill run` has workers
- repomill: `repomill run`
- gitingest: its own `ingest(URL)`, one after another and 8 at once, a fresh process each

Writes docs/benchmarks.md and docs/benchmarks.svg.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.delay_proxy import delayed
from repomill.demo.githost import GitHost
from repomill.demo.repositories import package_repositories
from repomill.run import DEFAULT_WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND_TRIP_SECONDS = 0.05
DOCS = Path(__file__).parent.parent / "docs"

# gitingest refuses hosts that it does not know, and asks their web pages whether a repository is
# there. Both are switched off for it; its token count, which needs a download, fails at once.
GITINGEST = """
import sys
from urllib.parse import urlsplit
import gitingest, gitingest.clone
from gitingest.utils import query_parser_utils
query_parser_utils.KNOWN_GIT_HOSTS.append(urlsplit(sys.argv[1]).netloc)
async def there(*_, **__): return True
gitingest.clone.check_repo_exists = there
gitingest.ingest(sys.argv[1], output=sys.argv[2])
"""


@dataclass
class Bench:
    """One fleet on one host, and how long each way took on it, in seconds."""

    urls: list[str]
    environment: dict[str, str]
    authority: str
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def time(self, name: str, call: Callable[[Path], None]) -> None:
        """Measure *call*, which is given an empty folder."""
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            call(Path(folder))
            taken = time.perf_counter() - started
        self.seconds.setdefault(name, []).append(taken)
        print(f"{name:28} {taken:8.2f} s", flush=True)

    def floor(self, folder: Path) -> None:
        """Clone every repository, as many at once as a run has workers."""

        def clone(number: int) -> None:
            options = ["--bare", "--depth=1", "--single-branch", "--no-tags"]
            options += ["--filter=blob:limit=524289", "--quiet"]
            target = folder / str(number)
            self._call(["git", "clone", *options, self.urls[number], str(target)])
            shutil.rmtree(target)

        with ThreadPoolExecutor(DEFAULT_WORKERS) as pool:
            list(pool.map(clone, range(len(self.urls))))

    def repomill(self, folder: Path) -> None:
        """Run repomill over the feed."""
        feed = folder / "feed.txt"
        feed.write_text("\n".join(self.urls))
        options = ["--store", str(folder / "store"), "--allow-host", self.authority]
        options += ["--max-failures", "0"]
        self._call([sys.executable, "-m", "repomill", "run", str(feed), *options])

    def gitingest(self, at_once: int) -> Callable[[Path], None]:
        """Return the call that runs gitingest on every repository, *at_once* at a time."""

        def call(folder: Path) -> None:
            def ingest(number: int) -> None:
                target = folder / f"{number}.txt"
                self._call([sys.executable, "-c", GITINGEST, self.urls[number], str(target)])

            with ThreadPoolExecutor(at_once) as pool:
                list(pool.map(ingest, range(len(self.urls))))

        return call

    def _call(self, command: list[str]) -> None:
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stderr.decode(errors='replace')[-2000:]}")


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description="Measure a run over a fleet.")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = options.folder
        if root is None:
            root = Path(scratch)
            package_repositories(root, count=options.count)
        names = sorted(str(path.relative_to(root))[:-4] for path in root.glob("*/*.git"))
        names = names[: options.count]
        with (
            GitHost(root) as host,
            delayed(host.port, round_trip_seconds=ROUND_TRIP_SECONDS) as port,
        ):
            bench = _bench(names, host, port)
            for number in range(options.rounds):
                bench.time("floor", bench.floor)
                bench.time("repomill", bench.repomill)
                if number == 0:
                    bench.time("gitingest, 8 at once", bench.gitingest(8))
                    bench.time("gitingest, one by one", bench.gitingest(1))
    what = f"{len(names)} repositories" + (
        " (installed packages)" if options.folder is None else ""
    )
    _write(bench.seconds, what)


def _bench(names: list[str], host: GitHost, port: int) -> Bench:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    trust = dict.fromkeys(("GIT_SSL_CAINFO", "SSL_CERT_FILE"), str(host.ca_file))
    hermetic = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
    urls = [f"https://localhost:{port}/{name}" for name in names]
    return Bench(urls, kept | trust | hermetic, f"localhost:{port}")


def _write(seconds: dict[str, list[float]], what: str) -> None:
    floor = statistics.median(seconds["floor"])
    rows = [
        f"| {name} | {statistics.median(taken):.2f} | {min(taken):.2f} – {max(taken):.2f} "
        f"| {len(taken)} | {statistics.median(taken) / floor:.2f} |"
        for name, taken in seconds.items()
    ]
    page = f"""# Benchmarks

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {what}, 50 ms round trips added by a proxy,
{os.cpu_count()} processors, Python {platform.python_version()}, all in one run.

| | median s | spread s | rounds | × floor |
|---|---|---|---|---|
{chr(10).join(rows)}

![Wall seconds](benchmarks.svg)

- *floor*: `git clone --bare --depth=1 --filter=blob:limit=…` alone, {DEFAULT_WORKERS} at once
- *repomill*: `repomill run`, {DEFAULT_WORKERS} workers, digests with token counts in a folder
- *gitingest*: version 0.3.1, a fresh process for each repository, without its token count (it
  needs a download) and without its request whether the repository exists
"""
    path = DOCS / "benchmarks.md"
    _, heading, rest = path.read_text().partition("\n## ")  # which others write
    path.write_text(page + heading + rest)
    (DOCS / "benchmarks.svg").write_text(
        _chart({n: statistics.median(t) for n, t in seconds.items()})
    )


def _chart(medians: dict[str, float]) -> str:
    """Return a bar chart as SVG."""
    scale = 420 / max(medians.values())
    bars = "".join(
        f'<text x="150" y="{30 * row + 25}" text-anchor="end">{name}</text>'
        f'<rect x="160" y="{30 * row + 11}" width="{seconds * scale:.1f}" height="18"/>'
        f'<text x="{165 + seconds * scale:.1f}" y="{30 * row + 25}">{seconds:.1f} s</text>'
        for row, (name, seconds) in enumerate(medians.items())
    )
    style = "text{font:13px sans-serif;fill:#444}rect{fill:#1d70b8}"
    size = f'width="660" height="{30 * len(medians) + 15}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{style}</style>{bars}</svg>\n'


if __name__ == "__main__":
    main()
