"""What the kernel offers for keeping processes together: prctl(2), /proc and SIGKILL."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Adopt the orphans among all descendants from now on; not inherited by children."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hide_from_own_user() -> None:
    """Keep other processes of the same user out of this one's memory and environment."""
    _prctl(_PR_SET_DUMPABLE, 0)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its *parent* dies, or now if it has already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def children(parent: int) -> Iterator[int]:
    """Yield the PIDs of the living children of *parent*, zombies left out."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # proc(5): the name, in parentheses, may hold anything; state and parent follow.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                yield int(folder.name)


def kill(pid: int) -> None:
    """Kill *pid* if it still lives."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_children(*, keep: Container[int] = ()) -> None:
    """Kill all children but *keep*, those that they leave to this subreaper, and so on."""
    while doomed := [pid for pid in children(os.getpid()) if pid not in keep]:
        for pid in doomed:
            kill(pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
