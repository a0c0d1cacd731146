"""Put the files of a commit in the order in which they are worth reading.

A file has the points of the first rule that fits it (rules.py); less for depth, for size and for
each doubling of the files like it that come before; more where the repository's own key files point
at it. All of it is counted in whole numbers, and none of it depends on the room there is: so a
larger digest holds what a smaller one does, and more.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING
from zlib import crc32

from repomill.digest import languages, names, rules
from repomill.digest.linguist import Nature
from repomill.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from repomill.digest.rules import Rule
    from repomill.model import Entry

_POINTS_PER_FOLDER = 12
_MOST_FOLDERS = 8
_LARGE_BYTES_LOG = 14
_POINTS_PER_DOUBLING_OF_SIZE = 15
_POINTS_PER_DOUBLING_OF_SOURCES = 25
"""For one file that points at it, for three, for seven, …"""

_POINTS_OF_MAIN_LANGUAGE = 30
_MAIN_PART = 4
"""A language that has one part in so many of the code is a main one."""

# For each doubling of the files before it that are alike: the second, the fourth, the eighth, …
_SAME_FOLDER = 8
_SAME_NAME = 24
_SAME_PLACE = 12
"""Of one suffix, in folders side by side."""
_SAME_PATH = 40
"""But for one folder: ``main.tf`` of the thousand environments of one service."""
_FOLDERS_OF_A_PATH = 3
"""So many of its last folders can be the one in which two paths differ."""
_SAME_PART = 6

_MOST_LIKENESS_OF_CODE = 200

_POINTS_PER_DOUBLING_OF_SUBJECT = 15
_MOST_SUBJECT_WORDS = 3
_MOST_WORDS = 12
_SHORTEST_PLURAL = 3
_WORD = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_NO_SUBJECT = frozenset(
    b"abstract base common config constant core default handler helper index init interface main"
    b" manager misc setting setup test type util utility utils".split()
)
_ROLES = _NO_SUBJECT | frozenset(
    b"action adapter api application async builder client component concern connector controller"
    b" dto entity error exception factory filter form impl job loader mapper middleware mixin mock"
    b" model module page presenter provider repository request resource response route router"
    b" schema serializer service spec store validator view worker".split()
)
"""What a file is, in words that say nothing of what it is about."""
_PACKAGE = re.compile(
    rb"/?src/main/(?:java|kotlin|scala|resources)/(?:(?:uk|com|org|net|io|gov)(?:/\w+){0,3}/)?"
)
_DIGITS = re.compile(rb"\d+")
_MARKUP = frozenset({"CSS", "HTML", "HTML+ERB", "Haml", "Less", "Nunjucks", "SCSS", "Sass", "Slim"})
_OWN_CODE = frozenset(rule for rule in (*rules.RULES, rules.SOURCE) if rule.kind.endswith("source"))
_PROGRAM = _OWN_CODE | {rule for rule in rules.RULES if rule.kind == "entry point"}
_BY_TYPE = {
    languages.Type.DATA: rules.CONFIGURATION,
    languages.Type.PROSE: rules.PROSE,
    languages.Type.BINARY: rules.BINARY,
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A file, and why it stands where it does."""

    entry: Entry
    rule: Rule
    score: int
    """Higher comes first."""
    adjustments: Mapping[str, int]
    """What was added to the points of the rule, by the name of the reason."""


