"""What a person sees while waiting."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from rich.console import Console


def spinner(text: str, *, shown: bool) -> AbstractContextManager[object]:
    """Return a context that shows a spinner with *text* on stderr, if that is a terminal."""
    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        return nullcontext()
    return console.status(text)
