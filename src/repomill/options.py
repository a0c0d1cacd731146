"""The options of the commands, each also an environment variable, and the settings they make."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from repomill import credentials, logs, network, shards, sizes
from repomill.digest.patterns import Patterns
from repomill.digest.select import LEAST_SIZE_BYTES, SelectOptions
from repomill.errors import UsageError
from repomill.git.command import kept_variables
from repomill.git.fetch import FetchOptions
from repomill.isolation.forkserver import Limits
from repomill.job import JobOptions
from repomill.ledger.book import THREADS
from repomill.retry import Patience
from repomill.run import DEFAULT_WORKERS, FailureLimit, RunOptions
from repomill.shards import Shard
from repomill.stores import choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.credentials import Credentials
    from repomill.stores.base import Store

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MOST_BYTES = 1 << 50
_LEAST_MEMORY_BYTES = 512 << 20
"""What a worker takes before it has begun: address space, most of it never touched."""
_MOST_WORKERS = 256
_FAILURES = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(%?)")


NO_LIMIT = math.inf


class Size(click.ParamType[float]):
    """A number of bytes, written ``512KiB``; where it may be, ``none`` for no limit."""

    name = "SIZE"

    def __init__(self, *, least: int = 0, or_none: bool = False) -> None:
        self._least = least
        self._or_none = or_none

    def convert(
        self,
        value: Any,  # noqa: ANN401 click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the bytes, or NO_LIMIT."""
        if self._or_none and value in {"none", NO_LIMIT}:
            return NO_LIMIT
        try:
            size = value if isinstance(value, int) else sizes.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        if not self._least <= size <= _MOST_BYTES:
            self.fail(f"{value!r} is not between {self._least} and {_MOST_BYTES} bytes", param, ctx)
        return size


