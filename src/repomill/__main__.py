"""`repomill` and `python -m repomill`: the command, which can be ended from its first moment."""

from __future__ import annotations

from typing import NoReturn

from repomill import signals


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    signals.end_when_told()
    from repomill import cli  # noqa: PLC0415 it takes a while

    cli.main()


if __name__ == "__main__":
    main()
