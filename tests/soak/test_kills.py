"""Kill each kind of process of a run at random moments: only the supervisor's end ends the run."""

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from repomill.demo.behaviours import Delay
from repomill.demo.repositories import write_repository
from repomill.isolation.scratch import sweep
from tests.e2e.command import end_of
from tests.e2e.processes import Process, family, outlived

pytestmark = pytest.mark.soak

REPOSITORIES = 12
MOMENTS = range(25)
LONGEST_SECONDS = 2.0


@pytest.fixture
def feed(root, host):
    """Make repositories that take a while each, and write a feed of them."""
    for number in range(REPOSITORIES):
        name = f"owner/name{number}"
        write_repository(root / f"{name}.git", {"README.md": bytes([65 + number]) * 1000})
        host.script(name, Delay(0.2), on="info/refs")
    path = root.parent / "feed.txt"
    path.write_text("\n".join(host.url(f"owner/name{n}") for n in range(REPOSITORIES)))
    return path


@pytest.mark.parametrize("seed", MOMENTS)
@pytest.mark.parametrize("kind", ["worker", "nanny", "forkserver"])
def test_the_run_goes_on_with_every_repository_stored(run, feed, tmp_path, kind, seed):
    with run.start("run", feed, "--store", tmp_path / "store", "--workers", 4) as process:
        wait_for_a_moment(process, random.Random(f"{kind}{seed}"))
        victim = find(process, kind)
        if victim:
            victim.kill()
        done = end_of(process)
    assert done.code == 0, done.stderr
    stored = list((tmp_path / "store" / "gitingest").rglob("summary.txt"))
    assert len(stored) == REPOSITORIES, done.stderr


@pytest.mark.parametrize("seed", MOMENTS)
def test_with_the_supervisor_everything_ends(run, feed, tmp_path, seed):
    with run.start("run", feed, "--store", tmp_path / "store", "--workers", 4) as process:
        wait_for_a_moment(process, random.Random(seed))
        below = family(process.pid)
        with outlived(below, seconds=1):
            process.kill()
    sweep(run.scratch)  # as the next start does, for a supervisor that died in its first moments


def wait_for_a_moment(process, chance):
    try:
        process.wait(chance.uniform(0.2, LONGEST_SECONDS))
    except subprocess.TimeoutExpired:
        return


class Victim:
    """One process, held by a descriptor so that no other can be meant."""

    def __init__(self, process: Process) -> None:
        self._descriptor = os.pidfd_open(process.pid)

    def kill(self):
        signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        os.close(self._descriptor)


def find(process, kind):
    """Return a process of *kind* of the run, as soon as there is one; None once the run ended."""
    depth = {"forkserver": 1, "nanny": 2, "worker": 3}[kind]
    while process.poll() is None:
        for one in family(process.pid):
            if depth_below(one.pid, process.pid) == depth:
                try:
                    return Victim(one)
                except ProcessLookupError:
                    continue
    return None


def depth_below(pid, ancestor):
    depth = 0
    while pid not in (ancestor, 0, 1):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return -1
        pid, depth = int(fields[1]), depth + 1
    return depth if pid == ancestor else -1
