"""How much of a digest's CPU the dependencies take: a table for docs/benchmarks.md.

Each repository is digested in a process of its own, from its local git directory: once as a process
that is new does, then again and again as in a fleet, where what a process loads is loaded already.
What git takes to fetch a repository is in none of the figures.
"""

from __future__ import annotations

import gc
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from bench.budgets import SIZES, digest
from repomill import work
from repomill.digest import dependencies

if TYPE_CHECKING:
    from collections.abc import Callable

    from repomill.digest.linguist import Nature


class Watched:
    """Reads dependencies, and notes the CPU that this takes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.manifests = 0
        self._read_all = dependencies.read_all

    def __call__(
        self, files: dependencies.Files, nature_of: Callable[[str], Nature]
    ) -> list[dependencies.Manifest]:
        """Do what `read_all` does."""
        started = time.process_time()
        found = self._read_all(files, nature_of)
        self.seconds = time.process_time() - started
        self.manifests = len(found)
        return found


def measure(path: Path, rounds: int) -> tuple[int, list[tuple[float, float]]]:
    """Return the number of manifests, and for each round the seconds of reading and of all."""
    gc.set_threshold(work.MADE_BETWEEN_SEARCHES)
    dependencies.read_all = watched = Watched()
    costs = []
    for _ in range(rounds):
        started = time.process_time()
        digest(path, max(SIZES))
        costs.append((watched.seconds, time.process_time() - started))
    return watched.manifests, costs


def row(name: str, manifests: int, costs: list[tuple[float, float]]) -> str:
    """Return the row of the table: the first round, and the least and the most of the others.

    Of their shares it is the middle one: a machine's speed changes between reading and the rest.
    """
    (first, first_all), *others = costs
    shares = [100 * reading / whole for reading, whole in others]
    columns = [[reading for reading, _ in others], [whole for _, whole in others]]
    spans = [f"{min(column):.2f}–{max(column):.2f}" for column in columns]
    return (
        f"| {name} | {manifests} | {first:.2f} | {first_all:.2f} | {100 * first / first_all:.0f} "
        f"| {spans[0]} | {spans[1]} | {median(shares):.0f} |"
    )


@click.command()
@click.option("--rounds", type=click.IntRange(min=2), default=12, show_default=True)
@click.argument("repositories", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(repositories: tuple[Path, ...], rounds: int) -> None:
    """Digest each of REPOSITORIES, git directories called OWNER/NAME.git, and print the table."""
    print("| repository | manifests with dependencies ", end="")
    print("| first: reading | all | share % | next: reading | all | share % |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as processes:
        for path in sorted(repositories):
            name = f"{path.parent.name}/{path.name.removesuffix('.git')}"
            print(row(name, *processes.submit(measure, path, rounds).result()), flush=True)


if __name__ == "__main__":
    main()
