"""What is read of real manifests, against what each ecosystem's own tool says of them.

A tool wants files, so the commit is checked out; what is compared are scope and name of every
dependency, manifest by manifest. Ecosystems without a tool that runs here are not in the table.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import oracles
from repomill.digest import dependencies, names
from repomill.digest.about import About
from repomill.digest.dependencies import Files, Manifest
from repomill.git import tree
from repomill.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from repomill.model import Entry

_LIMIT_BYTES = 512 << 10


@dataclass(slots=True)
class Score:
    """How the manifests of one ecosystem compare."""

    manifests: int = 0
    equal: int = 0
    unjudged: int = 0
    both: int = 0
    invented: int = 0
    missed: int = 0
    told: int = 0
    """Of those missed: in manifests that say themselves that something is computed or absent."""
    differences: list[str] = field(default_factory=list)

    def add(self, manifest: Manifest, name: str, theirs: set[tuple[str, str]]) -> None:
        """Count one manifest."""
        ours = {(one.scope.value, one.name) for one in manifest.dependencies}
        self.manifests += 1
        self.equal += ours == theirs
        self.both += len(ours & theirs)
        self.invented += len(ours - theirs)
        self.missed += len(theirs - ours)
        self.told += len(theirs - ours) if manifest.problems else 0
        self.differences += [f"{name}: invented {scope} {one}" for scope, one in ours - theirs]
        self.differences += [f"{name}: missed {scope} {one}" for scope, one in theirs - ours]

    def row(self, ecosystem: str, tool: str) -> str:
        """Return the row of the table."""
        precision = 100 * self.both / max(1, self.both + self.invented)
        recall = 100 * self.both / max(1, self.both + self.missed)
        silent = 100 * self.both / max(1, self.both + self.missed - self.told)
        return (
            f"| {ecosystem} | {tool} | {self.manifests} | {self.equal} "
            f"| {self.both + self.missed} | {precision:.2f} | {recall:.2f} "
            f"| {silent:.2f} | {self.unjudged} |"
        )


def compare(git: Path, scores: Mapping[str, Score], only: str | None) -> float:
    """Compare every manifest of the repository at *git*; return the seconds that reading took."""
    commit = tree.open_commit(git)
    entries = commit.entries()
    about = About(entries, commit.read, _LIMIT_BYTES)
    files = Files(entries, commit.read)
    started = time.process_time()
    read = {one.path: one for one in dependencies.read_all(files, about.nature)}
    seconds = time.process_time() - started
    manifests = [
        read.get(path, Manifest(path=path, ecosystem=ecosystem.NAME))
        for path, ecosystem in dependencies.find(files, about.nature)
    ]
    judged = [one for one in manifests if only in {None, one.ecosystem}]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, f"{git.parent.name}+{git.name.removesuffix('.git')}")
        _check_out(commit, entries, root)
        for manifest in judged:
            if oracle := oracles.of(manifest.ecosystem):
                truth = oracle.truth(root, manifest.path)
                _judge(manifest, truth, git, scores[manifest.ecosystem])
    return seconds


def _judge(
    manifest: Manifest, theirs: set[tuple[str, str]] | None, git: Path, score: Score
) -> None:
    if theirs is None:
        score.unjudged += 1
        return
    score.add(manifest, f"{git.parent.name}/{git.name}:{manifest.path}", theirs)


def _check_out(commit: tree.Commit, entries: Iterable[Entry], folder: Path) -> None:
    """Write the files, but for those that a snapshot lacks."""
    for entry in entries:
        if entry.kind is Kind.FILE and entry.size_bytes is not None:
            path = folder / names.decode(entry.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(commit.read(entry))


def table(scores: Mapping[str, Score]) -> Iterable[str]:
    """Yield the lines of the table."""
    yield (
        "| ecosystem | judge | manifests | equal | dependencies "
        "| precision % | recall % | but for what is told as missing | unjudged |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for ecosystem, score in sorted(scores.items()):
        oracle = oracles.of(ecosystem)
        yield score.row(ecosystem, oracle.TOOL if oracle else "")


@click.command()
@click.option("--only", help="This ecosystem alone.")
@click.argument("repositories", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(repositories: tuple[Path, ...], only: str | None) -> None:
    """Compare the manifests of REPOSITORIES, git directories called OWNER/NAME.git.

    Differences go to stderr, the table is printed at the end.
    """
    scores: dict[str, Score] = defaultdict(Score)
    for git in sorted(repositories):
        seconds = compare(git, scores, only)
        print(f"{seconds:6.2f} s {git.parent.name}/{git.name}", file=sys.stderr)
    for score in scores.values():
        print(*sorted(score.differences), sep="\n", file=sys.stderr)
    print(*table(scores), sep="\n")


if __name__ == "__main__":
    main()
