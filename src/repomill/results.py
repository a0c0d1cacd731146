"""Read what a worker left.

A worker has handled what strangers wrote, and may have been taken over by it. So its results are
data of a known shape and a bounded size, never code, and are read without following a link.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repomill import errors
from repomill.errors import CrashedError, RateLimitedError, RepoError, TooLargeError
from repomill.task import DIGEST, METADATA, RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_RESULT_BYTES = 1 << 20
MAX_DIGEST_BYTES = 1 << 30
_MAX_MESSAGE_CHARACTERS = 2000
_MAX_STAGES = 16
_MAX_NAME_CHARACTERS = 40
_MAX_COUNT = 1 << 53
_HASH = re.compile(r"[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A digest as a worker left it."""

    body: bytes
    metadata: bytes
    commit: str
    files: int
    tokens: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a worker says of its attempt: one of the first four is there."""

    made: Made | None = None
    unchanged: bool = False
    """The repository is at the commit that is known."""
    moved_to: str | None = None
    error: RepoError | None = None
    seconds: Mapping[str, float]


def read(scratch: Path) -> Result:
    """Return the result in the folder *scratch*.

    Raises CrashedError where there is none that can be read, TooLargeError past the bounds.
    """
    try:
        values = json.loads(_read(scratch / RESULT, MAX_RESULT_BYTES))
        return _result(scratch, values)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CrashedError("the worker left no readable result; try again") from error


def _result(scratch: Path, values: dict[str, Any]) -> Result:
    seconds = {str(stage): _seconds(value) for stage, value in values["seconds"].items()}
    if len(seconds) > _MAX_STAGES or any(len(stage) > _MAX_NAME_CHARACTERS for stage in seconds):
        raise ValueError("these are no stages")
    if "error" in values:
        return Result(error=_error(values["error"]), seconds=seconds)
    if "moved_to" in values:
        return Result(moved_to=str(values["moved_to"]), seconds=seconds)
    if values.get("unchanged") is True:
        return Result(unchanged=True, seconds=seconds)
    facts = values["digest"]
    made = Made(
        body=_read(scratch / DIGEST, MAX_DIGEST_BYTES),
        metadata=_read(scratch / METADATA, MAX_DIGEST_BYTES),
        commit=_hash(facts["commit"]),
        files=_count(facts["files"]),
        tokens=_count(facts["tokens"]),
        fingerprint=_hash(facts["fingerprint"]),
    )
    return Result(made=made, seconds=seconds)


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError("this is no time")
    return float(value)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise ValueError("this is no count")
    return value


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("this is no hash")
    return value


def _error(values: dict[str, Any]) -> RepoError:
    kind = errors.by_class(str(values["class"]))
    message = str(values["message"])[:_MAX_MESSAGE_CHARACTERS]
    if kind is RateLimitedError:
        seconds = values["retry_after_seconds"]
        return RateLimitedError(
            message, retry_after_seconds=None if seconds is None else float(seconds)
        )
    return kind(message)


def _read(path: Path, most_bytes: int) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
        body = file.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise TooLargeError(f"its {path.name} is larger than {most_bytes} bytes")
    return body
