"""Calls on this machine, in one event loop."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator

    from repomill.executors.base import Item, Result

_LOOKAHEAD = 8
"""Items taken for each that may be at work: beyond a crowded group there is other work."""


class LocalExecutor:
    """At most *workers* calls at once, *per_group* of them for one group."""

    def __init__(self, workers: int, *, per_group: int) -> None:
        self._workers = asyncio.Semaphore(workers)
        self._window = workers * _LOOKAHEAD
        self._per_group = per_group
        self._groups: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopped = False

    async def map(
        self,
        function: Callable[[Item], Awaitable[Result]],
        items: Iterable[Item],
        *,
        group: Callable[[Item], str],
    ) -> AsyncIterator[Result]:
        """Yield the result for each of *items* as it comes; nothing is at work afterwards."""
        calls = (self._call(function, item, group(item)) for item in items)
        try:
            while self._fill(calls):
                done, self._tasks = await asyncio.wait(
                    self._tasks, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    if not task.cancelled():
                        yield task.result()
        finally:
            self.abandon()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """Take no further item, and drop those that wait; what is at work goes on."""
        self._stopped = True

    def abandon(self) -> None:
        """Take no further item, and cancel what is at work."""
        self.stop()
        for task in self._tasks:
            task.cancel()

    def _fill(self, calls: Iterator[Coroutine[Any, Any, Result]]) -> bool:
        """Start calls while there is room for them; return whether any are left."""
        room = 0 if self._stopped else self._window - len(self._tasks)
        self._tasks.update(asyncio.ensure_future(call) for call in islice(calls, room))
        return bool(self._tasks)

    async def _call(
        self, function: Callable[[Item], Awaitable[Result]], item: Item, group: str
    ) -> Result:
        limit = self._groups.setdefault(group, asyncio.Semaphore(self._per_group))
        async with limit, self._workers:
            if self._stopped:
                raise asyncio.CancelledError
            return await function(item)
