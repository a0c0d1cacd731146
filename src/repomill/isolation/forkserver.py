"""The forkserver, the nannies and the workers: everything below the supervisor.

Started as ``python -m repomill.isolation.forkserver FD FOLDER MODULE…``: a SOCK_SEQPACKET socket,
the run's scratch folder, which is removed at the end, and modules to import. Each message on the
socket is the path of a scratch folder, with three file descriptors: a file that holds a pickled
:class:`Call`, the lifeline to read from, and the pipe for the report. A report is the nanny's PID
on a line, then the worker's exit code on another.

A call may hold a credential. The worker alone reads it, so that no later worker is forked from
memory that held it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import resource
import select
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repomill.isolation import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MESSAGE_BYTES = 4096
"""A path, at the longest."""

READY = b"ready"
"""What the forkserver sends once it has loaded the modules."""

_DESCRIPTORS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one worker, and each process it starts, may take."""

    memory_bytes: int = 2 << 30
    """Address space (RLIMIT_AS)."""
    file_bytes: int = 4 << 30
    """Size of a file (RLIMIT_FSIZE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function to call, and where."""

    function: str
    """``module:name``."""
    argument: Any
    limits: Limits


def main(arguments: list[str]) -> None:
    """Serve calls until the supervisor closes its end, then until the last nanny is gone."""
    descriptor, folder, *modules = arguments
    processes.become_subreaper()
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the workers
    connection = socket.socket(fileno=int(descriptor))
    try:
        connection.send(READY)
        _Server(connection).serve()
    finally:  # also where the supervisor is gone already
        shutil.rmtree(folder, ignore_errors=True)


class _Server:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._nannies: set[int] = set()
        self._wakeup, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        serving = True
        while serving or self._nannies:
            watched = [self._wakeup, *([self._connection.fileno()] if serving else [])]
            ready, _, _ = select.select(watched, [], [])
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._reap()
            if self._connection.fileno() in ready:
                serving = self._answer()
        processes.kill_children()

    def _answer(self) -> bool:
        """Fork a nanny for the next call; return False at the supervisor's end."""
        message, descriptors, _, _ = socket.recv_fds(
            self._connection, MAX_MESSAGE_BYTES, _DESCRIPTORS
        )
        if not message:
            return False
        pid = os.fork()
        if pid == 0:
            with _ending():
                self._connection.close()
                _nanny(message.decode(), *descriptors)
        self._nannies.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _reap(self) -> None:
        """Wait for what has ended; a nanny that was killed left a worker's children behind."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                self._nannies.discard(pid)
                if status:
                    processes.kill_children(keep=self._nannies)


def _nanny(scratch: str, call: int, lifeline: int, report: int) -> None:
    """Look after one worker; stay until the supervisor lets go, then remove the scratch folder."""
    os.setsid()
    wakeup, wakeup_writer = os.pipe()
    os.set_blocking(wakeup_writer, False)
    signal.set_wakeup_fd(wakeup_writer, warn_on_full_buffer=False)
    processes.become_subreaper()
    os.write(report, f"{os.getpid()}\n".encode())
    nanny = os.getpid()
    worker = os.fork()
    if worker == 0:
        with _ending():
            for descriptor in (lifeline, report, wakeup, wakeup_writer):
                os.close(descriptor)
            _work(scratch, call, nanny)
    os.close(call)
    code = _watch(worker, wakeup, lifeline)
    processes.kill_children()
    if code is not None:
        with contextlib.suppress(BrokenPipeError):
            os.write(report, f"{code}\n".encode())
        select.select([lifeline], [], [])
    shutil.rmtree(scratch, ignore_errors=True)


def _watch(worker: int, wakeup: int, lifeline: int) -> int | None:
    """Return the worker's exit code, or None if the lifeline ended first."""
    while True:
        ready, _, _ = select.select([wakeup, lifeline], [], [])
        if lifeline in ready:
            return None
        os.read(wakeup, 4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == worker:
                    return os.waitstatus_to_exitcode(ended[1])


def _work(scratch: str, file: int, nanny: int) -> None:
    """Call the function, in a session, a folder and limits of its own."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    processes.die_with(nanny)
    os.umask(0o077)
    os.chdir(scratch)
    with os.fdopen(file, "rb") as pickled:
        pickled.seek(0)
        call: Call = pickle.load(pickled)  # noqa: S301 from the supervisor
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, call.limits.file_bytes),
        (resource.RLIMIT_AS, call.limits.memory_bytes),
    )
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))
    module, _, name = call.function.partition(":")
    getattr(importlib.import_module(module), name)(call.argument)


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """End the forked process with its block, whatever happens in it."""
    code = 1
    try:
        yield
        code = 0
    except BaseException:  # noqa: BLE001 the nanny reports the exit code
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
