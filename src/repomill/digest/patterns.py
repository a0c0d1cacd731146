"""Match paths against gitignore patterns, compiled once.

Most patterns name a single part of a path (``node_modules``, ``*.map``). Those are matched against
each distinct name once instead of against every path: 21,715 paths against gitingest's 130 default
patterns take 4 s one by one and a twentieth of that this way.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from repomill.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class Patterns:
    """An ordered list of patterns in gitignore syntax; the last that matches decides.

    As in git, what lies in an excluded folder stays excluded, whatever later patterns say.

    >>> patterns = Patterns(["*.log", "!keep.log", "build/"])
    >>> [patterns.match(path) for path in ("a/b.log", "keep.log", "a/build/x.c", "build")]
    [True, False, True, False]
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """Compile *lines*. Raises UsageError naming the line that is no pattern."""
        rules = [
            rule
            for positive, run in groupby(map(_compile, lines), key=lambda pattern: pattern.include)
            if positive is not None
            for rule in _rules(list(run), positive=positive)
        ]
        self._last_first = rules[::-1]
        self._rules_about = lru_cache(maxsize=1 << 16)(self._find_rules_about)
        self._match_folder = lru_cache(maxsize=1 << 16)(self.match)

    def match(self, path: str) -> bool:
        """Whether the file *path*, or a folder above it, matches; a folder ends with a slash."""
        parent = path.rstrip("/").rpartition("/")[0]
        if parent and self._match_folder(f"{parent}/"):
            return True
        about_name = self._rules_about(path[len(parent) + 1 :] if parent else path)
        for rule in self._last_first:
            if rule in about_name or (rule.whole_path and rule.regex.match(path)):
                return rule.positive
        return False

    def _find_rules_about(self, name: str) -> frozenset[_Rule]:
        """Return the rules about single names that *name* matches."""
        rules = (rule for rule in self._last_first if not rule.whole_path)
        return frozenset(rule for rule in rules if rule.regex.match(name))


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """Patterns that follow each other and say the same, as one expression."""

    positive: bool
    whole_path: bool
    regex: re.Pattern[str]


def _compile(line: str) -> GitIgnoreSpecPattern:
    try:
        with warnings.catch_warnings():
            # Python warns where a set of characters reads otherwise elsewhere: [[:alpha:]], say.
            warnings.simplefilter("error", FutureWarning)
            return GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error, FutureWarning) as error:
        raise UsageError(f"{line!r} is no gitignore pattern: {error}") from None


def _rules(patterns: list[GitIgnoreSpecPattern], *, positive: bool) -> Iterable[_Rule]:
    """Yield one rule for all patterns about single names, and one for all about paths."""
    for whole_path in (False, True):
        sources = [
            _whole(pattern.regex.pattern)
            for pattern in patterns
            if pattern.regex and _is_about_path(str(pattern.pattern)) is whole_path
        ]
        if sources:
            yield _Rule(positive, whole_path, re.compile("|".join(sources), re.DOTALL))


def _whole(source: str) -> str:
    """Return pathspec's expression, which also matches what lies below, for the entry alone.

    What lies below an excluded folder is never asked about, as in git. A folder ends with a slash.
    """
    source = _GROUP_NAME.sub("(?:", source)
    if source == "(?:/)":
        return r".*/\Z"
    if source == "/":
        return ".+/."
    if source.endswith("(?:(?:/)|$)"):
        return source.removesuffix("(?:(?:/)|$)") + r"/?\Z"
    if source.endswith("(?:/)"):
        return source + r"\Z"
    return source + "." if source.endswith("/") else source


def _is_about_path(line: str) -> bool:
    return "/" in line.strip().rstrip("/") or "**" in line
