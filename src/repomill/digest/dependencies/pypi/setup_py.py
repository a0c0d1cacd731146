"""setup.py, by its syntax tree: it is never run.

Source: https://setuptools.pypa.io/en/latest/references/keywords.html. What cannot be
told from its text, such as what a function of its own reads from a file, is said to be missing.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from repomill.digest.dependencies.base import Contents, Counted, ManifestError, Scope, beside
from repomill.digest.dependencies.pypi import included, python_calls, requirement
from repomill.digest.dependencies.pypi.python_values import (
    MAX_STEPS,
    STEPS_OF_CHARACTER,
    STEPS_OF_NONE,
    UNKNOWN,
    Computed,
    Reading,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repomill.digest.dependencies.base import Files

MAX_CHARACTERS = 64 << 10
"""What Python makes a tree of in a quarter of a second, whatever it says."""

MAX_CHARACTERS_TOGETHER = 1_250_000
"""Of all such files of a commit, whoever asks for them."""
MAX_GIVEN = 1 << 20
"""Members of lists and characters that ``setup`` is given, however they came about."""
_SCOPES = {
    "install_requires": Scope.RUNTIME,
    "setup_requires": Scope.BUILD,
    "tests_require": Scope.DEVELOPMENT,
}
_EXTRAS = "extras_require"
_COMPUTED = re.compile(
    r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*((?:[=<>!~]=?=?[^;]*)?)(?:;.*)?",
    re.ASCII | re.DOTALL,
)
"""A requirement in which only the name is certain: ``acme>={version}``."""


@dataclass(frozen=True, slots=True)
class SetupPy:
    """What the calls of ``setup`` are given: keyword → values, a call each."""

    name: str | None = None
    arguments: dict[Any, list[Any]] = field(default_factory=dict)


def parse(text: str) -> SetupPy:
    """Return what the setup.py *text* gives to ``setup``. Raises ManifestError."""
    if len(text) > MAX_CHARACTERS:
        raise ManifestError(f"larger than {MAX_CHARACTERS >> 10} KiB")
    arguments: dict[Any, list[Any]] = {}
    steps = min(MAX_STEPS, STEPS_OF_NONE + STEPS_OF_CHARACTER * len(text))
    for call in python_calls.keywords_of(_tree(text), "setup", steps):
        for keyword in (*_SCOPES, _EXTRAS, "name", UNKNOWN):
            if keyword in call:
                arguments.setdefault(keyword, []).append(call[keyword])
    name = next((one for one in arguments.pop("name", []) if isinstance(one, str)), None)
    return SetupPy(name, arguments)


def parsed(path: str, files: Files) -> SetupPy:
    """Return what the setup.py at *path* gives to ``setup``. Raises ManifestError."""
    counted = Counted(parse, "characters of setup.py", MAX_CHARACTERS_TOGETHER, files)
    return files.parsed(path, counted)


def _tree(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in a stranger's program
            return ast.parse(text)
    except SyntaxError as error:
        raise ManifestError(f"line {error.lineno}: no Python 3: {str(error.msg)[:80]}") from None
    except (MemoryError, RecursionError):
        raise ManifestError("nested too deeply") from None


def read(path: str, files: Files) -> Contents:
    """Return what the setup.py at *path* asks for. Raises ManifestError."""
    program = parsed(path, files)
    reader = _Reader(path, files)
    if UNKNOWN in program.arguments:
        reader.found.note("arguments of setup are worked out by the program")
    for keyword, scope in _SCOPES.items():
        for value in program.arguments.get(keyword, []):
            reader.add(value, scope, keyword)
    for value in program.arguments.get(_EXTRAS, []):
        reader.add_extras(value)
    return Contents(dependencies=reader.found.dependencies, problems=reader.found.problems)


class _Reader:
    def __init__(self, path: str, files: Files) -> None:
        self._path, self._files = path, files
        self._left = MAX_GIVEN
        self.found = requirement.Found()

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise ManifestError("arguments of setup that are too long")

    def add_extras(self, value: object) -> None:
        if not isinstance(value, dict):
            self.found.note(f"{_EXTRAS} is worked out by the program")
            return
        for extra, texts in value.items():
            if extra is UNKNOWN:
                self.found.note(f"{_EXTRAS} is in part worked out by the program")
                continue
            # An extra without a name holds what is conditional: ":python_version<'3'".
            name = extra.partition(":")[0].strip()
            scope = requirement.scope_of_extra(name) if name else Scope.RUNTIME
            self.add(texts, scope, f"extra {requirement.shown(extra)}")

    def add(self, value: object, scope: Scope, where: str) -> None:
        if isinstance(value, Reading):
            self._add_file(value.path, scope, where)
        elif isinstance(value, str | list):
            self._spend(len(value))
            for text in value if isinstance(value, list) else [value]:
                self._add_text(text, scope, where)
        else:
            self.found.note(f"{where} is worked out by the program")

    def _add_file(self, name: str, scope: Scope, where: str) -> None:
        """Add what is in the file that the program reads, beside it or where such files lie."""
        for candidate in (name, f"requirements/{name}"):
            target = beside(self._path, candidate)
            if target is not None and target in self._files:
                included.add_named([candidate], self._path, self._files, scope, self.found)
                return
        self.found.note(f"{where} is worked out by the program")

    def _add_text(self, text: object, scope: Scope, where: str) -> None:
        if isinstance(text, Computed):
            self._add_computed(text, scope, where)
        elif isinstance(text, str):
            self._spend(len(text))
            self.found.add_all(_lines(text), scope, where)
        elif isinstance(text, Reading):
            self._add_file(text.path, scope, where)
        else:
            self.found.note(f"{where} is in part worked out by the program")

    def _add_computed(self, text: str, scope: Scope, where: str) -> None:
        certain = _COMPUTED.fullmatch(text[: requirement.MAX_REQUIREMENT_CHARACTERS])
        if certain is None:
            self.found.note(f"{where} is in part worked out by the program")
        else:
            self.found.add(requirement.named(certain[1], certain[2].strip()), scope)


def _lines(text: str) -> Iterator[str]:
    """Yield the requirements in *text*, a line each, as pkg_resources does."""
    for line in text.splitlines():
        content = line.partition(" #")[0].strip()
        if content and not content.startswith("#"):
            yield content
