"""Measure how long the table of a fleet's dependencies takes, and how much memory.

    python -m bench.inventory [--repositories 1000] [--dependencies 500]

A store in a folder gets so many metadata objects, as digests have them, each with so many
dependencies and as many files. Then `repomill dependencies --store` runs once. Prints a line; exit
code 1 where a bound is not met.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from packageurl import PackageURL

from repomill.digest import compose, select
from repomill.digest.compose import Facts, Parts
from repomill.digest.dependencies import Manifest
from repomill.digest.dependencies.base import Dependency, Scope
from repomill.digest.select import SelectOptions
from repomill.keeping import metadata_key
from repomill.model import Entry, Kind
from repomill.stores.base import JSON
from repomill.stores.local import LocalStore

MOST_MB = 350
OWNERS = 40
PACKAGES = 20_000
IN_A_MANIFEST = 50


def metadata(full_name: str, dependencies: int, chance: random.Random) -> bytes:
    """Return a metadata object with so many *dependencies*, and as many files."""
    manifests = [
        Manifest(
            path=f"services/service-{number}/package.json",
            ecosystem="npm",
            dependencies=tuple(
                _dependency(chance) for _ in range(min(IN_A_MANIFEST, dependencies - number))
            ),
        )
        for number in range(0, dependencies, IN_A_MANIFEST)
    ]
    facts = Facts(
        full_name=full_name,
        url=f"https://github.com/{full_name}",
        commit=f"{chance.getrandbits(160):040x}",
        committed=datetime(2026, 11, 1, tzinfo=UTC),
        manifests=manifests,
    )
    paths = sorted(b"src/folder-%d/file-%d.ts" % divmod(n, 20) for n in range(dependencies))
    entries = [Entry(path, Kind.FILE, "1" * 40, 1000) for path in paths]
    options = SelectOptions()
    selection = select.select(entries, options, default_patterns=())
    parts = Parts(dependencies=b"", tree=b"", omitted=b"", shown=())
    return b"".join(compose.render(compose.compose(facts, parts, selection, options)))


def _dependency(chance: random.Random) -> Dependency:
    name = f"package-{int(chance.paretovariate(0.3)) % PACKAGES}"
    version = f"{chance.randrange(9)}.{chance.randrange(30)}.{chance.randrange(10)}"
    return Dependency(
        name=name,
        package=PackageURL("npm", None, name),
        requirement=f"^{version}",
        resolved=version if chance.random() < 0.8 else None,  # noqa: PLR2004 most are locked
        scope=chance.choice(list(Scope)),
    )


def measure(repositories: int, dependencies: int) -> bool:
    """Make the store, run the command, print what it took; return whether that is little enough."""
    chance = random.Random(1)  # noqa: S311 made up
    with tempfile.TemporaryDirectory() as folder:
        store, table = LocalStore(Path(folder, "store")), Path(folder, "table.parquet")
        for number in range(repositories):
            key = f"department-{number % OWNERS}/service-{number}"
            body = metadata(key, dependencies, chance)
            store.put(metadata_key(key), body, content_type=JSON, metadata={})
        command = ["-m", "repomill", "dependencies", "--store", str(store.root), "-o", str(table)]
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, *command], env={**os.environ, "HOME": folder})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(process.returncode)
        peak_mb = used.ru_maxrss / 1024
        print(
            f"{repositories:,} repositories of {dependencies:,} dependencies: {seconds:.1f} s, "
            f"{used.ru_utime + used.ru_stime:.1f} s of CPU, at most {peak_mb:.0f} MB of memory, "
            f"a table of {table.stat().st_size / 1e6:.1f} MB"
        )
        return peak_mb < MOST_MB


def main() -> int:
    """Measure, print, and return 1 if the bound is not met."""
    parser = argparse.ArgumentParser(description="Measure the table of a fleet's dependencies.")
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--dependencies", type=int, default=500)
    options = parser.parse_args()
    return 0 if measure(options.repositories, options.dependencies) else 1


if __name__ == "__main__":
    sys.exit(main())
