"""What an ecosystem's module is given, and what it gives back.

A module reads manifests of one ecosystem: ``package.json``, say, and the lock file beside it. It
satisfies :class:`Ecosystem`, so adding one means writing a module and naming it in
:data:`repomill.digest.dependencies.ECOSYSTEMS`.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, TypeVarTuple

from packageurl import PackageURL

from repomill.digest import names, text
from repomill.model import Kind

if TYPE_CHECKING:
    from repomill.model import Entry

_Value = TypeVar("_Value")
_About = TypeVarTuple("_About")
_path = attrgetter("path")

MAX_MANIFEST_BYTES = 1 << 20
MAX_LOCK_BYTES = 4 << 20
MAX_READ_BYTES = 48 << 20
"""Of all manifests and lock files of one commit together."""
MAX_KEPT_BYTES = 12 << 20
"""Of texts, what is made of which is kept: the largest repositories known have half of that."""


class ManifestError(Exception):
    """A manifest that cannot be read; its text says why. Costs that manifest alone."""


class Scope(StrEnum):
    """What a dependency is needed for; in the order in which they are printed."""

    RUNTIME = "runtime"
    OPTIONAL = "optional"
    """At run time, for those who want what it is for: extras, peers that need not be there."""
    BUILD = "build"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One direct dependency of a manifest."""

    name: str
    """As its ecosystem writes it: ``@types/node``, ``org.slf4j:slf4j-api``."""
    package: PackageURL = field(hash=False)  # its own hash writes it out, each time
    """Without a version."""
    requirement: str = ""
    """The versions that will do, as written; empty for any, or where another file says it."""
    scope: Scope = Scope.RUNTIME
    resolved: str | None = None
    """The one version that is used, where a lock file or the manifest itself settles it."""
    is_conditional: bool = field(default=False, compare=False)
    """Whether it is asked for under a condition alone, that a lock file need not meet: a marker."""

    @property
    def purl(self) -> str:
        """Package URL, with the version where one is settled: https://github.com/package-url."""
        of = self.package
        qualifiers = tuple(sorted(of.qualifiers.items())) if of.qualifiers else ()
        return _purl((of.type, of.namespace, of.name), self.resolved, qualifiers, of.subpath)


