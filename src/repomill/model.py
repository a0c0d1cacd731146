"""The values that move between the stages: frozen, and picklable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from repomill.errors import RepoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A repository on a git host, as :func:`repomill.urls.parse` reads it."""

    host: str
    port: int = 443
    owner: str
    """Everything between host and name; holds slashes where there are subgroups."""
    name: str
    ref: str | None = None
    """Branch, tag or full commit SHA; None for what the host calls HEAD."""
    clone_url: str
    """The URL that git is given: as the user spelt it, ``.git`` or not."""
    pushed_at: str | None = None
    """What the feed says of the last push (RFC 3339); like the next two, nothing the host said."""
    description: str | None = None
    """One line, without control characters."""
    license: str | None = None
    """SPDX identifier, or what the feed calls it."""

    @property
    def authority(self) -> str:
        """``host`` or, away from port 443, ``host:port``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"  # noqa: PLR2004 https

    @property
    def url(self) -> str:
        """The canonical URL: parsing it again gives the same repository."""
        suffix = ".git" if self.name.endswith(".git") else ""
        return f"https://{self.authority}/{self.full_name}{suffix}"

    @property
    def full_name(self) -> str:
        """``OWNER/NAME``."""
        return f"{self.owner}/{self.name}"

    def with_ref(self, ref: str | None) -> Repo:
        """Return the same repository at another branch, tag or commit."""
        return replace(self, ref=ref)

    @property
    def key(self) -> str:
        """What names the repository in a store."""
        return self.full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRepo:
    """A repository in a folder of this machine, bare or not; its HEAD is what counts."""

    path: Path

    @property
    def url(self) -> str:
        """What names it in a log."""
        return str(self.path)


class Kind(StrEnum):
    """What an entry of a commit's tree is."""

    FILE = "file"
    LINK = "link"
    SUBMODULE = "submodule"
    FOLDER = "folder"
    """Only where a folder was too deep to be entered."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a commit."""

    path: bytes
    kind: Kind
    oid: str
    size_bytes: int | None
    """None where the blob was not fetched, because it is over the limit."""


class Reason(StrEnum):
    """Why an entry of the commit is not in the digest."""

    TOO_LARGE = "max_file_size"
    PATTERN = "pattern"
    SUBMODULE = "submodule"
    DEPTH = "depth"
    TOTAL_SIZE = "total_size"
    BUDGET = "max_size"


@dataclass(frozen=True, slots=True)
class Omission:
    """An entry that was left out, and why."""

    entry: Entry
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A finished digest."""

    full_name: str
    url: str | None
    commit: str
    body: bytes
    """UTF-8."""
    files: int
    tokens: int
    fingerprint: str
    metadata: Mapping[str, Any]
    """The same facts as data: the content of ``metadata/OWNER/NAME.json``, but for its lists."""
    lists: Mapping[str, Iterable[Mapping[str, Any]]]
    """``manifests``, ``dependencies``, and ``files``: every path of the commit, sorted, with what
    became of it."""


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of a repository that is stored already, with the fingerprint of now."""

    commit: str
    ask_first: bool = False
    """Whether the host is to be asked for its commit before anything is fetched: nothing else
    tells if the repository has changed."""


class Status(StrEnum):
    """What became of a repository."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one repository: all that is said of it afterwards."""

    repo: Repo | LocalRepo
    status: Status
    attempts: int = 1
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage → wall seconds."""
    key: str | None = None
    """Key of the digest in the store, where there is one."""
    commit: str | None = None
    fingerprint: str | None = None
    """Of the digest, where one was stored."""
    tokens: int = 0
    digest_bytes: int = 0
    bytes_stored: int = 0
    """Of all that was stored for it."""
    error: RepoError | None = None
    duration_seconds: float = 0.0
    """From the first attempt to the end, waits included."""

    @property
    def successful(self) -> bool:
        """Whether nothing is left to be done: an empty repository counts."""
        return self.status is not Status.FAILED
