"""The real command, in a process of its own, for a user who configured nothing."""

import json
import os
import select
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repomill.demo.githost import GitHost

REPOMILL = (str(Path(sysconfig.get_path("scripts"), "repomill")),)
INGEST = (sys.executable, str(Path(__file__).parents[2] / "container" / "ingest.py"))
PATIENCE_SECONDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line of stderr, each a JSON object."""
        return [json.loads(line) for line in self.stderr.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        """The facts of the last log line, its message among them."""
        return facts(self.log[-1])

    @property
    def outcome(self) -> dict[str, Any]:
        """What is on stdout: one line, a JSON object."""
        assert self.stdout.count(b"\n") == 1
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def facts(line: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a log line, its message and level among them."""
    metadata: dict[str, Any] = line["context"]["metadata"]
    return {"message": line["message"], "level": line["level"], **metadata}


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program to be run with arguments, in an environment of which the test knows all."""

    program: Sequence[str] = REPOMILL
    home: Path
    scratch: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    measured: bool = True
    """Whether coverage may measure it: not where it cannot write what it has measured."""

    def __call__(self, *arguments: object, cwd: Path | None = None, **variables: str) -> Ended:
        """Run it to its end, with further environment *variables*."""
        with self.start(*arguments, cwd=cwd, **variables) as process:
            return end_of(process)

    @contextmanager
    def start(
        self, *arguments: object, cwd: Path | None = None, **variables: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start it; whatever happens then, the process is gone on leaving."""
        process = subprocess.Popen(
            [*self.program, *map(str, arguments)],
            cwd=cwd or self.folder,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the whole environment of the program."""
        # Coverage measures a process that finds its variables.
        measuring = {
            k: v for k, v in os.environ.items() if k.startswith("COVERAGE_") and self.measured
        }
        clean = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
        }
        return {**measuring, **clean, **self.variables, **variables}


def trusting(*hosts: GitHost) -> dict[str, str]:
    """Return the variables of a user who trusts *hosts*, which share a certificate authority."""
    return {
        "GIT_SSL_CAINFO": str(hosts[0].ca_file),
        "REPOMILL_ALLOW_HOST": " ".join(host.authority for host in hosts),
    }


def end_of(process: subprocess.Popen[bytes], *, seconds: float = PATIENCE_SECONDS) -> Ended:
    """Wait for the end of *process*; of its stderr is known what `wait_for` has left."""
    stdout, stderr = process.communicate(timeout=seconds)
    return Ended(code=process.returncode, stdout=stdout, stderr=stderr.decode())


def wait_for(
    text: str, process: subprocess.Popen[bytes], *, seconds: float = PATIENCE_SECONDS
) -> str:
    """Return what *process* says on stderr until the end of a line that holds *text*."""
    assert process.stderr
    source = process.stderr.fileno()
    seen = b""
    while (place := seen.find(text.encode())) < 0 or b"\n" not in seen[place:]:
        ready, _, _ = select.select([source], [], [], seconds)
        piece = os.read(source, 1) if ready else b""
        assert piece, f"{text!r} was expected, this came: {seen.decode()}"
        seen += piece
    return seen.decode()