@lru_cache(maxsize=1 << 14)
def _purl(
    path: tuple[str, str | None, str],
    version: str | None,
    qualifiers: tuple[tuple[str, str], ...],
    subpath: str | None,
) -> str:
    """Return a package URL; *path* is its type, namespace and name."""
    return PackageURL(*path, version, dict(qualifiers), subpath).to_string()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a manifest says, as its module reads it; in any order, repeated or not."""

    dependencies: Iterable[Dependency]
    locked_by: str | None = None
    """Path of the lock file that settles versions, if there is one."""
    problems: Sequence[str] = ()
    """What could not be made out, each a line that names it: an included file that is missing."""


class Ecosystem(Protocol):
    """A module that reads the manifests of one ecosystem."""

    @property
    def NAME(self) -> str:  # noqa: N802 a module's constant
        """What people call the ecosystem: ``npm``."""

    @property
    def FILE_NAMES(self) -> str:  # noqa: N802 a module's constant
        r"""Expression that the names of its manifests match, whole: ``package\.json``."""

    @property
    def LOCK_NAMES(self) -> str:  # noqa: N802 a module's constant
        """The same for its lock files; empty where there are none."""

    def claims(self, path: str) -> bool:
        """Whether *path*, whose name matches, is a manifest: a workflow lies in one folder."""

    def read(self, path: str, files: Files) -> Contents:
        """Return what the manifest at *path* says.

        Raises ManifestError or ValueError where it cannot be read.
        """


class Files:
    """The files of a commit, for those who read manifests: each is read once, and bounded.

    Paths are those of the commit, relative to its root and with ``/`` between their parts.
    """

    def __init__(self, entries: Sequence[Entry], read: Callable[[Entry], bytes]) -> None:
        """Give the files among *entries*, which are sorted by path."""
        self._entries = entries
        self._read = read
        self._left_bytes = MAX_READ_BYTES
        self._made: dict[object, Any] = {}
        self._failed: dict[tuple[str, object], _Failed] = {}
        self._kept: dict[tuple[str, object], tuple[Any, int]] = {}
        self._kept_bytes = 0
        self._spent: Counter[str] = Counter()

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._find(path) is not None

    def __iter__(self) -> Iterator[str]:
        """Yield every path, sorted by its bytes."""
        return (names.decode(entry.path) for entry in self._entries if entry.kind is Kind.FILE)

    def parsed(
        self, path: str, parse: Callable[[str], _Value], max_bytes: int = MAX_MANIFEST_BYTES
    ) -> _Value:
        """Return what *parse* makes of the text at *path*: once, while MAX_KEPT_BYTES suffice.

        Past them, what was asked for longest ago is read again, and counts again as read.
        Files that are equal are one file here; so *parse* depends on their text alone.

        Raises ManifestError where the file is missing, too large or no text, and again whatever
        ManifestError or ValueError *parse* raised.
        """
        entry = self._find(path)
        known = (entry.oid if entry else path, parse)
        if known in self._failed:
            raise ManifestError(self._failed[known].reason)
        kept = self._kept.get(known)
        value: _Value | _Failed = kept[0] if kept else self._parse(path, parse, max_bytes)
        if isinstance(value, _Failed):
            self._failed[known] = value
            raise ManifestError(value.reason)
        self._keep(known, value, self.size(path))
        return value

    def _keep(self, known: tuple[str, object], value: object, size: int) -> None:
        """Keep *value*, the latest, and as many before it as there is room for."""
        self._kept_bytes += size - self._kept.pop(known, (None, 0))[1]
        self._kept[known] = (value, size)
        while self._kept_bytes > MAX_KEPT_BYTES:
            _value, freed = self._kept.pop(next(iter(self._kept)))
            self._kept_bytes -= freed

    def once(self, make: Callable[[Files, *_About], _Value], *about: *_About) -> _Value:
        """Return what *make* makes of all the files together: once, however often it is asked.

        Once for each *about*, which it is given too: a path, say.
        """
        known = (make, about)
        if known not in self._made:
            self._made[known] = make(self, *about)
        value: _Value = self._made[known]
        return value

    def spend(self, what: str, count: int, most: int) -> None:
        """Count what is looked at of *what*. Raises ManifestError past *most*, of all manifests.

        For a small one can ask for much that lies elsewhere, and thousands for the same.
        """
        self._spent[what] += count
        if self._spent[what] > most:
            raise ManifestError(f"more than {most} {what} are looked at for one repository")

    def text(self, path: str, max_bytes: int = MAX_MANIFEST_BYTES) -> str:
        """Return the text at *path*, without its byte order mark. Raises ManifestError."""
        entry = self._find(path)
        if entry is None:
            raise ManifestError(f"{names.quote(path)} is not in the repository")
        if entry.size_bytes is None or entry.size_bytes > max_bytes:
            raise ManifestError(f"{names.quote(path)} is larger than {max_bytes >> 10} KiB")
        if entry.size_bytes > self._left_bytes:
            raise ManifestError("the manifests before it hold all that is read of a repository")
        self._left_bytes -= entry.size_bytes
        found = text.decode(self._read(entry))
        if found is None:
            raise ManifestError(f"{names.quote(path)} is no text")
        return found.removeprefix("\ufeff")

    def size(self, path: str) -> int:
        """Return how many bytes the file at *path* has; 0 where there is none, or it is unknown."""
        entry = self._find(path)
        return (entry.size_bytes or 0) if entry else 0

    def nearest(self, path: str, *file_names: str) -> str | None:
        """Return the first of *file_names* in the folder of *path*, else in those above it."""
        folder = posixpath.dirname(path)
        while True:
            for name in file_names:
                candidate = posixpath.join(folder, name)
                if candidate in self:
                    return candidate
            if not folder:
                return None
            folder = posixpath.dirname(folder)

    def _find(self, path: str) -> Entry | None:
        try:
            wanted = path.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return None  # a lone surrogate that stands for no byte
        place = bisect_left(self._entries, wanted, key=_path)
        if place == len(self._entries) or self._entries[place].path != wanted:
            return None
        return self._entries[place] if self._entries[place].kind is Kind.FILE else None

    def _parse(self, path: str, parse: Callable[[str], _Value], max_bytes: int) -> _Value | _Failed:
        try:
            return parse(self.text(path, max_bytes))
        except RecursionError:
            return _Failed(f"{names.quote(path)} is nested too deeply")
        except (ManifestError, ValueError) as error:
            return _Failed(str(error))


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str


@dataclass(frozen=True, slots=True)
class Counted(Generic[_Value]):
    """A parser of whose texts all of *files* together may have *most* of *what*."""

    parse: Callable[[str], _Value]
    what: str
    most: int
    files: Files = field(compare=False)
    count: Callable[[str], int] = len

    def __call__(self, text: str) -> _Value:
        """Return what *parse* makes of *text*. Raises ManifestError, past *most* too."""
        self.files.spend(self.what, self.count(text), self.most)
        return self.parse(text)


def beside(path: str, name: str) -> str | None:
    """Return the path that *name* means in the folder of *path*; None where it leads outside.

    >>> beside("api/requirements.txt", "../common.txt"), beside("setup.py", "../../etc/passwd")
    ('common.txt', None)
    """
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    return None if joined.startswith(("/", "..")) or joined == "." else joined


def mapping(value: object) -> Mapping[str, object]:
    """Return *value* if it is an object as JSON, YAML and TOML have them, else an empty one.

    >>> mapping({"a": 1}), mapping(["a"])
    ({'a': 1}, {})
    """
    if not isinstance(value, Mapping):
        return {}
    if set(map(type, value)) <= {str}:
        return value
    return {key: item for key, item in value.items() if isinstance(key, str)}


def sequence(value: object) -> Sequence[object]:
    """Return *value* if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
