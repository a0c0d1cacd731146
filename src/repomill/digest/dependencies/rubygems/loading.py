"""What a Gemfile or a gemspec takes over from gemspecs that it loads and folders that it lists."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from repomill.digest import names
from repomill.digest.dependencies.base import Files, ManifestError, beside
from repomill.digest.dependencies.rubygems import folders, gemspec, ruby
from repomill.digest.dependencies.rubygems.gemfile import Gemfile
from repomill.digest.dependencies.rubygems.ruby_values import LOADERS, Unknown

if TYPE_CHECKING:
    from repomill.digest.dependencies.rubygems.ruby_values import Ask, Spend, Value

_MAX_DEPTH = 2
_MAX_LOADED = 50
MAX_STEPS_TOGETHER = 1_000_000
"""Of all Ruby files of a commit."""
_Said = TypeVar("_Said", Gemfile, gemspec.Gemspec)
_Said_co = TypeVar("_Said_co", Gemfile, gemspec.Gemspec, covariant=True)


class Parse(Protocol[_Said_co]):
    """Reads a file: a Gemfile, or a gemspec."""

    def __call__(self, text: str, ask: Ask | None = None, spend: Spend | None = None) -> _Said_co:
        """Return what *text* says, with what *ask* gives. Raises ManifestError."""


def read(path: str, files: Files, parse: Parse[_Said], depth: int = _MAX_DEPTH) -> _Said:
    """Return what the file at *path* says, with what it loads and lists. Raises ManifestError.

    Gemspecs may load others, *depth* deep.
    """
    said = files.parsed(path, _Alone(parse, files), ruby.MAX_BYTES)
    if not said.loads:
        return said
    folder = posixpath.dirname(path)
    return files.parsed(path, _InFolder(parse, folder, depth, files), ruby.MAX_BYTES)


def _spend(files: Files, steps: int) -> None:
    files.spend("steps of Ruby", steps, MAX_STEPS_TOGETHER)


@dataclass(frozen=True, slots=True)
class _Alone(Generic[_Said]):
    """Parses a file without what it loads."""

    parse: Parse[_Said]
    files: Files = field(compare=False)

    def __call__(self, text: str) -> _Said:
        return self.parse(text, None, partial(_spend, self.files))


@dataclass(frozen=True, slots=True)
class _InFolder(Generic[_Said]):
    """Parses the files of one folder: equal files there load the same."""

    parse: Parse[_Said]
    folder: str
    depth: int
    files: Files = field(compare=False)

    def __call__(self, text: str) -> _Said:
        loaded: dict[str, Value] = {}
        problems: list[str] = []

        def ask(method: str, path: str) -> Value:
            if method not in LOADERS:
                return folders.answer(self.files, self.folder, method, path)
            if path not in loaded and len(loaded) < _MAX_LOADED:
                loaded[path] = self._load(path, problems)
            return loaded.get(path, Unknown())

        said: _Said = self.parse(text, ask, partial(_spend, self.files))
        return replace(said, problems=tuple(dict.fromkeys((*problems, *said.problems))))

    def _load(self, path: str, problems: list[str]) -> Value:
        target = beside(posixpath.join(self.folder, "*"), path)
        if target is None or self.depth == 0:
            why = "is not in the repository" if target is None else "is loaded too deeply to follow"
            problems.append(f"{names.quote(path)} {why}")
            return Unknown()
        try:
            said: gemspec.Gemspec = read(target, self.files, gemspec.parse, self.depth - 1)
        except ManifestError as error:
            problems.append(str(error))
            return Unknown()
        problems += (f"{names.quote(path)}: {problem}" for problem in said.problems[:1])
        return said.record()
