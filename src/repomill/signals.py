"""How a process is told to end."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType


def end_when_told() -> None:
    """Have SIGTERM and Ctrl-C end the process by SystemExit, so that all is cleaned up on the way.

    Process 1 of a container would not be ended by them at all. A Ctrl-C that is ignored, as for a
    job in the background, stays so.
    """
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
