"""The command line: the only reader of arguments, environment and terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from repomill import __version__, credentials, logs, network, progress, sizes, urls
from repomill.errors import BadUrlError, UsageError
from repomill.model import LocalRepo, Repo, Status
from repomill.stores.local import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from repomill.credentials import Credentials
    from repomill.job import JobOptions
    from repomill.model import Digest, Outcome

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Size(click.ParamType[int]):
    """A number of bytes, written ``512KiB``; with *none*, also ``none`` for no limit."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 click's signature
        """Return the bytes."""
        try:
            return value if isinstance(value, int) else sizes.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def _option(name: str, **settings: Any) -> Callable[[_Command], _Command]:  # noqa: ANN401
    """Return an option that is also the environment variable ``REPOMILL_NAME``."""
    variable = "REPOMILL_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_default=True, show_envvar=True, **settings)


_JOB_OPTIONS = (
    _option(
        "--max-size",
        type=click.Choice(["none"]),
        default="none",
        help="Largest digest; so far everything goes in.",
    ),
    _option(
        "--max-file-size", type=Size(), default="512KiB", help="Larger files are named, not shown."
    ),
    _option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Take only files that match (gitignore syntax; repeatable).",
    ),
    _option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Leave out files that match (gitignore syntax; repeatable).",
    ),
    _option("--no-redact", is_flag=True, help="Show secrets too; so far nothing is redacted."),
    _option(
        "--allow-host",
        multiple=True,
        metavar="HOST[:PORT]",
        help="Host that may have a private address (repeatable).",
    ),
    _option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=300.0,
        metavar="SECONDS",
        help="For one repository, all its attempts together.",
    ),
    _option("--log-format", type=click.Choice(logs.FORMATS), default="auto"),
    _option("--log-level", type=click.Choice(logs.LEVELS), default="info"),
)


def job_options(command: _Command) -> _Command:
    """Add the options that say how a repository is worked on, and what is logged."""
    for option in reversed(_JOB_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line and the environment say, read once."""

    job: JobOptions
    credentials: Credentials
    for_people: bool

    def log(self, outcome: Outcome) -> None:
        """Log what became of a repository."""
        logs.outcome(outcome, timeout_seconds=self.job.timeout_seconds)


def read_settings(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the settings that *options*, as job_options gives them, and *environ* make.

    Logging is configured with them. Raises UsageError.
    """
    # Loading gitingest takes half a second, which --help and --version need not wait for.
    from repomill.digest.select import SelectOptions  # noqa: PLC0415
    from repomill.git.fetch import FetchOptions  # noqa: PLC0415
    from repomill.job import JobOptions  # noqa: PLC0415

    tokens = credentials.from_environment(environ)
    for_people = logs.configure(options["log_format"], options["log_level"], redact=tokens.redact)
    selecting = SelectOptions(
        max_file_size_bytes=options["max_file_size"],
        include=tuple(options["include"]),
        exclude=tuple(options["exclude"]),
    )
    fetching = FetchOptions(
        blob_limit_bytes=selecting.blob_limit_bytes,
        network=network.from_environment(environ, allowed=options["allow_host"]),
        credentials=tokens,
        environ=environ,
    )
    job = JobOptions(fetch=fetching, select=selecting, timeout_seconds=options["timeout"])
    return Settings(job, tokens, for_people)


def find_source(text: str) -> Repo | LocalRepo:
    """Return what *text* names: a folder if there is one, else the URL of a repository.

    Raises UsageError.
    """
    path = Path(text).expanduser()
    if text and "://" not in text and path.is_dir():
        return LocalRepo(path=path)
    if text.startswith((".", "/", "~")):
        raise UsageError(f"{urls.shown(text)!r}: there is no such folder")
    try:
        return urls.parse(text)
    except BadUrlError as error:
        raise UsageError(str(error)) from None


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
@job_options
def digest(source: str, output: Path | None, metadata: Path | None, **options: Any) -> int:  # noqa: ANN401
    """Digest one repository.

    SOURCE is https://HOST/OWNER/NAME, with /tree/REF for a branch, tag or commit; OWNER/NAME on
    GitHub; or the folder of a local repository, whose HEAD is taken.
    """
    from repomill import job  # noqa: PLC0415 see read_settings

    settings = read_settings(options, os.environ)
    found = find_source(source)
    made: list[Digest] = []

    def keep(digest: Digest) -> job.Kept:
        made.append(digest)
        return job.Kept()

    logs.processing(found)
    with progress.spinner(f"Digesting {urls.shown(source)}", shown=settings.for_people):
        outcome = job.process(found, keep, settings.job)
    if made:
        _write(made[0], output, metadata)
    settings.log(outcome)
    return 0 if outcome.status is Status.STORED else EXIT_FAILED


def _write(digest: Digest, output: Path | None, metadata: Path | None) -> None:
    """Write the digest where the user wants it. Raises click.FileError."""
    from repomill.digest import compose  # noqa: PLC0415 see read_settings

    if metadata:
        _write_file(metadata, compose.render(digest.metadata))
    if output and str(output) != "-":
        _write_file(output, digest.body)
    else:
        sys.stdout.buffer.write(digest.body)
        sys.stdout.flush()


def _write_file(path: Path, body: bytes) -> None:
    try:
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
            path.write_bytes(body)
        else:
            write_whole(path, body)
    except OSError as error:
        raise click.FileError(str(path), hint=error.strerror) from error


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(run_command(cli, arguments))


def run_command(command: click.Command, arguments: list[str] | None = None) -> int:
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
    except BrokenPipeError:
        # Nobody reads any more; without this Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code if isinstance(code, int) else 0


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End by an exception, so that git is killed and the scratch folder removed."""
    sys.exit(EXIT_TERMINATED)
