"""What a supervisor tells a worker, and where the worker leaves its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repomill.digest.select import SelectOptions
    from repomill.git.fetch import FetchOptions
    from repomill.model import LocalRepo, Repo

WORKER = "repomill.work"
"""The module that workers run; the supervisor never imports what handles untrusted data."""
VOCABULARY = "repomill.digest.vocabulary"
"""What a fleet's workers have in common besides; one worker alone loads it when it is needed."""

RESULT = "result.json"
DIGEST = "digest.txt"
METADATA = "metadata.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt at one repository, with no credential but its own host's."""

    source: Repo | LocalRepo
    fetch_from: Repo | None = None
    """Where the repository has moved to, if it has; None for its own URL."""
    known_commit: str | None = None
    """What is stored already, with this very fingerprint; at this commit there is nothing to do."""
    ask_first: bool = False
    """Whether the host is asked for its commit before anything is fetched."""
    fetch: FetchOptions
    select: SelectOptions
    explained: bool = False
    """Whether the metadata are to say what each file is worth, and why."""
    timeout_seconds: float