class Ranking:
    """The order of *entries*, sorted by path.

    *nature_of* says what is not written by the project; *pointed_at* how many of the files it is
    given point at a path.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        nature_of: Callable[[str], Nature],
        pointed_at: Callable[[Iterator[Entry]], Mapping[bytes, int]],
    ) -> None:
        self._entries = entries
        self._rules = [_rule(entry, nature_of) for entry in entries]
        self._main_suffixes = self._find_main_suffixes()
        self._subjects = self._count_subjects()
        plain = [self._plain(index) for index in range(len(entries))]
        order = sorted(range(len(entries)), key=lambda index: (-plain[index], index))
        self._pointed = pointed_at(self._key_files(order))
        for index, entry in enumerate(entries):
            plain[index] += _bonus(self._pointed.get(entry.path, 0))
        order.sort(key=lambda index: (-plain[index], index))
        self._scores = self._spread(order, plain)
        order.sort(key=lambda index: (-self._scores[index], index))
        self._order = order

    def best_first(self) -> BestFirst:
        """Return the files, best first, for one reading."""
        return BestFirst(self, self._order)

    def __getitem__(self, index: int) -> Ranked:
        """Return the file that stands at *index* among the entries."""
        entry, rule = self._entries[index], self._rules[index]
        score = self._scores[index]
        adjustments = {
            "depth": -_depth(entry.path) * _POINTS_PER_FOLDER,
            "size": -_size_points(entry, rule),
            "main language": self._language_points(index),
            "its subject": self._subject_points(index),
            "pointed at": _bonus(self._pointed.get(entry.path, 0)),
        }
        adjustments["like others"] = score - rule.points - sum(adjustments.values())
        return Ranked(entry, rule, score, {why: n for why, n in adjustments.items() if n})

    def _plain(self, index: int) -> int:
        entry = self._entries[index]
        rule = self._rules[index]
        points = rule.points + self._language_points(index) + self._subject_points(index)
        return points - _depth(entry.path) * _POINTS_PER_FOLDER - _size_points(entry, rule)

    def _language_points(self, index: int) -> int:
        is_main = (
            self._rules[index] in _OWN_CODE
            and _suffix(self._entries[index].path) in self._main_suffixes
        )
        return _POINTS_OF_MAIN_LANGUAGE if is_main else 0

    def _subject_points(self, index: int) -> int:
        """Return what it adds that much of the code is about the same, by its name."""
        if self._rules[index] not in _OWN_CODE:
            return 0
        words = subject(self._entries[index].path)
        others = self._subjects.members(*words) - 1 if words else 0
        return _POINTS_PER_DOUBLING_OF_SUBJECT * max(0, others).bit_length()

    def _count_subjects(self) -> _Families:
        """Return how many files of the project's own code have each sequence of words in a name."""
        subjects = _Families()
        for entry, rule in zip(self._entries, self._rules, strict=True):
            if rule in _OWN_CODE:
                words = _words(entry.path)
                for sequence in {
                    words[start:end]
                    for start in range(len(words))
                    for end in range(start + 1, min(start + _MOST_SUBJECT_WORDS, len(words)) + 1)
                }:
                    subjects.doublings(*sequence)
        return subjects

    def _find_main_suffixes(self) -> frozenset[bytes]:
        """Return the suffixes with a quarter or more of the bytes of the project's own code."""
        sizes = Counter[bytes]()
        for entry, rule in zip(self._entries, self._rules, strict=True):
            if rule in _OWN_CODE:
                sizes[_suffix(entry.path)] += entry.size_bytes or 0
        least = sizes.total() / _MAIN_PART
        return frozenset(suffix for suffix, size in sizes.items() if size >= least)

    def _key_files(self, order: Sequence[int]) -> Iterator[Entry]:
        """Yield the files whose pointing counts: those that speak about the others."""
        for index in order:
            if self._rules[index].points <= rules.SOURCE.points:
                return
            yield self._entries[index]

    def _spread(self, order: Sequence[int], plain: Sequence[int]) -> list[int]:
        """Return the scores: what is like many others steps back behind what is not."""
        scores = [0] * len(order)
        seen = _Families()
        for index in order:
            rule = self._rules[index]
            cost = rule.likeness * _cost_of_likeness(self._entries[index].path, rule.kind, seen)
            if rule in _OWN_CODE:
                cost = min(cost, _MOST_LIKENESS_OF_CODE)
            scores[index] = plain[index] - cost
        return scores


class BestFirst:
    """Files, best first; one that turns out to be something else can be put back, further down."""

    def __init__(self, ranking: Ranking, order: Sequence[int]) -> None:
        self._ranking = ranking
        self._order = order
        self._next = 0
        self._late: list[tuple[int, int, Ranked]] = []
        self.put_back_as: dict[bytes, Rule] = {}
        """Path → the rule that applies to a file that was put back."""

    def __iter__(self) -> Iterator[Ranked]:
        while self._late or self._next < len(self._order):
            yield self._pop()

    @property
    def place(self) -> int:
        """How far in the order the files have come, whatever was put back meanwhile."""
        return self._next

    def put_back(self, ranked: Ranked, rule: Rule) -> None:
        """Let *ranked* come later, as a file to which *rule* applies."""
        self.put_back_as[ranked.entry.path] = rule
        lost = ranked.rule.points - rule.points
        score = ranked.score - lost
        again = Ranked(ranked.entry, rule, score, ranked.adjustments)
        heappush(self._late, (-score, self._next, again))

    def again(self) -> Iterator[Ranked]:
        """Yield all files in their order, those that were put back at their later places."""
        anew = BestFirst(self._ranking, self._order)
        for ranked in anew:
            rule = self.put_back_as.get(ranked.entry.path, ranked.rule)
            if rule is ranked.rule:
                yield ranked
            else:
                anew.put_back(ranked, rule)

    def _pop(self) -> Ranked:
        if self._next < len(self._order):
            ranked = self._ranking[self._order[self._next]]
            if not self._late or ranked.score >= -self._late[0][0]:
                self._next += 1
                return ranked
        return heappop(self._late)[2]


def _rule(entry: Entry, nature_of: Callable[[str], Nature]) -> Rule:
    if entry.kind is Kind.LINK:
        return rules.LINK
    if not entry.size_bytes:
        return rules.EMPTY
    path = names.decode(entry.path)
    folder, _, name = path.rpartition("/")
    plain = _by_language(name)
    if plain is rules.BINARY:
        return rules.BINARY
    nature = nature_of(path)
    rule = _by_place(folder, name, plain)
    spared = nature is Nature.GENERATED and rule.even_generated
    if nature in rules.NATURES and not spared:
        return rules.NATURES[nature]
    if nature is Nature.DOCUMENTATION and rule is plain:
        return rules.PROSE
    return rule


