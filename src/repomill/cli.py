"""The command line: the only reader of arguments, environment and terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from repomill import (
    __version__,
    credentials,
    feed,
    fleet_inventory,
    inventory,
    logs,
    options,
    prepare,
    progress,
    run,
    show_dependencies,
    show_inspection,
    show_plan,
    show_status,
    signals,
    status,
    urls,
)
from repomill.digest.fingerprint import fingerprint
from repomill.errors import BadUrlError, FeedError, RepomillError, StoreError, UsageError
from repomill.isolation import processes
from repomill.isolation.sandbox import Sandbox
from repomill.isolation.scratch import ScratchFolder
from repomill.job import Job
from repomill.keeping import Kept
from repomill.ledger import Index, Ledger, default_path, new_run, path_in_cache
from repomill.model import LocalRepo, Repo, Status
from repomill.plan import Plan, Rules
from repomill.stores.local import copy, write_whole
from repomill.task import WORKER

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from repomill.inventory import Inventory
    from repomill.keeping import Keeper
    from repomill.model import Outcome
    from repomill.options import Settings
    from repomill.results import Made
    from repomill.stores.base import Store

_Answer = TypeVar("_Answer")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


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
    made = Collected()
    with progress.spinner(f"Digesting {urls.shown(source)}", shown=settings.for_people):
        outcome = process_one(found, made, settings)
    if made.digest:
        _write(made.digest, output, metadata)
    logs.outcome(outcome, timeout_seconds=settings.job.timeout_seconds)
    return 0 if outcome.status is Status.STORED else EXIT_FAILED


@cli.command()
@click.argument("source")
@options.attempts_option
@options.job_options
@options.option(
    "--format",
    type=click.Choice(["auto", "tree", "json"]),
    default="auto",
    help="Of what is printed; auto is a tree on a terminal.",
)
def inspect(source: str, **values: Any) -> int:  # noqa: ANN401
    """Show what would be in a repository's digest, and why.

    SOURCE is as for digest. Files come ranked, with the rules that gave them their scores.
    """
    settings = options.read_settings(values, os.environ)
    settings = replace(settings, job=replace(settings.job, explained=True))
    found = find_source(source)
    made = Collected()
    with progress.spinner(f"Inspecting {urls.shown(source)}", shown=settings.for_people):
        outcome = process_one(found, made, settings)
    if made.digest:
        for_people = values["format"] == "tree" or (
            values["format"] == "auto" and _is_terminal(None)
        )
        show = show_inspection.as_tree if for_people else show_inspection.as_json
        _write_stdout(show(json.loads(made.digest.metadata)))
    logs.outcome(outcome, timeout_seconds=settings.job.timeout_seconds)
    return 0 if outcome.status is Status.STORED else EXIT_FAILED


@cli.command()
@click.argument("source", required=False)
@options.store_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Instead of stdout."
)
@options.attempts_option
@options.job_options
@options.option(
    "--format",
    type=click.Choice(["auto", "table", "json", "cyclonedx"]),
    default="auto",
    help="Of what is printed of SOURCE; auto is a table on a terminal.",
)
@click.pass_context
def dependencies(
    context: click.Context,
    /,
    source: str | None,
    output: Path | None,
    **values: Any,  # noqa: ANN401
) -> int:
    """List the direct dependencies of a repository, or of all in a store.

    SOURCE is as for digest. Without one, a row for each dependency of each repository in the store
    is written to the Parquet file that -o names.
    """
    settings = options.read_settings(values, os.environ)
    if source is not None:
        if _is_on_command_line(context, "store"):
            raise UsageError("SOURCE and --store exclude each other; name one of them")
        return list_one(source, settings, output, values["format"])
    if not values["store"] and not os.environ.get("R2_BUCKET"):
        raise UsageError("name a repository, or with --store a store of many")
    if _is_on_command_line(context, "format"):
        raise UsageError("--format is for SOURCE; what a store holds becomes a Parquet file")
    if output is None or str(output) == "-":
        raise UsageError("what a store holds becomes a Parquet file; name it with -o")
    return list_all(options.choose_store(values, os.environ), settings, output)


def list_one(source: str, settings: Settings, output: Path | None, form: str) -> int:
    """Write the dependencies of one repository, in the *form* that --format names."""
    found = find_source(source)
    made = Collected()
    with progress.spinner(f"Reading {urls.shown(source)}", shown=settings.for_people):
        outcome = process_one(found, made, settings)
    if made.digest:
        told = inventory.read(made.digest.metadata)
        _write_to(output, _as_form(told, form, on_terminal=_is_terminal(output)))
    logs.outcome(outcome, timeout_seconds=settings.job.timeout_seconds)
    return 0 if outcome.status is Status.STORED else EXIT_FAILED


def _as_form(told: Inventory, form: str, *, on_terminal: bool) -> bytes:
    if form == "cyclonedx":
        from repomill import cyclonedx  # noqa: PLC0415 its library takes long to import

        return cyclonedx.as_bom(told)
    if form == "table" or (form == "auto" and on_terminal):
        return show_dependencies.as_table(told, coloured=on_terminal)
    return show_dependencies.as_json(told)


def list_all(store: Store, settings: Settings, output: Path) -> int:
    """Write the dependencies of all repositories in *store* to a Parquet file."""
    with ScratchFolder() as folder:
        table = fleet_inventory.write(store, folder.path, for_people=settings.for_people)
        with table.path.open("rb") as file:
            _write_file(output, file)
    logs.table_written(
        repositories=table.repositories,
        dependencies=table.dependencies,
        unusable=table.unusable,
    )
    return 0


def _is_on_command_line(context: click.Context, name: str) -> bool:
    """Whether the option called *name* was given there, and is no variable's or default."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


