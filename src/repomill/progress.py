"""What a person sees while waiting."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Self, TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from repomill.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from rich.console import RenderableType

    from repomill.model import Outcome

_Item = TypeVar("_Item")

_SHOWN = 5
_SLOW_SECONDS = 10.0


def spinner(text: str, *, shown: bool) -> AbstractContextManager[object]:
    """Return a context that shows a spinner with *text* on stderr, if that is a terminal."""
    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        return nullcontext()
    return console.status(Text(text))


def bar(items: Iterable[_Item], *, total: int, text: str, shown: bool) -> Iterator[_Item]:
    """Yield *items*; a bar on stderr tells how many of *total* came, if it is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn(text, markup=False), BarColumn(), MofNCompleteColumn())
    hidden = not shown or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield from progress.track(items, total=total)


class FleetProgress:
    """A bar on stderr: done, failed, rate, time left, what runs now and what is slow.

    Shown where *shown* says so and stderr is a terminal; elsewhere it does nothing.
    """

    def __init__(self, total: int, *, shown: bool) -> None:
        self._running: dict[str, float] = {}
        self._failed = 0
        self._started = time.monotonic()
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        self._task = self._progress.add_task("", total=total, facts="")
        console = Console(stderr=True)
        self._live = (
            Live(get_renderable=self._render, console=console, transient=True)
            if shown and console.is_terminal
            else None
        )

    def start(self, name: str) -> None:
        """Say that work on *name* begins."""
        self._running[name] = time.monotonic()

    def finish(self, name: str, outcome: Outcome) -> None:
        """Say what became of *name*."""
        self._running.pop(name, None)
        self._failed += outcome.status is Status.FAILED
        done = self._progress.tasks[0].completed + 1
        rate = done / max(time.monotonic() - self._started, 1e-3)
        facts = f"{self._failed} failed  {rate:.1f}/s"
        self._progress.update(self._task, advance=1, facts=facts)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def _render(self) -> RenderableType:
        now = time.monotonic()
        lines = [
            Text(f"  {name}  {now - since:.0f} s", style="yellow" if slow else "dim")
            for name, since in list(self._running.items())[:_SHOWN]
            for slow in [now - since > _SLOW_SECONDS]
        ]
        return Group(self._progress, *lines)