class Failures(click.ParamType[FailureLimit]):
    """A number of failures, or a share of all written ``5%``."""

    name = "N|P%"

    def convert(
        self,
        value: Any,  # noqa: ANN401 click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> FailureLimit:
        """Return the limit."""
        if isinstance(value, FailureLimit):
            return value
        found = _FAILURES.fullmatch(value.strip())
        if found and found[2]:
            return FailureLimit(percent=float(found[1]))
        if found and found[1].isdecimal():
            return FailureLimit(count=int(found[1]))
        advice = f"{value!r} is neither a number of failures nor a share such as 5%"
        raise click.BadParameter(advice, ctx, param)


class ShardOf(click.ParamType[Shard]):
    """A part of a feed, written ``0/10``, or ``auto``."""

    name = "I/N|auto"

    def convert(
        self,
        value: Any,  # noqa: ANN401 click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Shard:
        """Return the shard."""
        if isinstance(value, Shard):
            return value
        try:
            return shards.from_environment(os.environ) if value == "auto" else shards.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def option(name: str, **settings: Any) -> Callable[[_Command], _Command]:  # noqa: ANN401
    """Return an option that is also the environment variable ``REPOMILL_NAME``."""
    variable = "REPOMILL_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_default=True, show_envvar=True, **settings)


def _together(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def add(command: _Command) -> _Command:
        for one in reversed(options):
            command = one(command)
        return command

    return add


class _Seconds(click.FloatRange):
    """A time that ends."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Return the seconds."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


_SECONDS = _Seconds(min=0, min_open=True, max=7 * 86_400)

log_options = _together(
    option("--log-format", type=click.Choice(logs.FORMATS), default="auto"),
    option("--log-level", type=click.Choice(logs.LEVELS), default="info"),
)
"""What is logged."""

job_options = _together(
    option(
        "--max-size",
        type=Size(least=LEAST_SIZE_BYTES, or_none=True),
        default="512KiB",
        help="Of the whole digest; best files first where not all fit; none for everything.",
    ),
    option(
        "--max-file-size", type=Size(), default="512KiB", help="Larger files are named, not shown."
    ),
    option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Take only files that match (gitignore syntax; repeatable).",
    ),
    option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Leave out files that match (gitignore syntax; repeatable).",
    ),
    option("--no-redact", is_flag=True, help="Show secrets too; so far nothing is redacted."),
    option(
        "--allow-host",
        multiple=True,
        metavar="HOST[:PORT]",
        help="Host that may have a private address (repeatable).",
    ),
    option(
        "--timeout",
        type=_SECONDS,
        default=300.0,
        metavar="SECONDS",
        help="For one repository, all its attempts together.",
    ),
    option(
        "--memory",
        type=Size(least=_LEAST_MEMORY_BYTES),
        default="2GiB",
        help="Of one worker, and each git it starts.",
    ),
    log_options,
)
"""How a repository is worked on, and what is logged."""

store_option = _together(
    option(
        "--store",
        metavar="URL",
        help="A folder, or s3://BUCKET[/PREFIX].  [default: the bucket of the four R2_ variables "
        "if they are set, else ./digests]",
    ),
    option(
        "--store-patience",
        type=_SECONDS,
        default=120.0,
        metavar="SECONDS",
        help="How long an unreachable store is waited for.",
    ),
)
"""Where digests go."""

attempts_option = option(
    "--attempts",
    type=click.IntRange(min=1),
    default=3,
    help="At one repository, 1 s, 2 s, 4 s, … apart.",
)

format_option = option(
    "--format", type=click.Choice(["table", "json"]), default="table", help="Of what is printed."
)

ledger_option = option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The local index of what is done; it can be deleted.  "
    "[default: in the cache folder, one for each store and shard]",
)

shard_option = option(
    "--shard",
    type=ShardOf(),
    help="This part of the feed alone, the first one 0/N.  [default: all of it]",
)

run_options = _together(
    option(
        "--workers", type=click.IntRange(1, _MOST_WORKERS), default=DEFAULT_WORKERS, help="At once."
    ),
    ledger_option,
    option("--force", is_flag=True, help="Work on everything, whatever is done already."),
    option("--retry-failed", is_flag=True, help="Try again now what failed and would wait."),
    option("--prune", is_flag=True, help="Remove the digests of what has left the feed."),
    option(
        "--prune-limit",
        type=Failures(),
        default="5%",
        help="More to be removed is taken for an error of the feed.",
    ),
    option("--limit", type=click.IntRange(min=0), help="At most so many repositories."),
    option("--max-failures", type=Failures(), help="More of them make exit code 3."),
    option("--key", default="{owner}/{name}", help="Of {host}, {owner}, {name}: names a digest."),
    option("--grace", type=_SECONDS, default=8.0, metavar="SECONDS", help="After SIGTERM."),
)
"""How a run goes about its feed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line and the environment say, read once."""

    job: JobOptions
    credentials: Credentials
    for_people: bool


def read_settings(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the settings that *options*, as job_options gives them, and *environ* make.

    Logging is configured with them. Raises UsageError.
    """
    tokens = credentials.from_environment(environ)
    for_people = configure_logs(options, tokens)
    Patterns([*options["include"], *options["exclude"]])  # a bad one is said here, not by a worker
    size = options["max_size"]
    selecting = SelectOptions(
        max_size_bytes=None if size == NO_LIMIT else size,
        max_file_size_bytes=options["max_file_size"],
        include=tuple(options["include"]),
        exclude=tuple(options["exclude"]),
    )
    fetching = FetchOptions(
        blob_limit_bytes=selecting.blob_limit_bytes,
        network=network.from_environment(environ, allowed=options["allow_host"]),
        credentials=tokens,
        environ=kept_variables(environ),
    )
    job = JobOptions(
        fetch=fetching,
        select=selecting,
        limits=Limits(memory_bytes=options["memory"]),
        timeout_seconds=options["timeout"],
        attempts=options["attempts"],
    )
    return Settings(job, tokens, for_people)


def configure_logs(options: Mapping[str, Any], tokens: Credentials) -> bool:
    """Log as log_options says, but for the *tokens*; return whether a person reads it."""
    return logs.configure(options["log_format"], options["log_level"], redact=tokens.redact)


def read_run_options(options: Mapping[str, Any], settings: Settings) -> RunOptions:
    """Return how a run goes about its feed, as run_options gives it."""
    return RunOptions(
        workers=options["workers"],
        limit=options["limit"],
        grace_seconds=options["grace"],
        failures=options["max_failures"] or FailureLimit(),
        prune=options["prune"],
        prune_limit=options["prune_limit"],
        for_people=settings.for_people,
    )


def choose_store(
    options: Mapping[str, Any], environ: Mapping[str, str], *, expects_bucket: bool = False
) -> Store:
    """Return the store that store_option and *environ* mean. Raises UsageError."""
    return choose.choose(
        options["store"],
        environ,
        Patience(options["store_patience"]),
        connections=options.get("workers", 0) + THREADS,
        expects_bucket=expects_bucket,
    )
