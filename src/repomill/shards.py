"""Which part of a feed a run works on, so that many tasks do one feed together.

The rule is published (docs/reference/shards.md), so that other programs can compute it: the first 8
bytes of the SHA-256 of a repository's identity, read as a big-endian number, modulo the number of
shards. It never changes: what one version stored, the next one finds again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SHARDS = 100_000
"""The most indexes that Kubernetes gives a Job; Cloud Run and AWS Batch give 10,000."""
_MAX_SHOWN_CHARACTERS = 40
_NUMBER = re.compile(r"[0-9]{1,9}")
_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part *index*, counted from 0, of *count* disjoint parts of a feed.

    >>> str(Shard(0, 10)), Shard(0, 2).holds("https://github.com/alphagov/whitehall")
    ('0/10', True)
    """

    index: int
    count: int

    def holds(self, identity: str) -> bool:
        """Return whether the repository with *identity* is of this part.

        *identity* is the repository's canonical URL (``Repo.url``: without branch, tag or commit),
        in lower case on github.com, where two spellings are one repository.
        """
        start = hashlib.sha256(identity.encode()).digest()[:8]
        return int.from_bytes(start, "big") % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse(text: str) -> Shard:
    """Return the shard that *text* (``I/N``, the first one ``0/N``) means. Raises UsageError.

    >>> parse("3/10")
    Shard(index=3, count=10)
    """
    found = _SHARD.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{_shown(text)} is no shard; write I/N, from 0/10 to 9/10, or auto")
    return _checked(int(found[1]), int(found[2]), f"shard {_shown(text)}")


def from_environment(environ: Mapping[str, str]) -> Shard:
    """Return the shard that the system which started this task has given it.

    Raises UsageError, also where no system is known: a task that works on the whole feed because it
    does not know its part does the work of all the others. An empty variable counts as unset.
    """
    present = [system for system in _SYSTEMS if any(environ.get(name) for name in system.variables)]
    if not present:
        known = ", or ".join(f"{' and '.join(one.needed)} ({one.name})" for one in _SYSTEMS)
        raise UsageError(f"shard auto: no task index in the environment; write I/N, or set {known}")
    if len(present) > 1:
        known = " and ".join(
            f"{system.name} ({next(name for name in system.variables if environ.get(name))})"
            for system in present
        )
        raise UsageError(f"shard auto: the environment is that of {known}; write I/N, or unset one")
    return present[0].shard(environ)


@dataclass(frozen=True, slots=True)
class _System:
    """The variables by which a system tells each of its tasks which one it is."""

    name: str
    index: str
    count: str
    first: str | None = None
    """The lowest index, where that is not always 0."""
    last: str | None = None
    step: str | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        names = (self.index, self.count, self.first)
        return tuple(name for name in names if name is not None)

    @property
    def variables(self) -> tuple[str, ...]:
        names = (*self.needed, self.last, self.step)
        return tuple(name for name in names if name is not None)

    def shard(self, environ: Mapping[str, str]) -> Shard:
        """Return the shard. Raises UsageError."""
        missing = [name for name in self.needed if not environ.get(name)]
        if missing:
            raise UsageError(
                f"shard auto: this is a task of {self.name}, but {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not set; set it, or write I/N"
            )
        index, count = _number(environ, self.index), _number(environ, self.count)
        first = _number(environ, self.first, unset=0)
        step = _number(environ, self.step, unset=1)
        said = f"shard auto: {', '.join(f'{name}={environ[name]}' for name in self.needed)}"
        last = _number(environ, self.last, unset=first + (count - 1) * step)
        counted = step > 0 and (last - first) // step + 1 == count
        if not counted or index < first or (index - first) % step:
            raise UsageError(f"{said}: an array with gaps; use one without, or write I/N")
        return _checked((index - first) // step, count, said)


_SYSTEMS = (
    # https://cloud.google.com/run/docs/container-contract#jobs-env-vars
    _System("Cloud Run", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    # https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
    _System("Kubernetes", "JOB_COMPLETION_INDEX", "REPOMILL_SHARDS"),
    # https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
    _System("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    # https://slurm.schedmd.com/job_array.html#env_vars
    _System(
        "Slurm",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
        first="SLURM_ARRAY_TASK_MIN",
        last="SLURM_ARRAY_TASK_MAX",
        step="SLURM_ARRAY_TASK_STEP",
    ),
)


def _number(environ: Mapping[str, str], name: str | None, *, unset: int = 0) -> int:
    text = environ.get(name) if name else None
    if not text:
        return unset
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"shard auto: {name} is {_shown(text)}, no number of a task; write I/N")
    return int(text)


def _checked(index: int, count: int, said: str) -> Shard:
    if not 1 <= count <= MOST_SHARDS:
        raise UsageError(f"{said}: there can be 1 to {MOST_SHARDS} shards, not {count}")
    if index >= count:
        raise UsageError(f"{said}: of {count} shards the last one is {count - 1}/{count}")
    return Shard(index, count)


def _shown(text: str) -> str:
    cut = text[:_MAX_SHOWN_CHARACTERS]
    return repr(cut if cut == text else f"{cut}…")
