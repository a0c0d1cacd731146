"""What is in digests of real repositories, by size: the table in docs/benchmarks.md.

Every repository is digested at each size from its local git directory. Held is the size itself;
what is told is which of the README, the manifests in the root and the entry points a digest of
64 KiB lacks. What gitingest's own patterns leave out (build.gradle, lock files) is not counted.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repomill import work
from repomill.digest.select import SelectOptions
from repomill.git.fetch import FetchOptions
from repomill.model import LocalRepo
from repomill.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from repomill.model import Digest

KIB = 1 << 10
SIZES = (4 * KIB, 16 * KIB, 64 * KIB, 512 * KIB)
HELD_AT = 64 * KIB

README = re.compile(r"readme([._][\w.-]+)?", re.IGNORECASE)
MANIFEST = re.compile(
    r"package\.json|pyproject\.toml|setup\.(py|cfg)|requirements[\w.-]*\.(txt|in)|Pipfile|Gemfile"
    r"|[\w.-]+\.gemspec|pom\.xml|build\.sbt|build\.gradle(\.kts)?|go\.mod|Cargo\.toml|composer\.json"
    r"|[\w.-]+\.(csproj|sln)|DESCRIPTION|Chart\.yaml"
)
ENTRY_POINT = re.compile(
    r"(src/|app/|lib/|cmd/[\w.-]+/|[\w-]+/)?(main|app|index|server|manage|cli|wsgi|application)"
    r"\.(py|rb|js|ts|go|java|kt|scala)|config\.ru|config/application\.rb|conf/(app\.)?routes"
    r"|conf/application\.conf|(.*/)?\w*Application\.(java|kt)|Program\.cs"
)
TESTS = re.compile(r"(^|/)([\w-]*tests?|specs?|examples?|__tests__|docs?|documentation)/")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one repository."""

    name: str
    files: int
    size_bytes: int
    bytes_at: tuple[int, ...]
    whole_at: tuple[int, ...]
    missing: tuple[str, ...]
    seconds: float
    """Of CPU, for the digest of 512 KiB, listing and selection included."""


def measure(name: str, path: Path) -> Row:
    """Digest the repository at *path* at every size."""
    digests, seconds = [], 0.0
    for size in SIZES:
        started = time.process_time()
        digests.append(digest(path, size))
        seconds = time.process_time() - started
    at_held = {file["path"]: file for file in digests[SIZES.index(HELD_AT)].lists["files"]}
    return Row(
        name=name,
        files=len(at_held),
        size_bytes=sum(file["bytes"] or 0 for file in at_held.values()),
        bytes_at=tuple(len(made.body) for made in digests),
        whole_at=tuple(
            sum(file["state"] == "included" for file in made.lists["files"]) for made in digests
        ),
        missing=tuple(path for path in wanted(at_held) if at_held[path]["state"] == "omitted"),
        seconds=seconds,
    )


def digest(path: Path, size_bytes: int) -> Digest:
    """Return the digest of the HEAD commit at *path*."""
    select = SelectOptions(max_size_bytes=size_bytes)
    fetch = FetchOptions(blob_limit_bytes=select.blob_limit_bytes)
    task = Task(source=LocalRepo(path=path), fetch=fetch, select=select, timeout_seconds=300)
    return work.make_digest(task, Path(), {})


def wanted(files: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield the paths that have to be there: but for those that patterns leave out, and links."""
    for path, file in files.items():
        named = README.fullmatch(path) or MANIFEST.fullmatch(path)
        starts = ENTRY_POINT.fullmatch(path) and not TESTS.search(path)
        there = file["kind"] == "file" and file["bytes"] and file.get("reason") != "pattern"
        if (named or starts) and there:
            yield path


@click.command()
@click.argument("repositories", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(repositories: tuple[Path, ...]) -> None:
    """Digest each of REPOSITORIES, git directories called OWNER/NAME.git, at every size.

    What happens is said on stderr, the table printed at the end.
    """
    rows = []
    for path in sorted(repositories):
        name = f"{path.parent.name}/{path.name.removesuffix('.git')}"
        rows.append(measure(name, path))
        row = rows[-1]
        too_large = [size for size, made in zip(SIZES, row.bytes_at, strict=True) if made > size]
        print(f"{row.seconds:6.2f} s {row.bytes_at} {name} {row.missing or ''}", file=sys.stderr)
        if too_large:
            sys.exit(f"{name}: larger than {too_large}")
    print(table(rows))


def table(rows: Iterable[Row]) -> str:
    """Return the section of the page."""
    sizes = " | ".join(f"{size // KIB} KiB" for size in SIZES)
    lines = [
        "Whole files in the digest at each size; cut ones are not counted. CPU seconds are those",
        'the digest of 512 KiB from a local clone. "Missing": of README, root manifests and entry',
        "points, what a digest of 64 KiB does not have.",
        "",
        f"| repository | files | MB | {sizes} | CPU s | missing |",
        "|---|--:|--:|" + "--:|" * len(SIZES) + "--:|---|",
    ]
    for row in rows:
        whole = " | ".join(str(count) for count in row.whole_at)
        missing = ", ".join(f"`{path}`" for path in row.missing) or "–"
        lines.append(
            f"| {row.name} | {row.files} | {row.size_bytes / 1e6:.1f} | {whole} "
            f"| {row.seconds:.2f} | {missing} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
