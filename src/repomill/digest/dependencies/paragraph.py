"""Print the dependencies of a repository for a digest, in no more room than there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from repomill.digest import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repomill.digest.dependencies import Manifest
    from repomill.digest.dependencies.base import Dependency

TITLE = "Dependencies:\n"
_INDENT = "    "
TOLD_TOGETHER = frozenset({"GitHub Actions"})
"""Ecosystems with many manifests that are much the same: one list tells more than twenty."""
_MOST_CHARACTERS = 200
"""Of a name, of a range, of what is said of a manifest."""
_REST_BYTES = 220
"""What the last line can take, which counts what is missing."""


def paragraph(manifests: Sequence[Manifest], room_bytes: float = float("inf")) -> bytes:
    """Return the paragraph, a block for each manifest; empty where there is nothing to say.

    Manifests that say the same are told once. What does not fit is counted, never left out
    silently; where not even that fits, there is no paragraph.
    """
    blocks = _blocks(manifests)
    if not blocks:
        return b""
    text = "".join([TITLE, *(line for block in blocks for line in block.lines)])
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


@dataclass(slots=True)
class _Block:
    """What is told of manifests that say the same, or that are told together."""

    manifests: list[Manifest]
    dependencies: Sequence[Dependency]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = list(self._lines())

    @property
    def ecosystem(self) -> str:
        """Of all of them."""
        return self.manifests[0].ecosystem

    @property
    def size(self) -> int:
        """How many dependencies they have, each counted for itself."""
        return sum(len(manifest.dependencies) for manifest in self.manifests)

    def fitting(self, room_bytes: float) -> list[str]:
        """Return as many lines as fit, but none without a dependency."""
        sizes = accumulate(len(_encode(line)) for line in self.lines)
        lines = [line for line, size in zip(self.lines, sizes, strict=True) if size <= room_bytes]
        if len(lines) < len(self.lines) and not any(map(_is_dependency, lines)):
            return []
        return lines

    def _lines(self) -> Iterator[str]:
        first, count = self.manifests[0], len(self.manifests)
        alike = "" if self.ecosystem in TOLD_TOGETHER else " that say the same"
        more = f" and {count - 1} more{alike}" if count > 1 else ""
        is_shared = len({manifest.locked_by for manifest in self.manifests}) == 1
        lock = f", locked by {_shown(first.locked_by)}" if first.locked_by and is_shared else ""
        yield f"{_shown(first.path)}{more} ({self.ecosystem}{lock})\n"
        for problem in first.problems:
            yield f"  problem: {_shown(problem)}\n"
        for scope, dependencies in groupby(self.dependencies, key=lambda one: one.scope):
            yield f"  {scope}:\n"
            for dependency in dependencies:
                yield f"{_INDENT}{_told(dependency)}\n"


def _blocks(manifests: Sequence[Manifest]) -> list[_Block]:
    """Return the blocks of the manifests that say anything.

    A compiled list of requirements says nothing that its source, which it locks, does not.
    """
    groups: dict[object, list[Manifest]] = {}
    locks = {manifest.locked_by for manifest in manifests}
    for manifest in manifests:
        if manifest.path not in locks and (manifest.dependencies or manifest.problems):
            together = manifest.ecosystem in TOLD_TOGETHER
            said = None if together else manifest.dependencies
            groups.setdefault((manifest.ecosystem, said, manifest.problems), []).append(manifest)
    return [_Block(group, _united(group)) for group in groups.values()]


def _united(manifests: Sequence[Manifest]) -> Sequence[Dependency]:
    if manifests[0].ecosystem not in TOLD_TOGETHER:
        return manifests[0].dependencies
    together = {one for manifest in manifests for one in manifest.dependencies}
    in_order = sorted(together, key=lambda one: (one.name.casefold(), one.requirement, one.purl))
    # Of the comments behind one commit the last is told: "# v4.2.2" goes after "# 4.2.2" and none.
    told = {(one.name, one.purl, one.resolved or one.requirement): one for one in in_order}
    return list(told.values())


def _told(dependency: Dependency) -> str:
    name, requirement, resolved = dependency.name, dependency.requirement, dependency.resolved
    inside = dependency.package.subpath
    if inside and not name.endswith(inside):
        name = f"{name}//{inside}"
    told = [_shown(name), *([_shown(requirement)] if requirement else [])]
    if resolved and not _says(requirement, resolved):
        told.append(f"= {_shown(resolved)}")
    return " ".join(told)


def _says(requirement: str, version: str) -> bool:
    """Whether *version* stands in *requirement* as the one that will do.

    An image's digest stands behind its tag, and a comment behind an action's commit.
    """
    exact = requirement.partition(" #")[0].lstrip("= ")
    return exact == version or exact.endswith(f"@{version}")


def _is_dependency(line: str) -> bool:
    return line.startswith(_INDENT)


def _rest(blocks: Sequence[_Block], shown: int) -> str:
    """Return the line that counts what is missing of *blocks*, of which *shown* are told."""
    missing = sum(block.size for block in blocks) - shown
    others = blocks[1:] if shown else blocks
    manifests = sum(len(block.manifests) for block in others)
    which = ", ".join(dict.fromkeys(block.ecosystem for block in others))
    plural = "s" if manifests != 1 else ""
    in_others = f" in {manifests} more manifest{plural} ({which})" if manifests else ""
    return f"{_INDENT if shown else ''}… {missing} more dependencies{in_others}\n"


def _shown(text: str) -> str:
    return names.quote(names.cut(text, _MOST_CHARACTERS))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
