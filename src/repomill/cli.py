"""The command line: the only reader of arguments, environment and terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from repomill import __version__, feed, logs, options, progress, run, urls
from repomill.errors import BadUrlError, FeedError, RepomillError, UsageError
from repomill.isolation.sandbox import Sandbox
from repomill.isolation.scratch import ScratchFolder
from repomill.job import Job, Kept
from repomill.model import LocalRepo, Repo, Status
from repomill.plan import Plan
from repomill.stores import choose
from repomill.stores.local import write_whole
from repomill.task import WORKER

if TYPE_CHECKING:
    from types import FrameType

    from repomill.model import Outcome
    from repomill.options import Settings
    from repomill.results import Made

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="repomill")
def cli() -> None:
    """Turn Git repositories into documents for language models and search."""


@cli.command()
@click.argument("source")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Instead of stdout."
)
@click.option(
    "--metadata",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the same facts as JSON to this file.",
)
@options.attempts_option
@options.job_options
def digest(source: str, output: Path | None, metadata: Path | None, **values: Any) -> int:  # noqa: ANN401
    """Digest one repository.

    SOURCE is https://HOST/OWNER/NAME, with /tree/REF for a branch, tag or commit; OWNER/NAME on
    GitHub; or the folder of a local repository, whose HEAD is taken.
    """
    settings = options.read_settings(values, os.environ)
    found = find_source(source)
    made: list[Made] = []

    def keep(one: Made) -> Kept:
        made.append(one)
        return Kept()

    with progress.spinner(f"Digesting {urls.shown(source)}", shown=settings.for_people):
        outcome = process_one(found, keep, settings)
    if made:
        _write(made[0], output, metadata)
    logs.outcome(outcome, timeout_seconds=settings.job.timeout_seconds)
    return 0 if outcome.status is Status.STORED else EXIT_FAILED


@cli.command("run")
@click.argument("feed_source", metavar="[FEED]", default=feed.DEFAULT_FEED)
@options.store_option
@options.run_options
@options.attempts_option
@options.job_options
def run_command(feed_source: str, store: str | None, key: str, **values: Any) -> int:  # noqa: ANN401
    """Digest every repository of a feed into a store.

    FEED is a path, an https:// URL or - for stdin: JSON, JSON lines, CSV with a url column, or a
    URL a line. Without one it is the UK government's list of its public repositories.
    """
    settings = options.read_settings(values, os.environ)
    target = choose.choose(store, os.environ)
    run_options = run.RunOptions(
        workers=values["workers"],
        limit=values["limit"],
        grace_seconds=values["grace"],
        failures=values["max_failures"] or run.FailureLimit(),
        for_people=settings.for_people,
    )
    target.probe()
    with ScratchFolder() as folder:
        plan = Plan(folder.path / "plan.sqlite", key=key)
        with feed.opened(feed_source, settings.job.fetch.network) as stream:
            broken = run.load(plan, feed.read(stream))
        whole = run.Run(plan, target, settings.job, run_options)
        code = asyncio.run(whole.process(folder, os.environ))
    if broken:
        logs.feed_broken(broken)
        return code or EXIT_FAILED
    return code


@cli.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="repomill-demo",
    show_default=True,
    help="Where the digests go.",
)
def demo(folder: Path) -> int:
    """Run the whole pipeline offline, on a small fleet that it makes and serves itself."""
    from repomill.demo import show  # noqa: PLC0415 needs the extra "demo"

    logs.configure("auto", "warning", redact=str)
    return show.run_demo(folder, os.environ)


def process_one(source: Repo | LocalRepo, keep: Any, settings: Settings) -> Outcome:  # noqa: ANN401
    """Work on one repository in a sandbox of its own."""

    async def process(folder: ScratchFolder) -> Outcome:
        async with Sandbox([WORKER], environ=os.environ, folder=folder) as sandbox:
            logs.processing(source)
            on_retry = logs.retrying(source, max_attempts=settings.job.attempts)
            return await Job(sandbox, settings.job).process(source, keep, on_retry)

    with ScratchFolder() as folder:
        return asyncio.run(process(folder))


def find_source(text: str) -> Repo | LocalRepo:
    """Return what *text* names: a folder if there is one, else the URL of a repository.

    Raises UsageError.
    """
    if folder := _find_folder(text):
        return LocalRepo(path=folder)
    if text.startswith((".", "/", "~")):
        raise UsageError(f"{urls.shown(text)!r}: there is no such folder")
    try:
        return urls.parse(text)
    except BadUrlError as error:
        raise UsageError(str(error)) from None


def _find_folder(text: str) -> Path | None:
    """Return the folder called *text*, if there is one."""
    try:
        path = Path(text).expanduser()
        return path.resolve() if text and "://" not in text and path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # no name of a file, or of a user
        return None


def _write(made: Made, output: Path | None, metadata: Path | None) -> None:
    """Write the digest where the user wants it. Raises click.FileError."""
    if metadata:
        _write_file(metadata, made.metadata)
    if output and str(output) != "-":
        _write_file(output, made.body)
    else:
        _write_stdout(made.body)


def _write_stdout(body: bytes) -> None:
    if sys.stdout is None:
        raise click.FileError("stdout", hint="it is closed")
    try:
        sys.stdout.buffer.write(body)
        sys.stdout.flush()
    except OSError as error:
        # What could not be written stays in the buffer; Python would try, and complain, once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # nobody reads any more
            raise click.exceptions.Exit(EXIT_FAILED) from None
        raise click.FileError("stdout", hint=error.strerror) from error


def _write_file(path: Path, body: bytes) -> None:
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
            path.write_bytes(body)
        else:
            write_whole(path, body)
    except OSError as error:
        raise click.FileError(str(path), hint=error.strerror) from error


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(call(cli, arguments))


def call(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run *command* and return its exit code; no traceback reaches the user."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = command.main(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UsageError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    except FeedError as error:
        logs.feed_broken(error)
        return EXIT_FAILED
    except (RepomillError, sqlite3.Error, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_FAILED
    return code if isinstance(code, int) else 0


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End by an exception, so that git is killed and the scratch folder removed."""
    sys.exit(EXIT_TERMINATED)
