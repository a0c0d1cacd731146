"""One repository, from its source to its digest: what a worker does, in a process of its own.

The worker handles what strangers wrote, so what it hands back is plain files that are read like any
untrusted input: ``result.json``, ``digest.txt`` and ``metadata.json`` in its working folder.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repomill import urls
from repomill.deadline import Deadline
from repomill.digest import compose, gitingest, select, tokens, view
from repomill.errors import DigestError, MovedError, OutOfMemoryError, RepoError
from repomill.git import fetch, tree
from repomill.model import Digest, LocalRepo
from repomill.task import DIGEST, METADATA, RESULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.digest.select import SelectOptions
    from repomill.task import Task

tokens.count("")  # loads the vocabulary, once for all workers


def run(task: Task) -> None:
    """Do *task*, and leave what came of it in the working folder."""
    seconds: dict[str, float] = {}
    try:
        digest = make_digest(task, Path(), seconds)
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
        Path(METADATA).write_bytes(compose.render(digest.metadata))
        facts = {
            name: value
            for name, value in asdict(digest).items()
            if name not in {"body", "metadata"}
        }
        _leave({"digest": facts, "seconds": seconds})


def make_digest(task: Task, scratch: Path, seconds: dict[str, float]) -> Digest:
    """Return the digest of what *task* names; stage → wall seconds go into *seconds*.

    Raises the RepoError that says why there is none.
    """
    if isinstance(task.source, LocalRepo):
        commit = tree.open_commit(task.source.path)
        return _digest(commit, _local_name(task.source, commit), None, task.select, seconds)
    with _timed(seconds, "fetch"):
        fetched = fetch.fetch(
            task.fetch_from or task.source,
            scratch / "repo.git",
            task.fetch,
            Deadline(task.timeout_seconds),
        )
    commit = tree.open_commit(fetched.path, fetched.revision)
    return _digest(commit, task.source.full_name, task.source.url, task.select, seconds)


def _digest(
    commit: tree.Commit,
    full_name: str,
    url: str | None,
    options: SelectOptions,
    seconds: dict[str, float],
) -> Digest:
    with _timed(seconds, "select"):
        selection = select.select(
            commit.entries(), options, default_patterns=gitingest.DEFAULT_PATTERNS
        )
    with _timed(seconds, "gitingest"):
        root_name = full_name.replace("/", "-")
        ingested = gitingest.ingest(view.build(root_name, selection.chosen, commit.read))
    facts = compose.Facts(
        full_name=full_name, url=url, commit=commit.sha, committed=commit.committed
    )
    with _timed(seconds, "compose"):
        return compose.compose(facts, selection, ingested, options)


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
