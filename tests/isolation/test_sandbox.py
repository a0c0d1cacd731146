"""Calls in processes that can be killed whole, seen from outside: by what is left of them."""

import asyncio
import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from repomill.errors import RepomillError
from repomill.isolation import processes, scratch
from repomill.isolation.forkserver import Limits
from repomill.isolation.sandbox import Sandbox
from repomill.isolation.scratch import ScratchFolder

HERE = Path(__file__).parent
PR_GET_DUMPABLE = 3  # linux/prctl.h
LIMITS = Limits(memory_bytes=1 << 30, file_bytes=1 << 20)


@asynccontextmanager
async def sandbox():
    environ = {**os.environ, "PYTHONPATH": str(HERE), "CANARY": "secret"}
    with ScratchFolder() as folder:
        async with Sandbox(["calls"], environ=environ, folder=folder) as made:
            yield made
        assert descendants() == set(), "nothing is left of the calls"


def descendants():
    """Return the PIDs of all processes that work below a scratch folder of this process."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if "repomill.isolation.forkserver" in (folder / "cmdline").read_text():
                ancestor = folder
                while (parent := parent_of(ancestor)) not in (0, os.getpid()):
                    ancestor = Path(f"/proc/{parent}")
                if parent == os.getpid():
                    found.add(int(folder.name))
        except OSError:
            continue
    return found


def parent_of(folder):
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def call(name, argument=None, *, timeout_seconds=60, collect=None):
    """Make one call; return how it ended and what *collect* found in its folder."""

    async def make():
        async with (
            sandbox() as one,
            one.call(
                f"calls:{name}", argument, limits=LIMITS, timeout_seconds=timeout_seconds
            ) as ended,
        ):
            return ended, (collect or os.listdir)(ended.scratch)

    ended, collected = asyncio.run(make())
    assert not ended.scratch.exists()
    return ended, collected


def test_a_call_leaves_its_results_in_its_folder():
    ended, text = call("write", "hello", collect=lambda folder: (folder / "out").read_text())
    assert (ended.code, ended.timed_out, text) == (0, False, "hello")


@pytest.mark.parametrize(
    ("name", "code"),
    [("fail", 1), ("die", -signal.SIGKILL), ("eat_memory", 1), ("fill_disk", 1)],
)
def test_a_call_that_goes_wrong_says_how_it_ended(name, code):
    assert call(name)[0].code == code


@pytest.mark.parametrize("name", ["wait", "hang_in_c", "hang_without_the_interpreter", "escape"])
def test_a_call_that_hangs_is_killed_with_all_it_started(name):
    ended, _ = call(name, timeout_seconds=1)
    assert ended.timed_out


def test_a_process_that_outlives_its_call_is_killed():
    ended, _ = call("fork_and_end")
    assert ended.code == 0


def test_the_limits_hold_in_the_worker():
    _, limits = call("show_limits", collect=lambda folder: (folder / "limits").read_text())
    assert limits == repr([LIMITS.memory_bytes, LIMITS.file_bytes, 0])


def test_no_variable_of_the_supervisor_reaches_a_worker_but_a_few():
    _, (raw, own) = call(
        "show_environment",
        collect=lambda f: ((f / "environment").read_bytes(), (f / "own").read_text()),
    )
    assert b"CANARY" not in raw
    assert "CANARY" not in own


def test_other_processes_of_the_user_cannot_read_the_supervisor():
    async def ask():
        async with sandbox():
            return ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)

    assert asyncio.run(ask()) == 0


@pytest.mark.parametrize("victim", ["worker", "nanny", "forkserver"])
def test_whoever_is_killed_the_next_call_works(victim):
    async def kill_and_call():
        async with sandbox() as one:
            call = asyncio.create_task(wait_in(one))
            pids = await started(one)
            os.kill(pids[victim], signal.SIGKILL)
            if victim == "forkserver":  # the call goes on without it
                os.kill(pids["worker"], signal.SIGKILL)
            ended = await call
            async with one.call("calls:write", "again", limits=LIMITS, timeout_seconds=60) as again:
                return ended, again

    ended, again = asyncio.run(kill_and_call())
    assert ended.code in (None, -signal.SIGKILL)
    assert not ended.timed_out
    assert again.code == 0


async def wait_in(one):
    async with one.call("calls:wait", None, limits=LIMITS, timeout_seconds=60) as ended:
        return ended


async def started(one):
    """Wait until the call works; return the PIDs of the processes of the chain."""
    while not list(one.folder.path.glob("*/started")):  # noqa: ASYNC110 a worker has no other way to tell
        await asyncio.sleep(0.01)
    forkserver = one.forkserver_pid
    (nanny,) = processes.children(forkserver)
    (worker,) = processes.children(nanny)
    return {"forkserver": forkserver, "nanny": nanny, "worker": worker}


def test_cancelling_a_call_kills_it():
    async def cancel():
        async with sandbox() as one:
            call = asyncio.create_task(wait_in(one))
            await started(one)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(cancel())


def test_a_call_of_any_size_arrives():
    text = "x" * (1 << 20)
    assert call("write", text, collect=lambda folder: (folder / "out").read_text())[1] == text


def test_what_one_worker_was_told_is_not_in_the_memory_of_the_next():
    canary = "canary-" + "-".join(map(str, range(1000, 1010)))

    async def twice():
        async with sandbox() as one:
            for name, argument in (("write", canary), ("show_memory", canary[7:])):
                async with one.call(
                    f"calls:{name}", argument, limits=LIMITS, timeout_seconds=60
                ) as ended:
                    last = [path.name for path in ended.scratch.iterdir()]
            return last

    assert asyncio.run(twice()) == ["clean"]


def test_with_nanny_and_forkserver_killed_at_once_nothing_of_the_call_goes_on():
    async def kill_both():
        async with sandbox() as one:
            task = asyncio.create_task(wait_in(one))
            pids = await started(one)
            watched = os.pidfd_open(pids["worker"])
            os.kill(pids["forkserver"], signal.SIGKILL)
            os.kill(pids["nanny"], signal.SIGKILL)
            ended = await task
            gone = select.select([watched], [], [], 5)[0]
            os.close(watched)
            return ended, gone

    ended, gone = asyncio.run(kill_both())
    assert ended.code is None
    assert gone


def test_what_a_dead_run_left_is_swept_and_a_living_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where the folders are made
    with ScratchFolder() as living:
        dead = tmp_path / "repomill-run-dead"
        dead.mkdir()
        (dead / "repomill.lock").touch()
        strange = tmp_path / "repomill-run-without-lock"
        strange.mkdir()
        link = tmp_path / "repomill-run-link"
        link.symlink_to(strange)
        scratch.sweep(tmp_path)
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
            [living.path.name, strange.name, link.name]
        )
    assert not living.path.exists()


def test_a_forkserver_that_cannot_start_says_why():
    async def start():
        with ScratchFolder() as folder:
            async with Sandbox(["no_such_module"], environ=os.environ, folder=folder):
                pass

    with pytest.raises(RepomillError, match="no_such_module"):
        asyncio.run(start())


def test_the_supervisor_s_sudden_end_ends_everything(tmp_path):
    script = (
        "import asyncio, os, sys, test_sandbox as t\n"
        "async def main():\n"
        "    async with t.sandbox() as one:\n"
        "        call = asyncio.create_task(t.wait_in(one))\n"
        "        pids = await t.started(one)\n"
        "        print(*pids.values(), one.folder.path, file=sys.stderr, flush=True)\n"
        "        await call\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert supervisor.stderr
        *pids, folder = supervisor.stderr.readline().split()
        watched = [os.pidfd_open(int(pid)) for pid in pids]
        supervisor.kill()
    for one in watched:
        assert select.select([one], [], [], 5)[0], "it ended"
        os.close(one)
    assert not Path(folder).exists()