class Collected:
    """Takes a digest, and has none before."""

    known = None

    def __init__(self) -> None:
        self.digest: Made | None = None

    def check(self) -> None:
        """Take any."""

    def keep(self, made: Made) -> Kept:
        """Take it."""
        self.digest = made
        return Kept()

    def refresh(self) -> Kept | None:
        """Return None: there was none."""


@cli.command("run")
@click.argument("feed_source", metavar="[FEED]", envvar="REPOMILL_FEED", default=feed.DEFAULT_FEED)
@options.store_option
@options.shard_option
@options.run_options
@options.attempts_option
@options.job_options
@options.option("--dry-run", is_flag=True, help="Only print what would be done, and why.")
@options.format_option
def run_command(feed_source: str, *, dry_run: bool, **values: Any) -> int:  # noqa: ANN401
    """Digest every repository of a feed into a store.

    FEED is a path, an https:// URL or - for stdin: JSON, JSON lines, CSV with a url column, or a
    URL a line. Without one it is the UK government's list of its public repositories.
    """
    settings = options.read_settings(values, os.environ)
    run_options = options.read_run_options(values, settings)
    store = options.choose_store(values, os.environ)
    if not dry_run:
        store.probe()
    with (
        planned(feed_source, values, settings) as (plan, broken, folder),
        ledger_of(store, values, folder, touch=not dry_run) as ledger,
    ):
        prepare.decide(plan, ledger, rules(values, settings))
        if dry_run:
            show_plan.show(plan, run_options.limit, values["format"])
            return broken
        pruned = prepare.prune(plan, ledger, store, run_options, whole=not broken)
        whole = run.Run(plan, store, settings.job, run_options, ledger)
        whole.code_so_far = broken if pruned else EXIT_FAILED
        return work_through(whole.process(folder, os.environ))


