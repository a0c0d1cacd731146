"""Print the dependencies of a repository for a digest, in no more room than there is."""

from __future__ import annotations

from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from repomill.digest import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repomill.digest.dependencies import Manifest
    from repomill.digest.dependencies.base import Dependency

TITLE = "Dependencies:\n"
_INDENT = "    "
_MOST_CHARACTERS = 200
"""Of a name, of a range, of what is said of a manifest."""
_REST_BYTES = 100
"""What the last line can take, which counts what is missing."""


def paragraph(manifests: Sequence[Manifest], room_bytes: float = float("inf")) -> bytes:
    """Return the paragraph, a block for each manifest; empty where there is nothing to say.

    Manifests that say the same are told once. What does not fit is counted, never left out
    silently; where not even that fits, there is no paragraph.
    """
    blocks = [_Block(alike) for alike in _alike(manifests)]
    if not blocks:
        return b""
    text = "".join([TITLE, *(str(block) for block in blocks)])
    if len(text) <= room_bytes and len(body := _encode(text)) <= room_bytes:
        return body
    body = _encode(_cut(blocks, room_bytes))
    return body if len(body) <= room_bytes else b""


def _cut(blocks: Sequence[_Block], room_bytes: float) -> str:
    left = room_bytes - len(TITLE) - _REST_BYTES
    if left < 0:
        return ""
    told = [TITLE]
    for place, block in enumerate(blocks):
        lines = block.fitting(left)
        told += lines
        if len(lines) < len(block.lines):
            return "".join([*told, _rest(blocks[place:], sum(map(_is_dependency, lines)))])
        left -= len(_encode("".join(lines)))
    return "".join(told)


class _Block:
    """What is told of manifests that say the same."""

    def __init__(self, alike: Sequence[Manifest]) -> None:
        self.manifests = len(alike)
        self.dependencies = len(alike[0].dependencies)
        self.lines = list(_lines(alike))

    def __str__(self) -> str:
        return "".join(self.lines)

    def fitting(self, room_bytes: float) -> list[str]:
        """Return as many lines as fit, but none without a dependency."""
        sizes = accumulate(len(_encode(line)) for line in self.lines)
        lines = [line for line, size in zip(self.lines, sizes, strict=True) if size <= room_bytes]
        if len(lines) < len(self.lines) and not any(map(_is_dependency, lines)):
            return []
        return lines


def _alike(manifests: Sequence[Manifest]) -> list[list[Manifest]]:
    """Return the manifests that say anything, those that say the same together.

    A compiled list of requirements says nothing that its source, which it locks, does not.
    """
    groups: dict[object, list[Manifest]] = {}
    locks = {manifest.locked_by for manifest in manifests}
    for manifest in manifests:
        if manifest.path not in locks and (manifest.dependencies or manifest.problems):
            said = (manifest.ecosystem, manifest.dependencies, manifest.problems)
            groups.setdefault(said, []).append(manifest)
    return list(groups.values())


def _lines(alike: Sequence[Manifest]) -> Iterator[str]:
    first = alike[0]
    more = f" and {len(alike) - 1} more that say the same" if len(alike) > 1 else ""
    lock = f", locked by {_shown(first.locked_by)}" if first.locked_by else ""
    yield f"{_shown(first.path)}{more} ({first.ecosystem}{lock})\n"
    for problem in first.problems:
        yield f"  problem: {_shown(problem)}\n"
    for scope, dependencies in groupby(first.dependencies, key=lambda one: one.scope):
        yield f"  {scope}:\n"
        for dependency in dependencies:
            yield f"{_INDENT}{_told(dependency)}\n"


def _told(dependency: Dependency) -> str:
    told = _shown(dependency.name)
    if dependency.requirement:
        told += f" {_shown(dependency.requirement)}"
    if dependency.resolved and dependency.resolved != dependency.requirement.lstrip("= "):
        told += f" = {_shown(dependency.resolved)}"
    return told


def _is_dependency(line: str) -> bool:
    return line.startswith(_INDENT)


def _rest(blocks: Sequence[_Block], shown: int) -> str:
    """Return the line that counts what is missing of *blocks*, of which *shown* are told."""
    missing = sum(block.dependencies * block.manifests for block in blocks) - shown
    others = sum(block.manifests for block in blocks) - (shown > 0)
    in_others = f" in {others} more manifests" if others else ""
    return f"{_INDENT if shown else ''}… {missing} more dependencies{in_others}\n"


def _shown(text: str) -> str:
    return names.quote(names.cut(text, _MOST_CHARACTERS))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
