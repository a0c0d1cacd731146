"""Join the parts of a digest: header, structure, what was omitted, files.

Nothing in it depends on when, where or by whom it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from repomill import __version__
from repomill.digest import gitingest, names, tokens
from repomill.model import Digest, Kind, Omission, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from repomill.digest.gitingest import Block, Ingested
    from repomill.digest.select import Selection, SelectOptions

FORMAT = 1
"""Raised whenever the same commit gives other bytes than before."""

_LIBRARIES = ("gitingest", "pathspec", "toktok-rs")
"""The libraries whose version can change a digest."""

_MAX_SUBMODULES_NAMED = 50

_WORDS = {
    Reason.TOO_LARGE: "larger than the file-size limit",
    Reason.PATTERN: "left out by patterns",
    Reason.TOTAL_SIZE: "past the limit for all files together",
    Reason.DEPTH: "folders too deep to enter",
    Reason.SUBMODULE: "submodules, not fetched",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a commit before its files are looked at."""

    full_name: str
    url: str | None
    commit: str
    committed: datetime | None


def compose(
    facts: Facts, selection: Selection, ingested: Ingested, options: SelectOptions
) -> Digest:
    """Return the digest and the metadata object that goes with it."""
    omitted = _omitted(selection.omitted)
    before_files = "\n".join([ingested.tree, *([omitted] if omitted else []), ""])
    # gitingest's own text is joined to the rest once: it can be large.
    body = gitingest.encode(before_files + ingested.content)
    token_count = tokens.count(body.decode())
    header = _header(facts, len(selection.chosen), token_count).encode()
    print_of_options = fingerprint(options)
    metadata = {
        **_facts(facts),
        "format": FORMAT,
        "fingerprint": print_of_options,
        "produced_by": {"repomill": __version__, **_versions()},
        "options": asdict(options),
        "files_analyzed": len(selection.chosen),
        "tokens": {"count": token_count, "encoding": tokens.ENCODING},
        "bytes": len(header) + len(body),
        "files": _files(
            selection.omitted,
            ingested.blocks,
            len(header) + len(gitingest.encode(before_files)),
        ),
    }
    return Digest(
        full_name=facts.full_name,
        url=facts.url,
        commit=facts.commit,
        body=header + body,
        files=len(selection.chosen),
        tokens=token_count,
        fingerprint=print_of_options,
        metadata=metadata,
    )


def fingerprint(options: SelectOptions) -> str:
    """Return a hash of all that can change a digest of the same commit."""
    values = {"format": FORMAT, "options": asdict(options), "versions": _versions()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


def render(metadata: Mapping[str, Any]) -> bytes:
    """Return the metadata object as JSON, the same bytes for the same values."""
    return gitingest.encode(json.dumps(metadata, ensure_ascii=False, indent=1) + "\n")


def _header(facts: Facts, files: int, token_count: int) -> str:
    lines = [
        f"Repository: {names.quote(facts.full_name)}",
        *([f"URL: {facts.url}"] if facts.url else []),
        f"Commit: {facts.commit}",
        f"Files analyzed: {files}",
        f"Estimated tokens: {tokens.human(token_count)}",
        *([f"Committed: {_iso(facts.committed)}"] if facts.committed else []),
    ]
    return "\n".join(lines) + "\n\n"


def _omitted(omissions: Iterable[Omission]) -> str:
    """Return the paragraph on what is not in the digest, or nothing.

    The bytes of files over the limit are never given: a filtered clone does not know them.
    """
    omissions = list(omissions)
    if not omissions:
        return ""
    counts = Counter(omission.reason for omission in omissions)
    lines = [f"Omitted: {len(omissions)} files"]
    for reason, words in _WORDS.items():
        if counts[reason]:
            known = sum(o.entry.size_bytes or 0 for o in omissions if o.reason is reason)
            size = f" ({known} bytes)" if known and reason is not Reason.TOO_LARGE else ""
            lines.append(f"- {counts[reason]} {words}{size}")
    submodules = [o.entry for o in omissions if o.reason is Reason.SUBMODULE]
    lines += [
        f"  {names.quote(names.decode(entry.path))} @ {entry.oid}"
        for entry in submodules[:_MAX_SUBMODULES_NAMED]
    ]
    if len(submodules) > _MAX_SUBMODULES_NAMED:
        lines.append(f"  … and {len(submodules) - _MAX_SUBMODULES_NAMED} more")
    return "\n".join(lines) + "\n"


def _facts(facts: Facts) -> dict[str, Any]:
    return {
        "repository": names.quote(facts.full_name),
        "url": facts.url,
        "commit": facts.commit,
        "committed": _iso(facts.committed) if facts.committed else None,
    }


def _files(
    omissions: Iterable[Omission], blocks: Iterable[Block], start_bytes: int
) -> list[dict[str, Any]]:
    """Return every path of the commit, sorted, with what became of it."""
    listed = [
        (
            block.entry,
            {
                "state": "included",
                "offset": start_bytes + block.offset_bytes,
                "length": block.length_bytes,
            },
        )
        for block in blocks
    ]
    listed += [(o.entry, {"state": "omitted", "reason": o.reason.value}) for o in omissions]
    listed.sort(key=lambda pair: pair[0].path)
    return [
        {
            "path": names.quote(names.decode(entry.path)),
            "kind": entry.kind.value,
            "bytes": entry.size_bytes,
            **({"commit": entry.oid} if entry.kind is Kind.SUBMODULE else {}),
            **state,
        }
        for entry, state in listed
    ]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _versions() -> dict[str, str]:
    return {library: version(library) for library in _LIBRARIES}
