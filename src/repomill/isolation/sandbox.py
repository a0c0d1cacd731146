"""The supervisor's side: send calls to the forkserver, and wait no longer than allowed."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

import structlog

from repomill.errors import RepomillError
from repomill.isolation import processes
from repomill.isolation.forkserver import READY, Call, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from repomill.isolation.scratch import ScratchFolder

_log = structlog.get_logger()

_KILL_SECONDS = 5.0
"""How long a nanny may take to kill what is below it: they all die in some 20 ms."""
_SEND_SECONDS = 30.0
_START_ATTEMPTS = 3
_STDERR = "stderr"

# What a Python process needs to start as this one did. No secret is among them.
_KEPT_VARIABLES = (
    *("PATH", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHASHSEED", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"),
    *("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended, and the folder it worked in."""

    scratch: Path
    code: int | None = None
    """Exit code of the worker, negative for a signal; None if it had no end of its own."""
    timed_out: bool = False


class Sandbox:
    """Calls functions in processes that can be killed whole.

    *preload* names the modules that the forkserver imports once, so that workers have them;
    each call works in a folder of its own below *folder*.
    An asynchronous context manager; on leaving, nothing that was started is left.
    """

    def __init__(
        self, preload: Sequence[str], *, environ: Mapping[str, str], folder: ScratchFolder
    ) -> None:
        self.folder = folder
        self._preload = preload
        self._environ = {name: environ[name] for name in _KEPT_VARIABLES if name in environ}
        self._nannies: set[int] = set()
        self._adopted: set[int] = set()

    @property
    def forkserver_pid(self) -> int:
        """The PID of the forkserver that serves now."""
        return self._forkserver.pid

    async def __aenter__(self) -> Self:
        processes.become_subreaper()
        processes.hide_from_own_user()
        self._others = frozenset(processes.children(os.getpid()))
        for _ in range(_START_ATTEMPTS):
            if await self._start_and_wait():
                return self
        raise RepomillError(f"the forkserver did not start: {self._last_words()}")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        processes.kill_children(keep=self._others)
        self._reap()

    @asynccontextmanager
    async def call(
        self, function: str, argument: object, *, limits: Limits, timeout_seconds: float
    ) -> AsyncIterator[Ended]:
        """Call *function*, named ``module:name``, and give how that ended.

        The worker's folder, in which it leaves its results, is there until the block is left; then
        every process of the call is gone, and the folder.
        """
        scratch = self.folder.make()
        call = Call(function=function, argument=argument, limits=limits)
        lifeline, report = self._send(scratch, pickle.dumps(call))
        nanny: int | None = None
        try:
            async with _lines(report) as lines:
                ended = Ended(scratch, timed_out=True)
                with suppress(TimeoutError):
                    async with asyncio.timeout(timeout_seconds):
                        nanny = await _number(lines)
                        self._nannies.add(nanny or 0)
                        ended = Ended(scratch, code=await _number(lines))
                try:
                    yield ended
                finally:
                    lifeline = _close(lifeline)
                    await self._see_off(lines, nanny)
                    if ended.code is None and not ended.timed_out:
                        self._sweep()
        finally:
            _close(lifeline)
            shutil.rmtree(scratch, ignore_errors=True)

    async def _see_off(self, lines: asyncio.StreamReader, nanny: int | None) -> None:
        """Wait until the nanny, whose lifeline has ended, has killed all below it and is gone."""
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                await lines.read()
        except TimeoutError:
            _log.warning("A process did not end and is killed", pid=nanny)
            if nanny is not None:
                processes.kill(nanny)
        if nanny is not None:
            self._nannies.discard(nanny)
            self._adopted.add(nanny)  # ours to wait for, should its forkserver have died
        self._reap()

    def _sweep(self) -> None:
        """Kill what was left to this process: by a nanny that was killed with its forkserver."""
        kept = {*self._others, *self._nannies, self.forkserver_pid}
        processes.kill_children(keep=kept)

    def _send(self, scratch: Path, call: bytes) -> tuple[int, int]:
        """Send a call; return the end of the lifeline to close, and that of the report to read."""
        if self._forkserver.poll() is not None:
            self._stop()
            self._start()
        lifeline_reader, lifeline = os.pipe()
        report, report_writer = os.pipe()
        try:
            with _in_memory(call) as file:
                self._pass_on(scratch, [file.fileno(), lifeline_reader, report_writer])
        except BaseException:
            os.close(lifeline)
            os.close(report)
            raise
        finally:
            os.close(lifeline_reader)
            os.close(report_writer)
        return lifeline, report

    def _pass_on(self, scratch: Path, descriptors: list[int]) -> None:
        message = [str(scratch).encode()]
        try:
            socket.send_fds(self._connection, message, descriptors)
        except OSError:  # the forkserver is dead or stopped
            self._stop()
            self._start()
            socket.send_fds(self._connection, message, descriptors)

    async def _start_and_wait(self) -> bool:
        """Start the forkserver; return whether it got ready, and leave none that did not."""
        self._start()
        ready = b""
        try:
            ready = await asyncio.to_thread(self._connection.recv, len(READY))
        finally:
            if not ready:
                self._stop()
        return bool(ready)

    def _start(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.settimeout(_SEND_SECONDS)
        python = [sys.executable, "-P", "-m", "repomill.isolation.forkserver"]
        with theirs, (self.folder.path / _STDERR).open("ab") as stderr:
            self._forkserver = subprocess.Popen(
                [*python, str(theirs.fileno()), str(self.folder.path), *self._preload],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        _log.debug("Started the forkserver", pid=self._forkserver.pid)

    def _last_words(self) -> str:
        lines = (self.folder.path / _STDERR).read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def _stop(self) -> None:
        """End the forkserver; nannies that are still at work end with their own lifelines."""
        self._connection.close()
        try:
            self._forkserver.wait(0 if self._adopted else _KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self._forkserver.kill()
            self._forkserver.wait()

    def _reap(self) -> None:
        """Wait for the nannies that a dead forkserver left to this process, where they ended."""
        for pid in tuple(self._adopted):
            try:
                ended, _ = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended = pid
            if ended:
                self._adopted.discard(pid)


@asynccontextmanager
async def _lines(report: int) -> AsyncIterator[asyncio.StreamReader]:
    """Give the lines of the pipe *report*, which is closed at the end."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(report, "rb", buffering=0)
    )
    try:
        yield reader
    finally:
        transport.close()


def _in_memory(content: bytes) -> IO[bytes]:
    """Return an open file with *content* that has no name, and where possible no disk."""
    file: IO[bytes]
    if sys.platform == "linux":
        file = os.fdopen(os.memfd_create("call"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115 the caller closes it
    file.write(content)
    file.flush()
    return file


async def _number(lines: asyncio.StreamReader) -> int | None:
    """Return the number on the next line, or None at the end of the report."""
    line = await lines.readline()
    return int(line) if line.endswith(b"\n") else None


def _close(descriptor: int) -> int:
    """Close *descriptor* unless it is closed, and return the mark of a closed one."""
    if descriptor >= 0:
        os.close(descriptor)
    return -1
