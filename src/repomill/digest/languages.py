"""What a file is by its name alone: its language as GitHub writes it, data, prose or binary.

identify knows which names and suffixes belong together; language_names what GitHub calls them, and
what it counts: its bar of languages shows programming and markup, while data and prose count only
where an attribute says so. HTML+ERB and its kin, which GitHub shows as HTML, keep their own names:
they tell what renders a site.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from identify.extensions import EXTENSIONS, NAMES

from repomill.digest import language_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_NAMED = 6
"""Languages that a description names; the others are summed up."""
MIN_NAMED_SHARE = 0.005


class Type(StrEnum):
    """What a file is for, roughly."""

    CODE = "code"
    """Programming and markup: what GitHub counts."""
    DATA = "data"
    PROSE = "prose"
    BINARY = "binary"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FileType:
    """What a name says about its file."""

    type: Type
    language: str | None = None
    """As GitHub writes it; also of data and prose, where it has a name for them."""


_UNKNOWN = FileType(Type.UNKNOWN)


def _by_tags(tags: Iterable[str]) -> FileType:
    present = set(tags)
    if "binary" in present:
        return FileType(Type.BINARY)
    for type_, table in (
        (Type.CODE, language_names.CODE),
        (Type.DATA, language_names.DATA),
        (Type.PROSE, language_names.PROSE),
    ):
        for tag, language in table.items():
            if tag in present:
                return FileType(type_, language)
    return _UNKNOWN


def _suffixes() -> dict[str, FileType]:
    found = {suffix: _by_tags(tags) for suffix, tags in EXTENSIONS.items()}
    more = (
        (Type.CODE, language_names.MORE_CODE),
        (Type.DATA, language_names.MORE_DATA),
        (Type.PROSE, language_names.MORE_PROSE),
    )
    for type_, table in more:
        for language, suffixes in table.items():
            found |= dict.fromkeys(suffixes.split(), FileType(type_, language))
    return found | dict.fromkeys(language_names.MORE_BINARY.split(), FileType(Type.BINARY))


_BY_SUFFIX = _suffixes()
_BY_NAME = {name: _by_tags(tags) for name, tags in NAMES.items()} | {
    name: FileType(Type.CODE, language) for name, language in language_names.MORE_NAMES.items()
}
# linguist-language takes names without regard to case, with - for spaces, and suffixes as aliases.
_BY_ALIAS = {suffix: found for suffix, found in _BY_SUFFIX.items() if found.language} | {
    found.language.lower().replace(" ", "-"): found
    for found in (*_BY_SUFFIX.values(), *_BY_NAME.values())
    if found.language
}


def file_type(name: str) -> FileType:
    """Return what the file *name*, or a path that ends with it, is.

    >>> file_type("app/assets/logo.PNG").type, file_type("Dockerfile.dev").language
    (<Type.BINARY: 'binary'>, 'Dockerfile')
    """
    name = name.rpartition("/")[2]
    found = _BY_NAME.get(name)
    if found is not None:
        return found
    stem, dot, suffix = name.rpartition(".")
    suffix = suffix.lower()
    if not dot:
        return _UNKNOWN
    before = stem.rpartition(".")[2].lower()
    return (
        _BY_SUFFIX.get(f"{before}.{suffix}")
        or _BY_SUFFIX.get(suffix)
        or _BY_NAME.get(stem.partition(".")[0], _UNKNOWN)  # Dockerfile.dev
    )


def language(name: str) -> str | None:
    """Return the language of a file as GitHub names it; None for data, prose and what is unknown.

    >>> [language(name) for name in ("index.html.erb", "main.tf", "Rakefile", "data.json")]
    ['HTML+ERB', 'HCL', 'Ruby', None]
    """
    found = file_type(name)
    return found.language if found.type is Type.CODE else None


def attributed_language(name: str, *, stated: str | None, detectable: bool | None) -> str | None:
    """Return the language of a file that has attributes, by linguist's rules; None: not counted.

    *stated* is its ``linguist-language``, which counts only where it is a language that is known
    here; *detectable* is ``linguist-detectable``, which counts data and leaves out code.
    """
    alias = (stated or "").lower().replace(" ", "-")
    found = _BY_ALIAS.get(alias) or file_type(name)
    counts = found.type is Type.CODE if detectable is None else detectable
    return found.language if counts else None


def is_binary(name: str) -> bool:
    """Whether the name is one of an image, a font, an archive, an office document."""
    return file_type(name).type is Type.BINARY


def is_data(name: str) -> bool:
    """Whether the name is one of data that is text: JSON, CSV, XML, YAML."""
    return file_type(name).type is Type.DATA


def is_prose(name: str) -> bool:
    """Whether the name is one of text for people: Markdown, reStructuredText, plain text."""
    return file_type(name).type is Type.PROSE


def shares(
    sizes: Iterable[tuple[str, int]], language_of: Callable[[str], str | None] = language
) -> list[tuple[str, float]]:
    """Return the languages of files, given as name and bytes, with their share of the bytes (0-1).

    The biggest comes first, equal ones by name. Files without a language do not count.

    >>> shares([("a.rb", 3), ("b.js", 1), ("c.json", 9)])
    [('Ruby', 0.75), ('JavaScript', 0.25)]
    """
    totals: Counter[str] = Counter()
    for name, size_bytes in sizes:
        found = language_of(name)
        if found is not None:
            totals[found] += size_bytes
    whole = totals.total()
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [(name, size_bytes / whole) for name, size_bytes in ordered if size_bytes]


def describe(shares: Sequence[tuple[str, float]]) -> str:
    """Return *shares* in one line whose percentages add up to 100; empty where there are none.

    >>> describe([("Ruby", 2 / 3), ("HTML", 0.33), ("Shell", 1 / 300)])
    'Ruby 66.7%, HTML 33.0%, other 0.3%'
    """
    named = [(name, share) for name, share in shares if share >= MIN_NAMED_SHARE][:MAX_NAMED]
    unnamed = sum(share for _, share in shares[len(named) :])
    parts = [*named, ("other", unnamed)] if unnamed else named
    permille = _rounded([share for _, share in parts])
    return ", ".join(
        f"{name} {tenths // 10}.{tenths % 10}%"
        for (name, _), tenths in zip(parts, permille, strict=True)
        if tenths
    )


def _rounded(shares: Sequence[float]) -> list[int]:
    """Return *shares* in thousandths that add up to 1,000, by the largest remainders."""
    exact = [round(share * 1000, 6) for share in shares]
    floors = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: floors[place] - exact[place])
    for place in by_remainder[: 1000 - sum(floors)]:
        floors[place] += 1
    return floors
