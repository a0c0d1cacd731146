"""Join the parts of a digest: header, structure, what was omitted, files.

Nothing in it depends on when, where or by whom it was made.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from repomill import __version__
from repomill.digest import gitingest, languages, names, tokens
from repomill.digest.fingerprint import FORMAT, fingerprint, of_repository, printed, versions
from repomill.model import Digest, Kind, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from repomill.digest.budget import Shown
    from repomill.digest.dependencies import Manifest
    from repomill.digest.select import Selection, SelectOptions

_SHARE_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a commit before its files are looked at."""

    full_name: str
    url: str | None
    commit: str
    committed: datetime | None
    languages: Sequence[tuple[str, float]] = ()
    """Of its files, with their share of the bytes (0-1), the biggest first."""
    found_license: str | None = None
    """What its licence file is, where no feed says it."""
    manifests: Sequence[Manifest] = ()
    license: str | None = None
    """Like the next one what a feed says, and None where it says nothing."""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a digest holds below its header."""

    dependencies: bytes
    """The paragraph on them; empty where there are none, or no room."""
    tree: bytes
    omitted: bytes
    """The paragraph on what is missing; empty where nothing is."""
    shown: Sequence[Shown]

    def body(self) -> bytes:
        """Return the parts, joined."""
        paragraphs = b"".join(part + b"\n" for part in self._paragraphs)
        return paragraphs + gitingest.BETWEEN_BLOCKS.join([one.body for one in self.shown])

    @property
    def size_bytes(self) -> int:
        """How long they are, joined."""
        blocks = sum(len(one.body) for one in self.shown)
        between = len(gitingest.BETWEEN_BLOCKS) * max(0, len(self.shown) - 1)
        return self.start_of_files + blocks + between

    @property
    def start_of_files(self) -> int:
        """Where the first block begins."""
        return sum(len(part) + 1 for part in self._paragraphs)

    @property
    def start_of_tree(self) -> int:
        """Where the structure begins."""
        return len(self.dependencies) + 1 if self.dependencies else 0

    @property
    def _paragraphs(self) -> list[bytes]:
        """Return what there is; an empty line comes behind each."""
        before = [self.dependencies] if self.dependencies else []
        after = [self.omitted] if self.omitted else []
        return [*before, self.tree, *after]


def compose(
    facts: Facts,
    parts: Parts,
    selection: Selection,
    options: SelectOptions,
    explain: Callable[[bytes], Mapping[str, Any]] = lambda _path: {},
) -> Digest:
    """Return the digest and the metadata object that goes with it.

    *explain* gives more to be said of a chosen path in the metadata.
    """
    body = parts.body()
    token_count = tokens.count(body.decode())
    start = header(facts, len(parts.shown), token_count)
    own_fingerprint = of_repository(
        fingerprint(options), license=facts.license, description=facts.description
    )
    tree_at = len(start) + parts.start_of_tree
    files_at = len(start) + parts.start_of_files
    metadata = {
        **_facts(facts),
        "format": FORMAT,
        "fingerprint": own_fingerprint,
        "produced_by": {"repomill": __version__, **versions()},
        "options": _as_json(options),
        "files_analyzed": len(parts.shown),
        "tokens": {"count": token_count, "encoding": tokens.ENCODING},
        "bytes": len(start) + len(body),
        "sections": {
            "header": _section(0, len(start)),
            "dependencies": _section(len(start), len(parts.dependencies)),
            "structure": _section(tree_at, len(parts.tree)),
            "omitted": _section(tree_at + len(parts.tree) + 1, len(parts.omitted)),
            "files": _section(files_at, len(start) + len(body) - files_at),
        },
    }
    return Digest(
        full_name=facts.full_name,
        url=facts.url,
        commit=facts.commit,
        body=start + body,
        files=len(parts.shown),
        tokens=token_count,
        fingerprint=own_fingerprint,
        metadata=metadata,
        lists={
            "manifests": [_manifest(manifest) for manifest in facts.manifests],
            "dependencies": Dependencies(facts.manifests),
            "files": Listing(selection, parts.shown, files_at, explain),
        },
    )


def header(facts: Facts, files: int, token_count: int) -> bytes:
    """Return the lines that a digest begins with."""
    lines = {
        "Repository": names.quote(facts.full_name),
        "URL": facts.url,
        "Commit": facts.commit,
        "Files analyzed": str(files),
        "Estimated tokens": tokens.human(token_count),
        "Committed": _iso(facts.committed),
        "Languages": languages.describe(facts.languages),
        **{name.capitalize(): text for name, text in _said(facts).items()},
    }
    told = [f"{name}: {value}" for name, value in lines.items() if value]
    return ("\n".join(told) + "\n\n").encode()


def render(digest: Digest) -> Iterator[bytes]:
    """Yield the metadata object as JSON, the same bytes for the same values.

    Of what there can be very many of, each has a line.
    """
    head = json.dumps(digest.metadata, ensure_ascii=False, indent=1)
    yield gitingest.encode(head.removesuffix("\n}"))
    for name, items in digest.lists.items():
        yield gitingest.encode(f",\n {json.dumps(name)}: [")
        between = "\n  "
        for item in items:
            yield gitingest.encode(between + json.dumps(item, ensure_ascii=False))
            between = ",\n  "
        yield b"\n ]"
    yield b"\n}\n"


class Dependencies:
    """Every dependency of every manifest, in their order; made anew for each reading."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self._manifests = manifests

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for manifest in self._manifests:
            for dependency in manifest.dependencies:
                yield {
                    "manifest": names.quote(manifest.path),
                    "purl": dependency.purl,
                    "name": names.quote(dependency.name),
                    "range": names.quote(dependency.requirement),
                    "resolved": dependency.resolved and names.quote(dependency.resolved),
                    "scope": dependency.scope.value,
                }


