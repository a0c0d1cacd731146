"""setup.cfg, as setuptools reads it.

Source: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html, setuptools'
``setupcfg.py`` and Python's ``configparser.py``. That is not used: its work on a damaged file grows
with the square of the errors, and its interpolation can make a gigabyte of a kilobyte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import Contents, ManifestError, Scope
from repomill.digest.dependencies.pypi import included, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.digest.dependencies.base import Files

MAX_CHARACTERS = 256 << 10

_HEADER = re.compile(r"\[([^\]]+)\]")
_OPTION = re.compile(r"([^=:]*)[=:](.*)")
_WANTED = frozenset({"metadata", "options", "options.extras_require"})
_SCOPES = {
    "install_requires": Scope.RUNTIME,
    "setup_requires": Scope.BUILD,
    "tests_require": Scope.DEVELOPMENT,
}


@dataclass(frozen=True, slots=True)
class SetupCfg:
    """What a setup.cfg says of dependencies: values as they are written."""

    name: str | None
    options: Mapping[str, str]
    extras: Mapping[str, str]


def parse(text: str) -> SetupCfg:
    """Return what the setup.cfg *text* says. Raises ManifestError."""
    if len(text) > MAX_CHARACTERS:
        raise ManifestError(f"larger than {MAX_CHARACTERS >> 10} KiB")
    sections: dict[str, dict[str, list[str]]] = {name: {} for name in _WANTED}
    for section, option, line in _values(text):
        if section in _WANTED:
            sections[section].setdefault(option, []).append(line)
    values = {
        name: {option: "\n".join(lines).strip() for option, lines in options.items()}
        for name, options in sections.items()
    }
    return SetupCfg(
        name=values["metadata"].get("name"),
        options=values["options"],
        extras=values["options.extras_require"],
    )


def _values(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, option and value of each line; what is indented more goes on with a value."""
    section = option = ""
    indent = 0
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if not content or content.startswith(("#", ";")):
            continue
        here = len(line) - len(line.lstrip())
        if option and here > indent:
            yield section, option, content
            continue
        indent = here
        if header := _HEADER.match(content):
            section, option = header[1], ""
        elif section and (found := _OPTION.match(content)):
            option = found[1].strip()
            yield section, option, found[2].strip()
        else:
            raise ManifestError(f"line {number}: {requirement.shown(content)} is no option")


def read(path: str, files: Files) -> Contents:
    """Return what the setup.cfg at *path* asks for. Raises ManifestError."""
    config = files.parsed(path, parse)
    found = requirement.Found()
    wanted = [(option, scope, config.options.get(option, "")) for option, scope in _SCOPES.items()]
    for extra, value in config.extras.items():
        wanted.append((f"extra {extra}", requirement.scope_of_extra(extra), value))
    for where, scope, value in wanted:
        if value.startswith("file:"):
            named = map(str.strip, re.split("[,\n]", value.removeprefix("file:")))
            included.add_named(named, path, files, scope, found)
        else:
            separator = "\n" if "\n" in value else ";"
            texts = filter(None, map(str.strip, value.split(separator)))
            found.add_all(texts, scope, where)
    return Contents(dependencies=found.dependencies, problems=found.problems)
