"""Fetch one commit of a repository from an untrusted host: the one place that calls git.

One ``git clone`` makes three requests and writes one pack: no history, no tags, no checkout, and no
blob over the limit. Redirects are not followed by git, which would send the token along: the
answer is read here, its target is checked, and git is called again with what the new host may know.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill import urls
from repomill.credentials import Credentials
from repomill.errors import (
    BlockedError,
    CorruptError,
    EmptyError,
    MovedError,
    NetworkError,
    OutOfMemoryError,
    RateLimitedError,
    RepoError,
    TooLargeError,
)
from repomill.git import command, discovery
from repomill.git.failures import classify
from repomill.http import MAX_REDIRECTS
from repomill.network import NetworkRules, Route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from repomill.deadline import Deadline
    from repomill.model import Repo

_REDIRECT = re.compile(r"error: 30[12378]\b|unable to update url base from redirection")
_EMPTY = re.compile(r"cloned an empty repository|remote HEAD refers to nonexistent ref")

MAX_FETCHED_AFTERWARDS_BYTES = 64 << 20
"""What is wanted then are manifests and lock files, of some megabytes at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """What a fetch needs to know beyond the repository."""

    blob_limit_bytes: int
    """Blobs larger than this are not fetched."""
    network: NetworkRules = field(default_factory=NetworkRules)
    credentials: Credentials = field(default_factory=Credentials)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where the search path and the scratch folder are taken from."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bare repository on this disk, and the revision of it that was asked for."""

    path: Path
    revision: str
    source: Repo
    """Where it came from, renamed or not."""


def fetch(repo: Repo, into: Path, options: FetchOptions, deadline: Deadline) -> Fetched:
    """Fetch what *repo* names into the folder *into*, which must not exist.

    Raises the RepoError that says what went wrong, DeadlineError included; EmptyError for a
    repository without a commit; MovedError where another host has it now.
    """
    target = repo
    for _ in range(MAX_REDIRECTS + 1):
        route = options.network.route(target.host, target.port)
        completed = _call_git(target, into, route, options, deadline)
        if completed.code == 0:
            if _EMPTY.search(completed.stderr):
                raise _emptiness(_ask(target, route, options, deadline))
            revision = target.ref if urls.is_sha(target.ref) else "HEAD"
            return Fetched(into, str(revision), target)
        if not _REDIRECT.search(completed.stderr):
            raise _failure(target, route, completed, options, deadline)
        answer = _ask(target, route, options, deadline)
        if not answer.is_redirect():
            raise CorruptError("the host redirects some requests and not others; use the final URL")
        moved = discovery.redirected(target, answer)
        if moved.authority != target.authority:
            raise MovedError(moved.clone_url)
        target = moved
    raise too_many_redirects()


