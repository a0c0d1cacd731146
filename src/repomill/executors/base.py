"""What every executor can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Calls a function for many items at once, a bounded number of them."""

    def map(
        self,
        function: Callable[[Item], Awaitable[Result]],
        items: Iterable[Item],
        *,
        group: Callable[[Item], str],
    ) -> AsyncIterator[Result]:
        """Yield the result for each of *items* as it comes.

        Items are taken as room comes free. Of one *group* only so many are at work at once.
        """

    def stop(self) -> None:
        """Take no further item; what is at work goes on."""

    def abandon(self) -> None:
        """Take no further item, and cancel what is at work."""
