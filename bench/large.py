"""A repository of 2 GB against one of 20 MB: memory of the worker, and time after the clone.

Both are made by this script: folders of source files, and in the large one a few files of 100 MB. A
digest's cost has to follow its size, not the repository's: memory at most 150 MB and 4 times the
size, time at most twice that of the small repository.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

import click

from repomill.options import Size

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_MEMORY_BYTES = 150_000_000
MOST_TIMES_SIZE = 4
MOST_TIMES_SECONDS = 2.0
REPETITIONS = 5
WORDS = "def return value class import self none true for in while with open".split()  # noqa: SIM905

# What a worker does, in a process of its own; the clone lies on the disk already.
WORKER = """
import json, sys, time
from pathlib import Path
from repomill import work
from repomill.digest.select import SelectOptions
from repomill.git.fetch import FetchOptions
from repomill.model import LocalRepo
from repomill.task import Task
select = SelectOptions(max_size_bytes=int(sys.argv[2]))
fetch = FetchOptions(blob_limit_bytes=select.blob_limit_bytes)
source = LocalRepo(path=Path(sys.argv[1]))
started = time.perf_counter()
work.run(Task(source=source, fetch=fetch, select=select, timeout_seconds=300))
seconds = time.perf_counter() - started
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps([seconds, peak, Path("digest.txt").stat().st_size]))
"""


def make(path: Path, *, files: int, file_bytes: int, huge: int, huge_bytes: int) -> None:
    """Make a bare repository of one commit at *path*."""
    git = ["git", "-c", "core.compression=0", f"--git-dir={path}"]
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([*git, "init", "--quiet", "--bare", "-b", "main"], env=environ, check=True)
    importing = [*git, "fast-import", "--quiet", "--depth=0"]
    with subprocess.Popen(importing, stdin=subprocess.PIPE, env=environ) as process:
        assert process.stdin  # noqa: S101 a pipe was asked for
        write_commit(process.stdin, files, file_bytes, huge, huge_bytes)
        process.stdin.close()
    if process.returncode:
        sys.exit("git fast-import failed")


def write_commit(
    stream: IO[bytes], files: int, file_bytes: int, huge: int, huge_bytes: int
) -> None:
    """Write the one commit in the form of git fast-import."""
    stream.write(b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n")
    for path, content in contents(files, file_bytes, huge, huge_bytes):
        stream.write(f"M 100644 inline {path}\ndata {len(content)}\n".encode())
        stream.write(content + b"\n")


def contents(
    files: int, file_bytes: int, huge: int, huge_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file; all differ."""
    draw = random.Random(1)  # noqa: S311 no secret
    text = "\n".join(" ".join(draw.choices(WORDS, k=8)) for _ in range(20_000)).encode()
    text *= 1 + file_bytes // len(text)
    yield "README.md", b"# Large\n"
    yield "package.json", b'{"name": "large"}\n'
    for number in range(files):
        head = f"# {number}\n".encode()
        yield f"src/part{number % 97:02}/module{number}.py", head + text[: file_bytes - len(head)]
    for number in range(huge):
        yield f"data/huge{number}.json", str(number).encode() * huge_bytes


def measure(path: Path, size_bytes: int) -> tuple[float, int, int]:
    """Return the least seconds, the highest peak of memory and the size of a digest of *path*."""
    seconds, peak, size = float("inf"), 0, 0
    for _ in range(REPETITIONS):
        with TemporaryDirectory() as folder:
            command = [sys.executable, "-c", WORKER, str(path.resolve()), str(size_bytes)]
            done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
            took, taken, size = json.loads(done.stdout)
            seconds, peak = min(seconds, took), max(peak, taken)
    return seconds, peak, size


@click.command()
@click.option("--max-size", type=Size(), default="512KiB", show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where to keep them.")
def main(max_size: int, folder: Path | None) -> None:
    """Make both repositories, digest them, and hold the figures against their bounds."""
    with TemporaryDirectory(prefix="large-") as scratch:
        at = folder or Path(scratch)
        at.mkdir(parents=True, exist_ok=True)
        small, large = at / "small.git", at / "large.git"
        if not small.exists():
            make(small, files=2_000, file_bytes=10_000, huge=0, huge_bytes=0)
        if not large.exists():
            make(large, files=4_000, file_bytes=400_000, huge=4, huge_bytes=100_000_000)
        seconds, _, _ = measure(small, max_size)
        large_seconds, peak, written = measure(large, max_size)
    ratio = large_seconds / seconds
    most = MOST_MEMORY_BYTES + MOST_TIMES_SIZE * max_size
    print(f"20 MB: {seconds:.2f} s; 2 GB: {large_seconds:.2f} s, {ratio:.2f} times as long")
    print(f"2 GB: {peak / 1e6:.0f} MB of at most {most / 1e6:.0f}, digest {written} bytes")
    sys.exit(int(ratio > MOST_TIMES_SECONDS or peak > most or written > max_size))


if __name__ == "__main__":
    main()
