"""Run one git command that trusts nobody, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from repomill.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from repomill.deadline import Deadline

_CHUNK_BYTES = 1 << 16
_MAX_STDERR_BYTES = 1 << 16

# Old commits carry dates and names that today's git would not write. They are only looked at here,
# never checked out or passed on, so they are let through; broken objects are not.
_HARMLESS_FINDINGS = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)

_CONFIG = (
    ("credential.helper", ""),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.useReplaceRefs", "false"),
    ("transfer.fsckObjects", "true"),
    *((f"fetch.fsck.{finding}", "ignore") for finding in _HARMLESS_FINDINGS),
    ("transfer.bundleURI", "false"),
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("http.followRedirects", "false"),
    # Stalled is what sends nothing: a big pack's keep-alives come at a few bytes a second.
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "30"),
    ("submodule.recurse", "false"),
    ("init.defaultBranch", "main"),
    ("advice.detachedHead", "false"),
)

_KEPT_VARIABLES = ("PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Completed:
    """How a git command ended."""

    code: int
    stderr: str


def kept_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of *environ* that a git process gets to see."""
    return {name: environ[name] for name in _KEPT_VARIABLES if name in environ}


def environment(
    parent: Mapping[str, str],
    config: Sequence[tuple[str, str]],
    *,
    ca_file: str | None,
    proxy: str | None,
) -> dict[str, str]:
    """Return the whole environment of a git process.

    Of *parent* only the search path and the scratch folder go in. *config* is added to the hardened
    configuration; it travels in the environment, where ``ps`` does not show it. Whether there is a
    *proxy* has been decided: git is not left to decide it once more.
    """
    pairs = [*_CONFIG, *config]
    hardened = {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_TEMPLATE_DIR": "",
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_CONFIG_COUNT": str(len(pairs)),
    }
    for index, (key, value) in enumerate(pairs):
        hardened[f"GIT_CONFIG_KEY_{index}"] = key
        hardened[f"GIT_CONFIG_VALUE_{index}"] = value
    hardened |= {"https_proxy": proxy} if proxy else {"no_proxy": "*"}
    if ca_file:
        hardened["GIT_SSL_CAINFO"] = ca_file
    return kept_variables(parent) | hardened


def run(arguments: Sequence[str], env: Mapping[str, str], deadline: Deadline) -> Completed:
    """Run ``git ARGUMENTS`` and return how it ended, with the last 64 KiB of its stderr.

    Raises DeadlineError when the deadline passes first. However it ends, no process of the group
    is left.
    """
    deadline.remaining_seconds()
    with _started(arguments, env) as process:
        stderr = _read_until_closed(process.stderr, deadline)
        code = _wait(process, deadline)
    return Completed(code, stderr)


@contextlib.contextmanager
def small_files(most_bytes: int) -> Iterator[None]:
    """Let no git that is started meanwhile write a file larger than *most_bytes*, a pack say."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = most_bytes if before == resource.RLIM_INFINITY else min(most_bytes, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


@contextlib.contextmanager
def _started(arguments: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError:
        raise UnsupportedError("git is not installed, or not on the PATH; install it") from None
    try:
        yield process
    finally:
        _kill_group(process.pid)
        process.wait()
        if process.stderr:
            process.stderr.close()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _read_until_closed(pipe: IO[bytes] | None, deadline: Deadline) -> str:
    """Return the end of what *pipe* gives, however much a server makes git print."""
    kept = b""
    if pipe is None:
        return ""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(deadline.remaining_seconds()):
                raise deadline.passed()
            chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
            if not chunk:
                break
            kept = (kept + chunk)[-_MAX_STDERR_BYTES:]
    return kept.decode("utf-8", "replace")


def _wait(process: subprocess.Popen[bytes], deadline: Deadline) -> int:
    try:
        return process.wait(deadline.remaining_seconds())
    except subprocess.TimeoutExpired:
        raise deadline.passed() from None
