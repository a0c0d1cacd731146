"""The dependencies of one repository, as its metadata object tells them.

A worker has written the object, and may have been taken over by what it handled. So it is data of a
known shape and a bounded size, read line by line as :func:`repomill.digest.compose.render` prints
it: nothing of it is taken into memory but what is wanted, and every text is fit to be shown.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repomill.digest import names
from repomill.errors import NoInventoryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_BYTES = 24 << 20
"""Of an object before its list of files, where 100,000 dependencies have room."""
MAX_LINE_BYTES = 1 << 20
MAX_MANIFESTS = 70_000
MAX_DEPENDENCIES = 100_000
"""Like the one before, as many as are read of a repository."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_URL = re.compile(r"https://[!-~]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A file that names dependencies."""

    path: str
    ecosystem: str
    locked_by: str | None
    problems: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What a manifest says of one package."""

    manifest: str
    purl: str
    name: str
    range: str
    resolved: str | None
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The direct dependencies of a repository at a commit."""

    repository: str
    url: str | None
    commit: str
    committed: str | None
    """As RFC 3339 has it, in UTC."""
    manifests: Sequence[Manifest]
    dependencies: Sequence[Dependency]
    """Each of one of the manifests."""


def read(metadata: bytes) -> Inventory:
    """Return what *metadata* tells; its list of files, which comes last, may be missing.

    Raises NoInventoryError.
    """
    try:
        return _read(metadata)
    except (ValueError, RecursionError) as error:  # their texts may be as long as what they are of
        raise NoInventoryError("a line of the metadata is no JSON") from error


def _read(metadata: bytes) -> Inventory:
    end = metadata.find(_beginning("manifests"))
    if end < 0:
        raise NoInventoryError(
            "the metadata tell no dependencies; if an older repomill made them, run it again"
        )
    facts = _parse(metadata[: min(end, MAX_LINE_BYTES + 1)] + b"\n}")
    manifests = [_manifest(one) for one in _items(metadata, "manifests", MAX_MANIFESTS)]
    known = {manifest.path for manifest in manifests}
    dependencies = [_dependency(one) for one in _items(metadata, "dependencies", MAX_DEPENDENCIES)]
    if not known.issuperset(dependency.manifest for dependency in dependencies):
        raise NoInventoryError("a dependency in the metadata is of no manifest")
    return Inventory(
        repository=_text(facts, "repository"),
        url=_optional(facts, "url", _URL),
        commit=_text(facts, "commit", _COMMIT),
        committed=_optional(facts, "committed", _TIME),
        manifests=manifests,
        dependencies=dependencies,
    )


def _items(metadata: bytes, name: str, most: int) -> Iterator[Mapping[str, Any]]:
    """Yield what the list called *name* holds, each on a line of its own."""
    place = metadata.find(_beginning(name))
    end = metadata.find(b"\n ]", place)
    if place < 0 or end < 0:
        raise NoInventoryError(f"the metadata end before their {name}, or are larger than is read")
    place = metadata.find(b"\n", place + 2)
    count = 0
    while place < end:
        stop = metadata.find(b"\n", place + 1)
        yield _parse(metadata[place + 1 : min(stop, place + MAX_LINE_BYTES + 2)].removesuffix(b","))
        place, count = stop, count + 1
        if count > most:
            raise NoInventoryError(f"the metadata have more than {most} {name}")


def _beginning(name: str) -> bytes:
    return f',\n "{name}": ['.encode()


def _parse(text: bytes) -> Mapping[str, Any]:
    if len(text) > MAX_LINE_BYTES:
        raise NoInventoryError(f"a line of the metadata is larger than {MAX_LINE_BYTES >> 10} KiB")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise NoInventoryError("a line of the metadata is no object")
    return values


def _manifest(values: Mapping[str, Any]) -> Manifest:
    problems = values.get("problems")
    if not isinstance(problems, list) or not all(isinstance(one, str) for one in problems):
        raise NoInventoryError("'problems' in the metadata are no texts")
    return Manifest(
        path=_text(values, "path"),
        ecosystem=_text(values, "ecosystem"),
        locked_by=_optional(values, "locked_by"),
        problems=[names.quote(problem) for problem in problems],
    )


def _dependency(values: Mapping[str, Any]) -> Dependency:
    return Dependency(
        manifest=_text(values, "manifest"),
        purl=_text(values, "purl"),
        name=_text(values, "name"),
        range=_text(values, "range"),
        resolved=_optional(values, "resolved"),
        scope=_text(values, "scope"),
    )


def _optional(
    values: Mapping[str, Any], name: str, form: re.Pattern[str] | None = None
) -> str | None:
    return None if values.get(name) is None else _text(values, name, form)


def _text(values: Mapping[str, Any], name: str, form: re.Pattern[str] | None = None) -> str:
    """Return a text, quoted where it would harm a line: in what render prints it is already."""
    text = values.get(name)
    if not isinstance(text, str) or (form and not form.fullmatch(text)):
        raise NoInventoryError(f"{name!r} in the metadata is not what it should be")
    return names.quote(text)
