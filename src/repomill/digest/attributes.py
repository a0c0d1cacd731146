"""What a commit's .gitattributes say to linguist: origin, purpose, language.

libgit2 could match them, but it also reads the attributes of the machine and of $GIT_DIR/info, and
a pattern of repeated ``*a*a/`` takes it 12 s at six, and ten times longer for each more. Here a
pattern becomes an expression that never takes back a choice, so its time grows with the path alone.

Rules as in gitattributes(5): a file speaks for its folder and below, the nearest one and its last
line first. Macros (``[attr]``) are not followed.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE_NAME = ".gitattributes"
MAX_FILE_BYTES = 512 << 10
"""Of a larger file nothing is read."""
MAX_RULES = 50
"""Of a commit. Later ones are not followed: 50 of the slowest against a million paths take 70 s."""
MAX_PATTERN_LENGTH = 256
_MAX_LINE_LENGTH = 2048
"""As in git, which ignores longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is said of one path; None where nothing is."""

    vendored: bool | None = None
    generated: bool | None = None
    documentation: bool | None = None
    detectable: bool | None = None
    language: str | None = None
    """As written: it may be anything."""


UNMARKED = Marks()
_FLAGS = {f"linguist-{name}": name for name in Marks.__dataclass_fields__ if name != "language"}
_LANGUAGE = "linguist-language"
# **/NAME says the same as NAME, which is matched against each distinct name once.
_WITHOUT_FOLDER = re.compile(r"\A(?:\*{2,}/)+([^/]+)\Z")


class Attributes:
    """The .gitattributes of one commit, as far as they speak to linguist.

    >>> attributes = Attributes([(".gitattributes", b"*.rb linguist-vendored")])
    >>> attributes.marks("lib/a.rb").vendored, attributes.marks("a.py") == UNMARKED
    (True, True)
    """

    def __init__(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Read *files*: the path of each .gitattributes in the commit, and what it holds."""
        nearest_last = sorted(files, key=lambda file: (file[0].count("/"), file[0]))
        rules = (rule for path, content in nearest_last for rule in _read(path, content))
        self._rules = list(islice(rules, MAX_RULES))
        self._by_name = lru_cache(maxsize=1 << 16)(self._rules_about_name)

    def marks(self, path: str) -> Marks:
        """Return what is said of the file *path*."""
        if not self._rules:
            return UNMARKED
        about_name = self._by_name(path.rpartition("/")[2])
        said: dict[str, bool | str | None] = {}
        for rule in self._rules:
            if path.startswith(rule.folder) and (
                rule in about_name or (rule.whole_path and rule.regex.match(path, len(rule.folder)))
            ):
                said |= rule.says
        return replace(UNMARKED, **said) if said else UNMARKED  # type: ignore[arg-type]

    def _rules_about_name(self, name: str) -> frozenset[_Rule]:
        return frozenset(
            rule for rule in self._rules if not rule.whole_path and rule.regex.match(name)
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    folder: str
    """Of the file that it stands in; empty or with a slash at its end."""
    whole_path: bool
    regex: re.Pattern[str]
    says: dict[str, bool | str | None]


def _read(path: str, content: bytes) -> Iterator[_Rule]:
    """Yield the rules of the .gitattributes at *path* that say something to linguist."""
    if b"linguist-" not in content or len(content) > MAX_FILE_BYTES:
        return
    folder = path.removesuffix(FILE_NAME)
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    speaking = (one for one in lines if "linguist-" in one and len(one) <= _MAX_LINE_LENGTH)
    for line in islice(speaking, MAX_RULES):
        pattern, attributes = _split(line.strip(" \t\r"))
        says = dict(filter(None, map(_said, attributes.split())))
        if says and _is_followed(pattern):
            pattern = _WITHOUT_FOLDER.sub(r"\1", pattern)
            with suppress(re.error):  # a pattern that is none matches nothing
                yield _Rule(folder, "/" in pattern, _compile(pattern), says)


def _split(line: str) -> tuple[str, str]:
    """Return a line's pattern, out of its quotes if it has some, and the rest."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*+)"(.*)', line)
    if quoted:
        return re.sub(r"\\([\"\\])", r"\1", quoted[1]), quoted[2]
    pattern, *rest = line.split(None, 1) or [""]
    return pattern, "".join(rest)


def _is_followed(pattern: str) -> bool:
    """Whether *pattern* can match a file: no comment, no negation, no macro, no folder."""
    return (
        0 < len(pattern) <= MAX_PATTERN_LENGTH
        and not pattern.startswith(("#", "!", "[attr]"))
        and not pattern.endswith("/")
    )


def _said(attribute: str) -> tuple[str, bool | str | None] | None:
    """Return the field of Marks that *attribute* sets, and its value; linguist's reading."""
    unset = attribute.startswith("-")
    name, given, value = attribute.lstrip("-!").partition("=")
    if attribute.startswith("!"):
        field = "language" if name == _LANGUAGE else _FLAGS.get(name)
        return (field, None) if field else None
    if name == _LANGUAGE:
        return ("language", value if given and not unset else None)
    if name in _FLAGS:
        return (_FLAGS[name], not unset and value != "false")
    return None


def _compile(pattern: str) -> re.Pattern[str]:
    """Return the expression for *pattern*, matched against a name or, with a slash, a path.

    Each ``**/`` takes the first folders after which what follows it, up to the next one, fits; each
    ``*`` the shortest run. A later choice is never better, so none is taken back. Raises re.error.
    """
    sections = re.split(r"(?:^|(?<=/))(?:\*{2,}/)+", pattern.removeprefix("/"))
    first, *others = map(_section, sections)
    *inner, last = others or [""]
    middle = "".join(f"(?>(?:[^/]*+/)*?{section})" for section in inner)
    end = f"(?:[^/]*+/)*?{last}" if others else ""
    return re.compile(f"{first}{middle}{end}\\Z", re.DOTALL)


def _section(pattern: str) -> str:
    *parents, last = pattern.split("/")
    end = ".+" if re.fullmatch(r"\*{2,}", last) else _part(last)
    return "".join(f"{_part(part)}/" for part in parents) + end


_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<any>\?)|\[(?P<none_of>[!^]?)(?P<set>\]?[^\]]*)\]|(?P<plain>.)", re.DOTALL
)
# Stars, but neither an escaped one nor one of a set.
_STARS = re.compile(r"(\\.|\[[!^]?\]?[^\]]*\])|\*+", re.DOTALL)


def _part(part: str) -> str:
    """Return the expression for a part between slashes."""
    pieces = _STARS.sub(lambda found: found[1] or "\0", part).split("\0")
    first, *others = map(_between_stars, pieces)
    if not others:
        return first
    *inner, last = others
    middle = "".join(f"(?>[^/]*?{piece})" for piece in inner)
    return f"{first}{middle}(?>[^/]*{last}(?=/|\\Z))"


def _between_stars(piece: str) -> str:
    return "".join(map(_one_character, _TOKEN.finditer(piece)))


def _one_character(token: re.Match[str]) -> str:
    if token["any"]:
        return "[^/]"
    if token["set"] is None:
        return re.escape(token["escaped"] or token["plain"])
    if "[:" in token["set"]:
        raise re.error("named classes are not followed")
    members = re.sub(r"[^\w-]", r"\\\g<0>", token["set"])
    return f"(?!/)[{'^' if token['none_of'] else ''}{members}]"
