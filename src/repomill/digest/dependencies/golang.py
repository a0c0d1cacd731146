"""Go modules: go.mod, whose grammar is at https://go.dev/ref/mod#go-mod-file-grammar.

The version required is the one used: ``go mod tidy`` raises it to what the whole build selects. So
neither go.sum, which lists more than is used, nor go.work, which names modules that have a go.mod
each, is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from packageurl import PackageURL

from repomill.digest import names
from repomill.digest.dependencies.base import Contents, Dependency, Files, ManifestError, Scope

NAME = "Go"
FILE_NAMES = r"go\.mod"
LOCK_NAMES = ""

_MAX_BYTES = 256 << 10
_MAX_REQUIRED = 15_000
_MAX_CHARACTERS = 1_000
"""Of a path that replaces others, each of which has a package URL made of it."""

# Strings, arrows, brackets and commas, words; a comment ends the line.
_TOKEN = re.compile(
    r"""\s*(?:(//.*)|"((?:[^"\\]|\\.)*)"|`([^`]*)`|(=>|[(),\[\]]|(?:(?!//)[^\s"`(),\[\]])+))"""
)
_ARROW = "=>"
_Line = tuple[str, Sequence[str], str, int]


def claims(path: str) -> bool:
    """Take every file so called."""
    del path
    return True


def read(path: str, files: Files) -> Contents:
    """Return the modules that a module requires itself. Raises ManifestError."""
    return Contents(dependencies=files.parsed(path, _parse, _MAX_BYTES))


@dataclass(frozen=True, slots=True)
class _Required:
    path: str
    version: str
    indirect: bool


@dataclass(slots=True)
class _Module:
    """What a go.mod says."""

    required: list[_Required] = field(default_factory=list)
    replaced: dict[tuple[str, str | None], tuple[str, str | None]] = field(default_factory=dict)
    """Path and version, None for any → what is used instead; no version for a folder."""
    excluded: set[tuple[str, str]] = field(default_factory=set)
    tools: list[str] = field(default_factory=list)


def _parse(text: str) -> Sequence[Dependency]:
    module = _Module()
    for verb, words, comment, number in _lines(text):
        match verb, words:
            case _, ["(", ")"]:
                pass
            case "require", [path, version]:
                module.required.append(_Required(path, version, _is_indirect(comment)))
                if len(module.required) > _MAX_REQUIRED:
                    raise ManifestError(f"more than {_MAX_REQUIRED} requirements")
            case "replace", [*old, arrow, new] if arrow == _ARROW and len(old) in {1, 2}:
                module.replaced[old[0], old[1] if len(old) > 1 else None] = (new, None)
            case "replace", [*old, arrow, new, version] if arrow == _ARROW and len(old) in {1, 2}:
                module.replaced[old[0], old[1] if len(old) > 1 else None] = (new, version)
            case "exclude", [path, version]:
                module.excluded.add((path, version))
            case "tool", [path]:
                module.tools.append(path)
            case (("require" | "replace" | "exclude" | "tool"), _):
                raise ManifestError(f"line {number}: {verb} with {len(words)} words")
    return list(_dependencies(module))


def _lines(text: str) -> Iterator[_Line]:
    """Yield the verb, its words, the comment and the number of each line, blocks taken apart."""
    verb = ""
    for number, line in enumerate(text.split("\n"), 1):
        words, comment = _words(line.strip(), number)
        match words:
            case [")"] if verb:
                verb = ""
            case [first, "("] if not verb:
                verb = first
            case [first, *rest] if not verb:
                yield first, rest, comment, number
            case [_, *_]:
                yield verb, words, comment, number
    if verb:
        raise ManifestError(f"the block of {names.quote(names.cut(verb, 40))} does not end")


def _words(line: str, number: int) -> tuple[list[str], str]:
    words: list[str] = []
    place = 0
    while place < len(line):
        found = _TOKEN.match(line, place)
        if found is None:
            raise ManifestError(f"line {number}: a string does not end")
        comment, quoted, raw, bare = found.groups()
        if comment is not None:
            return words, comment
        words.append(next(word for word in (quoted, raw, bare) if word is not None))
        place = found.end()
    return words, ""


def _is_indirect(comment: str) -> bool:
    """Whether a requirement only serves others: as isIndirect of golang.org/x/mod/modfile says."""
    words = comment.removeprefix("//").split()
    return words[:1] == ["indirect"] if len(words) == 1 else words[:1] == ["indirect;"]


def _dependencies(module: _Module) -> Iterator[Dependency]:
    serving = _serving(module.tools, {required.path for required in module.required})
    for required in module.required:
        if not required.indirect or required.path in serving:
            path, version = _used(required, module)
            yield Dependency(
                name=required.path,
                package=_package(path),
                requirement=required.version,
                scope=Scope.DEVELOPMENT if required.indirect else Scope.RUNTIME,
                resolved=version,
            )


def _serving(tools: Iterable[str], modules: set[str]) -> set[str]:
    """Return those of *modules* that hold one of *tools*: the longest path that leads there."""
    longest = max(map(len, modules), default=0)
    found = set()
    for tool in tools:
        path = tool if len(tool) <= longest else tool[: longest + 1].rpartition("/")[0]
        while path and path not in modules:
            path = path.rpartition("/")[0]
        found.add(path)
    return found


def _used(required: _Required, module: _Module) -> tuple[str, str | None]:
    """Return the module that is used for *required*, and its version if it is settled."""
    if (required.path, required.version) in module.excluded:
        return required.path, None
    for version in (required.version, None):
        instead = module.replaced.get((required.path, version))
        if instead is not None:
            is_module = instead[1] is not None and len(instead[0]) <= _MAX_CHARACTERS
            return instead if is_module else (required.path, None)
    return required.path, required.version


def _package(path: str) -> PackageURL:
    namespace, _, name = path.strip("/").rpartition("/")
    return PackageURL(type="golang", namespace=namespace or None, name=name or path)
