"""Make the digest of a commit, within its size: the one place that knows all of its parts.

Where everything fits, it is everything, in gitingest's order. Else the header comes first, then
what is kept for the structure and for the count of what is missing; the rest goes to files, best
first, and what they leave goes back to the structure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from repomill.digest import budget, compose, gitingest, references, structure, tokens, view
from repomill.digest.compose import Parts
from repomill.digest.dependencies.paragraph import paragraph
from repomill.digest.rank import Ranking
from repomill.digest.tally import Tally
from repomill.errors import TooLargeError
from repomill.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from repomill.digest.budget import Shown
    from repomill.digest.compose import Facts
    from repomill.digest.linguist import Nature
    from repomill.digest.rank import BestFirst
    from repomill.digest.select import Selection, SelectOptions
    from repomill.model import Digest, Entry

_STRUCTURE_PART = 10
_STRUCTURE_LEAST_BYTES = 1 << 10
"""With a tenth of the size: what is kept for the structure, where it needs that much."""
_DEPENDENCIES_PART = 10
"""The part of the size that dependencies may take; more only where everything fits all the same."""
_LINE_END = 1
"""Behind the dependencies, where there are any."""
_LINE_ENDS = 2
"""Behind the structure, and behind what is missing."""

_MOST_TIMES_LARGER = 100
"""What a byte of a file can become in a digest is far less; two digits more are kept free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A commit, as a digest is made from it."""

    facts: Facts
    selection: Selection
    read: Callable[[Entry], bytes]
    nature_of: Callable[[str], Nature]
    """What linguist says of a path."""

    @property
    def root_name(self) -> str:
        """What the structure calls the repository, as gitingest does."""
        return self.facts.full_name.replace("/", "-")

    def render(self, entry: Entry) -> bytes:
        """Return gitingest's block of *entry*."""
        return gitingest.block(view.leaf(entry, self.read))


def make(source: Source, options: SelectOptions, *, explained: bool = False) -> Digest:
    """Return the digest, never larger than ``options.max_size_bytes``.

    Where it is to be *explained*, the metadata say of each file what it is worth and why. Raises
    TooLargeError where its first lines alone are too large, and what reading an entry raises.
    """
    size = math.inf if options.max_size_bytes is None else options.max_size_bytes
    best_first = ranking(source).best_first() if explained else None
    explain = _explanation(best_first)
    for parts in _everything(source, size):
        digest = compose.compose(source.facts, parts, source.selection, options, explain)
        if len(digest.body) <= size:
            return digest
    best_first = best_first or ranking(source).best_first()
    best = _best(source, int(size), best_first)
    explain = _explanation(best_first if explained else None)
    return compose.compose(source.facts, best, source.selection, options, explain)


def ranking(source: Source) -> Ranking:
    """Return the order in which files go in, where not all of them fit."""
    chosen = source.selection.chosen
    return Ranking(
        chosen, source.nature_of, lambda keys: references.count(keys, chosen, source.read)
    )


def _explanation(best_first: BestFirst | None) -> Callable[[bytes], Mapping[str, Any]]:
    """Return what is said of a path: its place in the order, and why."""
    if best_first is None:
        return lambda _path: {}
    found = {
        ranked.entry.path: {
            "rank": place,
            "score": ranked.score,
            "rule": ranked.rule.kind,
            "why": ranked.rule.why,
            "points": ranked.rule.points,
            "adjustments": dict(ranked.adjustments),
        }
        for place, ranked in enumerate(best_first.again(), start=1)
    }
    return found.__getitem__


def _everything(source: Source, size_bytes: float) -> Iterator[Parts]:
    """Yield all there is, in gitingest's order, if it fits but for the header.

    First with all dependencies, then with those that fit.
    """
    chosen = source.selection.chosen
    omitted = str(Tally().add(source.selection.omitted)).encode()
    room = size_bytes - structure.least_bytes(chosen) - len(omitted)
    shown = budget.whole(chosen, source.render, room)
    if shown is None:
        return
    ingested = gitingest.structure(view.build(source.root_name, chosen, source.read))
    block_of = {one.entry.path: one for one in shown}
    in_order = [block_of[leaf.entry.path] for leaf in ingested.leaves]
    tree = gitingest.encode(ingested.tree)
    rest = Parts(dependencies=b"", tree=tree, omitted=omitted, shown=in_order)
    yield replace(rest, dependencies=paragraph(source.facts.manifests))
    free = size_bytes - rest.size_bytes - len(_widest_header(source, len(shown))) - _LINE_END
    told = paragraph(source.facts.manifests, max(free, size_bytes / _DEPENDENCIES_PART))
    yield replace(rest, dependencies=told)


def _best(source: Source, size_bytes: int, best_first: BestFirst) -> Parts:
    """Return the best of it that fits.

    What is kept free for the other parts depends on the size in small steps, and on nothing that is
    decided here: else a larger digest could have less room for files.
    """
    everything_missing = _tally_of_all(source)
    fixed = len(_widest_header(source, len(source.selection.chosen)))
    fixed += len(everything_missing.in_words(0).encode()) + _LINE_ENDS
    told = len(paragraph(source.facts.manifests)) + _LINE_END
    fixed += min(told, size_bytes // _DEPENDENCIES_PART) if source.facts.manifests else 0
    named = len(everything_missing.in_words().encode())
    kept = min(
        size_bytes // _STRUCTURE_PART + _STRUCTURE_LEAST_BYTES,
        structure.most_bytes(source.selection.chosen, source.root_name) + named,
    )
    shown = budget.fill(best_first, source.render, max(0, size_bytes - fixed - kept))
    omitted = _tally(source, shown).in_words(kept // 4).encode()
    dependencies = paragraph(source.facts.manifests, size_bytes // _DEPENDENCIES_PART - _LINE_END)
    around = Parts(dependencies=dependencies, tree=b"", omitted=omitted, shown=shown)
    room_bytes = size_bytes - around.size_bytes - len(_widest_header(source, len(shown)))
    tree = _collapsed_tree(source, room_bytes, {one.entry.path for one in shown})
    return replace(around, tree=tree)


def _widest_header(source: Source, files: int) -> bytes:
    """Return the header as long as it can be, whatever the tokens are."""
    return compose.header(source.facts, files, tokens.WIDEST)


def _collapsed_tree(source: Source, room_bytes: int, wanted: set[bytes]) -> bytes:
    chosen = source.selection.chosen
    collapsed = structure.collapse(chosen, source.root_name, room_bytes, wanted=wanted)
    if collapsed is None:
        raise TooLargeError("its name and facts alone are larger than --max-size; raise it")
    shown = view.build(source.root_name, collapsed.entries, source.read, collapsed.rests)
    return gitingest.encode(gitingest.structure(shown).tree)


def _tally_of_all(source: Source) -> Tally:
    """Return the tally that takes the most words: all files missing, and all cut."""
    tally = _tally(source, ())
    tally.cut_files = tally.files.total()
    tally.cut_bytes = _MOST_TIMES_LARGER * tally.size_bytes.total()
    return tally


def _tally(source: Source, shown: Sequence[Shown]) -> Tally:
    tally = Tally().add(source.selection.omitted)
    in_digest = {one.entry.path for one in shown}
    for entry in source.selection.chosen:
        if entry.path not in in_digest:
            tally.add_entry(entry, Reason.BUDGET)
    cut = [one for one in shown if one.is_cut]
    tally.cut_files = len(cut)
    tally.cut_bytes = sum(one.missing_bytes for one in cut)
    return tally