class Listing:
    """Every path of a commit, sorted, with what became of it; made anew for each reading."""

    def __init__(
        self,
        selection: Selection,
        shown: Sequence[Shown],
        start_bytes: int,
        explain: Callable[[bytes], Mapping[str, Any]],
    ) -> None:
        self._selection = selection
        self._explain = explain
        self._states: dict[bytes, dict[str, Any]] = {}
        for one in shown:
            length = len(one.body)
            self._states[one.entry.path] = {
                "state": "cut" if one.is_cut else "included",
                "offset": start_bytes,
                "length": length,
                **({"missing_bytes": one.missing_bytes} if one.is_cut else {}),
            }
            start_bytes += length + len(gitingest.BETWEEN_BLOCKS)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        chosen = (
            (entry, {**self._states.get(entry.path, _LEFT_OUT), **self._explain(entry.path)})
            for entry in self._selection.chosen
        )
        omitted = ((o.entry, _omitted(o.reason)) for o in self._selection.omitted)
        for entry, state in heapq.merge(chosen, omitted, key=lambda pair: pair[0].path):
            yield {
                "path": names.quote(names.decode(entry.path)),
                "kind": entry.kind.value,
                "bytes": entry.size_bytes,
                **({"commit": entry.oid} if entry.kind is Kind.SUBMODULE else {}),
                **state,
            }


def _as_json(options: SelectOptions) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(options).items()
    }


def _manifest(manifest: Manifest) -> dict[str, Any]:
    return {
        "path": names.quote(manifest.path),
        "ecosystem": manifest.ecosystem,
        "locked_by": manifest.locked_by and names.quote(manifest.locked_by),
        "problems": [names.quote(problem) for problem in manifest.problems],
    }


def _omitted(reason: Reason) -> dict[str, Any]:
    return {"state": "omitted", "reason": reason.value}


_LEFT_OUT = _omitted(Reason.BUDGET)


def _section(offset: int, length: int) -> dict[str, int]:
    return {"offset": offset, "length": length}


def _facts(facts: Facts) -> dict[str, Any]:
    return {
        "repository": names.quote(facts.full_name),
        "url": facts.url,
        "commit": facts.commit,
        "committed": _iso(facts.committed),
        "languages": {name: round(share, _SHARE_DIGITS) for name, share in facts.languages},
        **_said(facts),
    }


def _said(facts: Facts) -> dict[str, str | None]:
    said = {
        "license": facts.license or facts.found_license,
        "description": printed(facts.description or ""),
    }
    return {name: names.quote(text) if text else None for name, text in said.items()}


def _iso(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
