"""What a git host can be told to answer, and the queue of what it was told.

A behaviour is a frozen value; the server interprets it. Of a plain answer of the host,
`Stall`, `Cut` and `Corrupt` change the body and leave status and headers alone.
"""

import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Part: TypeAlias = Literal["any", "info/refs", "git-upload-pack"]


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status, these headers and this body; git is not asked."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Delay:
    """Send nothing, not even headers, for so long; then answer as ever."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Answer up to so many bytes of the body, then hold the connection until the client leaves.

    An answer that has no more than *after_bytes* arrives whole. The headers are always sent;
    a host that does not even send those is a long `Delay`.
    """

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """Answer up to so many bytes of the body, then drop the connection without a goodbye.

    An answer that has no more than *after_bytes* arrives whole.
    """

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client to *location*, where `{rest}` is what followed the repository's name.

    >>> Redirect("https://example.org/new/name{rest}").target("/HEAD")
    'https://example.org/new/name/HEAD'
    """

    location: str
    code: int = 301

    def target(self, rest: str) -> str:
        """Return the location for one request, whose path and query went on with *rest*."""
        return self.location.replace("{rest}", rest)


@dataclass(frozen=True, slots=True)
class Garbage:
    """Answer 200 with a body that is not git's, as a captive portal does."""

    body: bytes
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Damage the pack on its way, leaving the protocol around it sound."""


@dataclass(frozen=True, slots=True)
class RequireToken:
    """Answer 401 unless the token comes as GitHub takes it: Basic, as user `x-access-token`.

    >>> RequireToken("s3cret").admits(None)
    False
    """

    token: str

    def admits(self, authorization: str | None) -> bool:
        """Say whether this Authorization header carries the token."""
        scheme, _, credentials = (authorization or "").partition(" ")
        expected = b64encode(f"x-access-token:{self.token}".encode()).decode()
        return scheme.lower() == "basic" and credentials.strip() == expected


Behaviour: TypeAlias = Status | Delay | Stall | Cut | Redirect | Garbage | Corrupt | RequireToken


@dataclass(slots=True, kw_only=True)
class _Entry:
    behaviour: Behaviour
    times: int | None
    on: Part

    def take(self, part: str) -> bool:
        """Use the entry once if it has uses left and covers *part* of the repository."""
        if self.times == 0 or self.on not in {"any", part}:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Script:
    """The behaviours queued for each repository. Safe to share between threads."""

    def __init__(self) -> None:
        """Start with nothing queued: every repository is answered as git answers."""
        self._entries: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._lock = threading.Lock()

    def add(self, repository: str, behaviour: Behaviour, *, times: int | None, on: Part) -> None:
        """Queue *behaviour* for *times* requests; None is for ever."""
        with self._lock:
            self._entries[repository].append(_Entry(behaviour=behaviour, times=times, on=on))

    def next(self, repository: str, part: str) -> Behaviour | None:
        """Use up one request's worth of the first entry that still holds for *part*."""
        with self._lock:
            entries = self._entries.get(repository, [])
            return next((entry.behaviour for entry in entries if entry.take(part)), None)