@cli.command("status")
@options.store_option
@options.ledger_option
@options.format_option
@options.log_options
def status_command(**values: Any) -> int:  # noqa: ANN401
    """Print what the ledger of a store knows; nothing is changed.

    Digests, their age, failures, the slowest repositories and the last runs.
    """
    for_people = options.configure_logs(values, credentials.from_environment(os.environ))
    store = options.choose_store(values, os.environ)
    index = values["ledger"] or path_in_cache(os.environ, store.name, None)
    with ScratchFolder() as folder, progress.spinner("Reading the ledger", shown=for_people):
        report = status.read(store, index, folder.path, datetime.now(UTC))
    show = show_status.as_json if values["format"] == "json" else show_status.as_table
    _write_stdout(show(report))
    return 0


def rules(values: Mapping[str, Any], settings: Settings) -> Rules:
    """Return by which rules it is decided what is to be done."""
    return Rules(
        fingerprint=fingerprint(settings.job.select),
        now=datetime.now(UTC),
        force=values["force"],
        retry_failed=values["retry_failed"],
    )


@contextmanager
def ledger_of(
    store: Store, values: Mapping[str, Any], folder: ScratchFolder, *, touch: bool = True
) -> Iterator[Ledger]:
    """Give the ledger of *store*, with its index where the user wants it, or where it can be.

    Unless it may *touch* anything, the index is one of its own and the store is only read.
    """
    shard = values["shard"]
    path = values["ledger"] or default_path(os.environ, store.name, shard) if touch else None
    with Index(path or folder.path / "ledger.sqlite") as index:
        yield Ledger(store, index, new_run(), shard, read_only=not touch)


@contextmanager
def planned(
    feed_source: str, values: Mapping[str, Any], settings: Settings
) -> Iterator[tuple[Plan, int, ScratchFolder]]:
    """Give the plan of a feed, the exit code that the feed alone calls for, and a folder.

    *values* are those of the options in run_options. Raises FeedError, UsageError.
    """
    with ScratchFolder() as folder:
        plan = Plan(folder.path / "plan.sqlite", key=values["key"], shard=values["shard"])
        with feed.opened(feed_source, settings.job.fetch.network) as stream:
            broken = prepare.load(plan, feed.read(stream))
        yield plan, EXIT_FAILED if broken else 0, folder
        if broken:
            logs.unusable(broken)


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


def process_one(source: Repo | LocalRepo, keeper: Keeper, settings: Settings) -> Outcome:
    """Work on one repository in a sandbox of its own."""

    async def process(folder: ScratchFolder) -> Outcome:
        async with Sandbox([WORKER], environ=os.environ, folder=folder) as sandbox:
            logs.processing(source)
            on_retry = logs.retrying(source, max_attempts=settings.job.attempts)
            return await Job(sandbox, settings.job).process(source, keeper, on_retry)

    with ScratchFolder() as folder:
        return work_through(process(folder))


def work_through(work: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Return what *work* returns, in an event loop; after it, signals end the process as before."""
    try:
        return asyncio.run(work)
    finally:
        signals.end_when_told()


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
    _write_to(output, made.body)


def _write_to(output: Path | None, body: bytes) -> None:
    if output and str(output) != "-":
        _write_file(output, body)
    else:
        _write_stdout(body)


def _is_terminal(output: Path | None) -> bool:
    """Whether what is written there is seen on a terminal."""
    if output and str(output) != "-":
        return False
    return sys.stdout is not None and sys.stdout.isatty()


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


def _write_file(path: Path, body: bytes | IO[bytes]) -> None:
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
            with path.open("wb") as file:
                copy(body, file)
        else:
            write_whole(path, body)
    except OSError as error:
        raise click.FileError(str(path), hint=error.strerror) from error


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(call(cli, arguments))


def call(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run *command* and return its exit code; no traceback reaches the user."""
    signals.end_when_told()
    processes.hide_from_own_user()  # before anything is known that is secret
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
    except (FeedError, StoreError) as error:
        logs.unusable(error)
        return EXIT_FAILED
    except (RepomillError, sqlite3.Error, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_FAILED
    return code if isinstance(code, int) else 0
