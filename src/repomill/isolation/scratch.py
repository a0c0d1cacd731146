"""Scratch folders: one a run, one in it for each call; those of dead runs are swept."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_PREFIX = "repomill-run-"
_LOCK = "repomill.lock"


class ScratchFolder:
    """The scratch folder of a run: below TMPDIR, for this user alone, gone with the run.

    A lock, which the kernel drops with the process however it dies, says that the run lives.
    """

    def __init__(self) -> None:
        """Sweep what dead runs left, and make the folder. Raises OSError."""
        sweep(Path(tempfile.gettempdir()))
        self._numbers = itertools.count()
        self._claim()
        while os.fstat(self._lock.fileno()).st_nlink == 0:  # swept before it was locked
            self._lock.close()
            self._claim()

    def _claim(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self.path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def make(self) -> Path:
        """Return a new folder for one call."""
        folder = self.path / str(next(self._numbers))
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def sweep(parent: Path) -> None:
    """Remove the folders in *parent* whose run is dead. Others' folders are left alone."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else swept it
            if not folder.is_symlink() and folder.stat().st_uid == os.getuid():
                _remove_if_dead(folder)


def _remove_if_dead(folder: Path) -> None:
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # alive, being made, or not a run's folder
        return