def _by_place(folder: str, name: str, plain: Rule) -> Rule:
    fitting = _rules_of_folder(folder.lower())
    for rule in _rules_of_name(name.lower()):
        if rule.folder is None or rule in fitting:
            return rule
    return plain


@lru_cache(maxsize=1 << 14)
def _rules_of_name(name: str) -> tuple[Rule, ...]:
    return tuple(rule for rule, of_name, _ in _COMPILED if of_name.fullmatch(name))


@lru_cache(maxsize=1 << 14)
def _rules_of_folder(folder: str) -> frozenset[Rule]:
    return frozenset(
        rule for rule, _, of_folder in _COMPILED if of_folder and of_folder.fullmatch(folder)
    )


_COMPILED = [
    (rule, re.compile(rule.name), None if rule.folder is None else re.compile(rule.folder))
    for rule in rules.RULES
]


@lru_cache(maxsize=1 << 14)
def _by_language(name: str) -> Rule:
    if name.endswith(".ipynb"):
        return rules.NOTEBOOK
    found = languages.file_type(name)
    if found.type is languages.Type.CODE:
        return rules.MARKUP if found.language in _MARKUP else rules.SOURCE
    return _BY_TYPE.get(found.type, rules.OTHER)


def _suffix(path: bytes) -> bytes:
    return path.rpartition(b"/")[2].rpartition(b".")[2].lower()


def subject(path: bytes) -> tuple[bytes, ...]:
    """Return the words of a file's name that say what it is about; none where it does not say.

    >>> subject(b"app/models/form_submission.rb"), subject(b"src/ChargesService.java")
    ((b'form', b'submission'), (b'charge',))
    """
    words = _words(path)
    while len(words) > 1 and words[-1] in _ROLES:
        words = words[:-1]
    says_nothing = len(words) == 1 and words[0] in _NO_SUBJECT
    return () if says_nothing or len(words) > _MOST_SUBJECT_WORDS else words


def _words(path: bytes) -> tuple[bytes, ...]:
    """Return the words of a file's name, in small letters and in the singular."""
    stem = path.rpartition(b"/")[2].partition(b".")[0]
    found = (word.lower() for word in _WORD.findall(stem)[:_MOST_WORDS])
    return tuple(w.removesuffix(b"s") if len(w) > _SHORTEST_PLURAL else w for w in found)


def _depth(path: bytes) -> int:
    """Return how many folders a path leads through; those that Java asks for count as one."""
    return min(_PACKAGE.sub(b"/", path).count(b"/"), _MOST_FOLDERS)


def _size_points(entry: Entry, rule: Rule) -> int:
    if rule in _PROGRAM:  # what a program does lies in its large files as well
        return 0
    doublings = ((entry.size_bytes or 0) >> _LARGE_BYTES_LOG).bit_length()
    return _POINTS_PER_DOUBLING_OF_SIZE * doublings


def _bonus(sources: int) -> int:
    return _POINTS_PER_DOUBLING_OF_SOURCES * (sources.bit_length() + (sources > 0))


_MOST_MEMBERS = (1 << 16) - 1


class _Families:
    """Counts the members of families, in a table of fixed size.

    A commit has up to a million files of several families each. Two families that fall on one place
    of the table are taken for one; that is seldom, the same everywhere, and costs little.
    """

    _PLACES = 1 << 19

    def __init__(self) -> None:
        self._members = array("H", bytes(2 * self._PLACES))

    def members(self, *family: bytes) -> int:
        """Return how many members *family* has."""
        return self._members[crc32(b"\0".join(family)) % self._PLACES]

    def doublings(self, *family: bytes) -> int:
        """Add a member to *family*; return how often it had doubled without it."""
        place = crc32(b"\0".join(family)) % self._PLACES
        before = self._members[place]
        self._members[place] = min(before + 1, _MOST_MEMBERS)
        return before.bit_length()


def _cost_of_likeness(path: bytes, kind: str, seen: _Families) -> int:
    """Return what a file loses to those like it that came before."""
    folder, _, name = path.rpartition(b"/")
    suffix = _suffix(name)
    shape = _DIGITS.sub(b"#", name)
    cost = _SAME_FOLDER * seen.doublings(b"folder", folder, suffix)
    cost += _SAME_NAME * seen.doublings(b"name", shape)
    if folder:
        parts = folder.split(b"/")
        cost += _SAME_PLACE * seen.doublings(b"place", folder.rpartition(b"/")[0], suffix)
        cost += _SAME_PART * seen.doublings(b"part", *parts[:2], kind.encode())
        cost += _SAME_PATH * max(
            seen.doublings(b"path", *parts[:place], b"", *parts[place + 1 :], shape)
            for place in range(max(0, len(parts) - _FOLDERS_OF_A_PATH), len(parts))
        )
    return cost
