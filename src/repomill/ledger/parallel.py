"""Many calls that wait for a store, some of them at once."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def each(
    function: Callable[[_Item], _Answer], items: Iterable[_Item], *, threads: int
) -> Iterator[_Answer]:
    """Yield what *function* answers for each of *items*, as it comes.

    Never more than *threads* items are taken and not yet answered for, and they are taken in the
    caller's own thread. An exception is raised as soon as it is there. Nobody waits for calls that
    are at work then: their threads are daemons, as a store may keep them for minutes.
    """
    todo: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Callable[[], _Answer]] = queue.SimpleQueue()

    def work() -> None:
        while (item := todo.get()) is not None:
            done.put(_called(function, item))

    waiting = iter(items)
    started = at_work = 0
    try:
        while True:
            while at_work < threads and (item := next(waiting, None)) is not None:
                if started < threads:
                    threading.Thread(target=work, daemon=True).start()
                    started += 1
                todo.put(item)
                at_work += 1
            if not at_work:
                return
            answer = done.get()
            at_work -= 1
            yield answer()
    finally:
        for _ in range(started):
            todo.put(None)


def _called(function: Callable[[_Item], _Answer], item: _Item) -> Callable[[], _Answer]:
    """Call, and return what gives its answer, or raises its exception, where that is wanted."""
    future: Future[_Answer] = Future()
    try:
        future.set_result(function(item))
    except BaseException as error:  # noqa: BLE001 it is raised where it is waited for
        future.set_exception(error)
    return future.result
