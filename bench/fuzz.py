"""Give the readers of manifests what nobody would write, guided by what they do with it.

Each ecosystem is fuzzed by itself, for so many seconds, from real manifests. A fault is an error
that is none of ours, more than a second of CPU for one commit, or 200 MB more than at the start.
What libFuzzer finds it leaves in the folder of the corpus.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

import atheris
import click

with atheris.instrument_imports(include=["repomill.digest.dependencies"]):
    from repomill.digest import dependencies

from repomill.digest import names
from repomill.digest.about import About
from repomill.digest.dependencies import Files
from repomill.digest.linguist import Nature
from repomill.git import tree
from repomill.model import Entry, Kind

_BETWEEN = b"\n-- \xff --\n"
_MOST_SECONDS = 1.0
_MOST_MEGABYTES = 200
_MOST_SEEDS = 400
_MOST_SEED_BYTES = 20_000

# What a commit of each ecosystem holds: the manifest first, then what may lie beside it.
FILES = {
    "npm": ("package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "a/package.json"),
    "PyPI": ("pyproject.toml", "uv.lock", "requirements.in", "requirements.txt", "setup.py"),
    "PyPI, older": ("setup.py", "setup.cfg", "Pipfile", "Pipfile.lock", "poetry.lock"),
    "RubyGems": ("Gemfile", "Gemfile.lock", "a.gemspec"),
    "Maven": ("pom.xml", "a/pom.xml"),
    "Gradle": ("build.gradle", "build.gradle.kts", "gradle/libs.versions.toml", "gradle.lockfile"),
    "sbt": ("build.sbt", "project/plugins.sbt", "project/Dependencies.scala"),
    "Go": ("go.mod",),
    "Cargo": ("Cargo.toml", "Cargo.lock", "a/Cargo.toml"),
    "NuGet": ("a.csproj", "Directory.Packages.props", "packages.lock.json", "packages.config"),
    "Composer": ("composer.json", "composer.lock"),
    "Docker": ("Dockerfile", "compose.yaml"),
    "Terraform": ("main.tf", "a.tf", ".terraform.lock.hcl"),
    "GitHub Actions": (".github/workflows/a.yml", "action.yml"),
}


@dataclass(slots=True)
class Commit:
    """A commit that is made of what the fuzzer gives: a text a file."""

    paths: tuple[str, ...]
    start_megabytes: float

    def test(self, data: bytes) -> None:
        """Read it; raise what is a fault."""
        contents = dict(zip(self.paths, data.split(_BETWEEN), strict=False))
        entries = [
            Entry(path.encode(), Kind.FILE, _name_of(text), len(text))
            for path, text in sorted(contents.items())
        ]
        files = Files(entries, lambda entry: contents[names.decode(entry.path)])
        started = time.process_time()
        dependencies.read_all(files, lambda _path: Nature.SOURCE)
        spent = time.process_time() - started
        grown = _megabytes() - self.start_megabytes
        if spent > _MOST_SECONDS or grown > _MOST_MEGABYTES:
            raise MemoryError(f"{spent:.2f} s, {grown:.0f} MB")


def _name_of(text: bytes) -> str:
    return sha1(text, usedforsecurity=False).hexdigest()


def _megabytes() -> float:
    """Return the most that this program has held; ru_maxrss would count what forked it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return int(status["VmHWM"].split()[0]) / 1024


def seeds(ecosystem: str, repositories: tuple[Path, ...], folder: Path) -> None:
    """Write real files of the ecosystem's names as seeds."""
    wanted = {Path(path).name: place for place, path in enumerate(FILES[ecosystem])}
    count = 0
    for git in sorted(repositories):
        commit = tree.open_commit(git)
        entries = commit.entries()
        nature_of = About(entries, commit.read, 512 << 10).nature
        for path, found in dependencies.find(Files(entries, commit.read), nature_of):
            name = Path(path).name
            text = commit.read(next(one for one in entries if names.decode(one.path) == path))
            if ecosystem.startswith(found.NAME) and len(text) < _MOST_SEED_BYTES:
                seed = _BETWEEN * wanted.get(name, 0) + text
                (folder / _name_of(seed)).write_bytes(seed)
                count += 1
            if count == _MOST_SEEDS:
                return


@click.command()
@click.option("--seconds", default=600, show_default=True, help="For each ecosystem.")
@click.option("--only", multiple=True, type=click.Choice(list(FILES)), help="These alone.")
@click.option("--corpus", type=click.Path(path_type=Path), default=Path(".fuzz"), show_default=True)
@click.argument("repositories", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(repositories: tuple[Path, ...], seconds: int, only: tuple[str, ...], corpus: Path) -> None:
    """Fuzz every ecosystem, with seeds from REPOSITORIES, git directories."""
    failed = []
    for ecosystem in only or FILES:
        folder = corpus / ecosystem.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        seeds(ecosystem, repositories, folder)
        command = [sys.executable, "-m", "bench.fuzz", "--one", ecosystem, str(folder)]
        log = folder.with_suffix(".log")
        with log.open("wb") as file:
            code = subprocess.run([*command, str(seconds)], stderr=file, check=False).returncode
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        print(f"{ecosystem}: {'nothing found' if code == 0 else f'FAULT, see {log}'} {last}")
        failed += [ecosystem] if code else []
    sys.exit(1 if failed else 0)


def fuzz(ecosystem: str, folder: str, seconds: str) -> None:
    """Fuzz one ecosystem in this process, which libFuzzer ends."""
    commit = Commit(FILES[ecosystem], _megabytes())
    commit.test(b"")
    settings = [f"-max_total_time={seconds}", "-max_len=65536", "-timeout=20", "-rss_limit_mb=0"]
    settings.append(f"-artifact_prefix={folder}.")
    atheris.Setup([sys.argv[0], folder, *settings], commit.test)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        os.nice(5)
        fuzz(*sys.argv[2:5])
    else:
        main()
