"""What a digest depends on besides its commit; known without looking at any repository.

A digest's fingerprint has two halves of 16 hex digits: what all digests of a run have in common
(:func:`fingerprint`), and what the feed says of this one repository (:func:`of_facts`). So whoever
finds another fingerprint in a store can tell which of the two has changed. Each half has the 64
bits that tell apart what changes by chance; nobody gains by making two texts that share one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING

from repomill.digest.names import cut

if TYPE_CHECKING:
    from repomill.digest.select import SelectOptions

FORMAT = 3
"""Raised whenever the same commit gives other bytes than before."""

MAX_DESCRIPTION_CHARACTERS = 300
"""So many of a description are in a digest; what comes after them changes nothing."""

_HALF = 16
_LIBRARIES = (
    "gitingest",
    "identify",
    "packageurl-python",
    "packaging",
    "pathspec",
    "PyYAML",
    "toktok-rs",
    "tree-sitter",
    "tree-sitter-ruby",
)
"""The libraries whose version can change a digest."""


def fingerprint(options: SelectOptions) -> str:
    """Return a hash, 16 hex digits, of all that can change every digest of the same commit."""
    values = {"format": FORMAT, "options": asdict(options), "versions": versions()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:_HALF]


def of_repository(base: str, *, license: str | None, description: str | None) -> str:  # noqa: A002 as Repo has it
    """Return the fingerprint of one repository's digest.

    *base* is what :func:`fingerprint` returns; then it is 32 hex digits, whether anything is known
    of the repository or not.
    """
    return base + of_facts(license, description)


def of_facts(license: str | None, description: str | None) -> str:  # noqa: A002 as Repo has it
    """Return a hash, 16 hex digits, of what a digest prints of a feed; nothing has one, too."""
    name = license or ""
    # The length tells where the one ends; a stranger's text may hold any separator.
    text = f"{len(name)} {name}{printed(description or '')}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HALF]


def printed(description: str) -> str:
    """Return what a digest prints of *description*."""
    return cut(description, MAX_DESCRIPTION_CHARACTERS)


def versions() -> dict[str, str]:
    """Return the version of each library that can change a digest."""
    return {library: version(library) for library in _LIBRARIES}