def fetch_blobs(
    fetched: Fetched, oids: Sequence[str], options: FetchOptions, deadline: Deadline
) -> bool:
    """Fetch blobs that were over the limit, too; return whether the host gives them.

    They are not where they come to more than MAX_FETCHED_AFTERWARDS_BYTES, packed. Raises the
    RepoError that says what went wrong where another attempt may succeed, or another machine.
    """
    source = fetched.source
    route = options.network.route(source.host, source.port)
    # There is nothing to negotiate: git's own way to get what a filter has left out.
    config = [*_config(source, route, options), ("fetch.negotiationAlgorithm", "noop")]
    asking = ["--no-progress", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"]
    fetching = ["-C", str(fetched.path), "fetch", *asking, "--", source.clone_url, *oids]
    with command.small_files(MAX_FETCHED_AFTERWARDS_BYTES):
        completed = command.run(fetching, _environment(config, route, options), deadline)
    if completed.code == 0:
        return True
    if _removed_what_is_too_large(fetched.path / "objects" / "pack"):
        return False
    error = _failure(source, route, completed, options, deadline)
    if error.transient or isinstance(error, TooLargeError | OutOfMemoryError):
        raise error
    return False


def _removed_what_is_too_large(folder: Path) -> bool:
    """Whether there was a pack in *folder* that could not be finished for its size."""
    unfinished = folder.glob("tmp_pack_*")
    full = [path for path in unfinished if path.stat().st_size >= MAX_FETCHED_AFTERWARDS_BYTES]
    for path in full:
        path.unlink()
    return bool(full)


def remote_head(repo: Repo, options: FetchOptions, deadline: Deadline) -> str | None:
    """Return the commit that the host has as HEAD; None where only a fetch can tell.

    Raises NetworkError, BlockedError, DeadlineError.
    """
    target = repo
    for _ in range(MAX_REDIRECTS + 1):
        route = options.network.route(target.host, target.port)
        answer = _ask(target, route, options, deadline)
        if not answer.is_redirect():
            return answer.head
        moved = discovery.redirected(target, answer)
        if moved.authority != target.authority:
            raise MovedError(moved.clone_url)
        target = moved
    raise too_many_redirects()


def too_many_redirects() -> BlockedError:
    """Return the error that says so."""
    return BlockedError(f"the host redirects more than {MAX_REDIRECTS} times; use the final URL")


def _call_git(
    repo: Repo, into: Path, route: Route, options: FetchOptions, deadline: Deadline
) -> command.Completed:
    env = _environment(_config(repo, route, options), route, options)
    # blob:limit=N leaves out blobs of N bytes and more.
    partial = ["--depth=1", "--no-tags", f"--filter=blob:limit={options.blob_limit_bytes + 1}"]
    if not urls.is_sha(repo.ref):
        branch = [f"--branch={repo.ref}"] if repo.ref else []
        clone = ["clone", "--bare", "--no-progress", "--single-branch", *partial, *branch]
        return command.run([*clone, "--", repo.clone_url, str(into)], env, deadline)
    if not into.exists():
        created = command.run(["init", "--bare", "--quiet", "--", str(into)], env, deadline)
        if created.code:
            return created
    fetching = ["-C", str(into), "fetch", "--no-progress", *partial, "--", repo.clone_url]
    return command.run([*fetching, str(repo.ref)], env, deadline)


def _environment(
    config: Sequence[tuple[str, str]], route: Route, options: FetchOptions
) -> dict[str, str]:
    return command.environment(
        options.environ, config, ca_file=options.network.ca_file, proxy=route.proxy
    )


def _config(repo: Repo, route: Route, options: FetchOptions) -> list[tuple[str, str]]:
    """Return git's configuration for exactly this host: the addresses checked, and its token."""
    config = []
    if route.addresses and ":" not in repo.host:  # an address of IPv6 is no name to be pinned
        addresses = ",".join(f"[{a}]" if ":" in a else a for a in route.addresses)
        config.append(("http.curloptResolve", f"{repo.host}:{repo.port}:{addresses}"))
    authorization = options.credentials.authorization(repo.host, repo.port)
    if authorization:
        header = f"Authorization: {authorization}"
        config.append((f"http.https://{repo.authority}/.extraHeader", header))
    return config


def _emptiness(answer: discovery.Answer) -> RepoError:
    """Return what an empty clone means: git takes any page of text for a list of no refs."""
    if answer.is_from_git():
        return EmptyError("the repository holds no commit; push one, or leave it out")
    return CorruptError("the address answers, but not as a git server; check the URL in a browser")


def _failure(
    repo: Repo,
    route: Route,
    completed: command.Completed,
    options: FetchOptions,
    deadline: Deadline,
) -> RepoError:
    anonymous = options.credentials.authorization(repo.host, repo.port) is None
    error = classify(
        options.credentials.redact(completed.stderr),
        host=repo.host,
        public_host=anonymous and repo.host == urls.GITHUB,
    )
    if isinstance(error, RateLimitedError):
        with suppress(NetworkError):  # it may not say how long
            answer = _ask(repo, route, options, deadline)
            error.retry_after_seconds = answer.retry_after_seconds()
    return error


def _ask(repo: Repo, route: Route, options: FetchOptions, deadline: Deadline) -> discovery.Answer:
    return discovery.ask(
        repo,
        route,
        ca_file=options.network.ca_file,
        authorization=options.credentials.authorization(repo.host, repo.port),
        deadline=deadline,
    )
