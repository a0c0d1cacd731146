"""Calls that block, in threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")


async def in_thread(call: Callable[[], _Answer]) -> _Answer:
    """Return what *call* returns, run in a thread of its own.

    Cancelled, it leaves the thread behind: the process may end before the thread does. (The threads
    of :func:`asyncio.to_thread` keep a process alive for as long as a server keeps them waiting.)
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Answer] = loop.create_future()

    def work() -> None:
        try:
            answer = call()
        except BaseException as error:  # noqa: BLE001 it is raised where it is waited for
            tell(future.set_exception, error)
        else:
            tell(future.set_result, answer)

    def tell(setter: Callable[..., None], value: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if future.done() else setter(value))

    threading.Thread(target=work, daemon=True).start()
    return await future


def within(
    seconds: float, call: Callable[[], _Answer], *, slow_seconds: float, on_slow: Callable[[], None]
) -> _Answer:
    """Return what *call* returns. Raises TimeoutError where that takes more than *seconds*.

    The call runs in a thread that is then left behind; *on_slow* is called once when it has taken
    *slow_seconds*. Signals reach the caller meanwhile.
    """
    future: Future[_Answer] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    wait([future], min(slow_seconds, seconds))
    if not future.done() and slow_seconds < seconds:
        on_slow()
        wait([future], seconds - slow_seconds)
    if not future.done():
        raise TimeoutError
    return future.result()
