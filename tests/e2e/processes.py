"""Look at processes from outside, as any user of the machine can."""

import os
import select
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PARENT = 1
"""Where /proc/PID/stat has the parent, behind the name in brackets (proc(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as it was at one moment."""

    pid: int
    arguments: bytes
    environment: bytes


def family(pid: int) -> list[Process]:
    """Return the process *pid* and all below it."""
    children = _children()
    found = [pid]
    for member in found:
        found += children[member]
    return [
        Process(
            pid=member, arguments=_read(member, "cmdline"), environment=_read(member, "environ")
        )
        for member in found
    ]


@contextmanager
def outlived(processes: Iterable[Process], *, seconds: float = 30) -> Iterator[None]:
    """See to it that those of *processes* that live now end in the context or soon after."""
    with ExitStack() as files:
        alive = {}
        for process in processes:
            with suppress(ProcessLookupError):  # it ended meanwhile
                alive[os.pidfd_open(process.pid)] = process
        for file in alive:
            files.callback(os.close, file)
        yield
        deadline = time.monotonic() + seconds
        poll = select.poll()
        for file in alive:
            poll.register(file, select.POLLIN)
        while alive and (left := deadline - time.monotonic()) > 0:
            for file, _ in poll.poll(left * 1000):
                poll.unregister(file)
                del alive[file]
        assert not alive, f"still running: {[process.arguments for process in alive.values()]}"


def _process(pid: int) -> Process:
    return Process(pid=pid, arguments=_read(pid, "cmdline"), environment=_read(pid, "environ"))


def _children() -> defaultdict[int, list[int]]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        if fields:
            children[int(fields[_PARENT])].append(pid)
    return children


def _read(pid: int, file: str) -> bytes:
    with suppress(OSError):  # it ended meanwhile, or is somebody else's
        return Path("/proc", str(pid), file).read_bytes()
    return b""
