"""One repository, from its source to its digest: what a worker does, in a process of its own.

The worker handles what strangers wrote, so what it hands back is plain files that are read like any
untrusted input: ``result.json``, ``digest.txt`` and ``metadata.json`` in its working folder.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repomill import urls
from repomill.deadline import Deadline
from repomill.digest import compose, dependencies, document, gitingest, names, select
from repomill.digest.about import About
from repomill.digest.dependencies import Files
from repomill.errors import DigestError, MovedError, OutOfMemoryError, RepoError
from repomill.git import fetch, tree
from repomill.model import Digest, Kind, LocalRepo
from repomill.task import DIGEST, METADATA, RESULT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from repomill.model import Entry, Repo
    from repomill.task import Task

_FetchBlobs = Callable[[Sequence[str]], bool]
"""Fetches what was over the limit; says whether it is there now."""
_MOST_FETCHED_AFTERWARDS = 64
MADE_BETWEEN_SEARCHES = 50_000
"""Objects, before garbage is looked for: next to none is in cycles, and the process ends soon."""


def run(task: Task) -> None:
    """Do *task*, and leave what came of it in the working folder."""
    gc.set_threshold(MADE_BETWEEN_SEARCHES)
    seconds: dict[str, float] = {}
    try:
        digest = make_digest(task, Path(), seconds)
    except _UnchangedError:
        _leave({"unchanged": True, "seconds": seconds})
    except MovedError as moved:
        _leave({"moved_to": moved.clone_url, "seconds": seconds})
    except RepoError as error:
        _leave({"error": _describe(error), "seconds": seconds})
    except MemoryError:
        full = OutOfMemoryError("it needs more memory than a worker may take; raise --memory")
        _leave({"error": _describe(full), "seconds": seconds})
    except Exception as error:  # noqa: BLE001 the one place: a defect costs one repository
        defect = DigestError(f"unexpected {type(error).__name__}: {error}; please report it")
        _leave({"error": _describe(defect), "seconds": seconds})
    else:
        Path(DIGEST).write_bytes(digest.body)
        with Path(METADATA).open("wb") as file:
            file.writelines(compose.render(digest))
        facts = {
            "commit": digest.commit,
            "files": digest.files,
            "tokens": digest.tokens,
            "fingerprint": digest.fingerprint,
        }
        _leave({"digest": facts, "seconds": seconds})


def make_digest(task: Task, scratch: Path, seconds: dict[str, float]) -> Digest:
    """Return the digest of what *task* names; stage → wall seconds go into *seconds*.

    Raises the RepoError that says why there is none, _UnchangedError where none is wanted.
    """
    if isinstance(task.source, LocalRepo):
        commit = tree.open_commit(task.source.path)
        return _digest(commit, task, seconds, lambda _oids: False)
    if task.ask_first:
        with _timed(seconds, "ask"):
            head = fetch.remote_head(
                task.fetch_from or task.source, task.fetch, Deadline(task.timeout_seconds)
            )
        _stop_at(task.known_commit, head)
    with _timed(seconds, "fetch"):
        fetched = fetch.fetch(
            task.fetch_from or task.source,
            scratch / "repo.git",
            task.fetch,
            Deadline(task.timeout_seconds),
        )
    commit = tree.open_commit(fetched.path, fetched.revision)
    _stop_at(task.known_commit, commit.sha)

    def fetch_blobs(oids: Sequence[str]) -> bool:
        with _timed(seconds, "fetch"):
            return fetch.fetch_blobs(fetched, oids, task.fetch, Deadline(task.timeout_seconds))

    return _digest(commit, task, seconds, fetch_blobs)


class _UnchangedError(Exception):
    """The repository is at the commit that is known."""


def _stop_at(known_commit: str | None, commit: str | None) -> None:
    if commit is not None and commit == known_commit:
        raise _UnchangedError


def _digest(
    commit: tree.Commit,
    task: Task,
    seconds: dict[str, float],
    fetch_blobs: _FetchBlobs,
) -> Digest:
    options = task.select
    with _timed(seconds, "select"):
        entries = commit.entries()
        selection = select.select(entries, options, default_patterns=gitingest.DEFAULT_PATTERNS)
        about = About(entries, commit.read, options.max_file_size_bytes)
        facts = replace(
            _facts(commit, task.source),
            languages=about.languages(),
            found_license=about.license(),
        )
    wanted = _wanted_for_dependencies(entries, about)
    if wanted and fetch_blobs(wanted):
        entries = commit.with_sizes(entries)
    with _timed(seconds, "dependencies"):
        files = Files(entries, commit.read)
        facts = replace(facts, manifests=dependencies.read_all(files, about.nature))
    made_from = document.Source(
        facts=facts, selection=selection, read=commit.read, nature_of=about.nature
    )
    with _timed(seconds, "compose"):
        return document.make(made_from, options, explained=task.explained)


def _wanted_for_dependencies(entries: Iterable[Entry], about: About) -> list[str]:
    """Return the manifests and lock files that were over the limit of the fetch."""
    missing = (
        entry
        for entry in entries
        if entry.size_bytes is None
        and entry.kind is Kind.FILE
        and dependencies.is_read(names.decode(entry.path), about.nature)
    )
    return sorted({entry.oid for entry in islice(missing, _MOST_FETCHED_AFTERWARDS)})


def _facts(commit: tree.Commit, source: Repo | LocalRepo) -> compose.Facts:
    if isinstance(source, LocalRepo):
        return compose.Facts(
            full_name=_local_name(source, commit),
            url=None,
            commit=commit.sha,
            committed=commit.committed,
        )
    return compose.Facts(
        full_name=source.full_name,
        url=source.url,
        commit=commit.sha,
        committed=commit.committed,
        license=source.license,
        description=source.description,
    )


def _local_name(source: LocalRepo, commit: tree.Commit) -> str:
    """Return ``OWNER/NAME`` from the repository's origin, else the name of its folder."""
    origin = urls.parse_origin(commit.origin() or "")
    if origin:
        return origin.full_name
    folder = source.path.resolve()
    folder = folder.parent if folder.name == ".git" else folder
    return folder.name.removesuffix(".git") or "repository"


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - started


def _describe(error: RepoError) -> dict[str, Any]:
    retry_after = getattr(error, "retry_after_seconds", None)
    return {"class": error.error_class, "message": str(error), "retry_after_seconds": retry_after}


def _leave(result: Mapping[str, Any]) -> None:
    Path(RESULT).write_text(json.dumps(result))
