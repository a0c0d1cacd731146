"""What a git host was asked, kept for tests to read."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

_PATH = re.compile(
    r"/(?P<repository>.+?)(\.git)?/(?P<part>info/refs|git-[a-z]+-pack|HEAD|objects/.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived, and the status it was answered with.

    >>> Request(method="GET", path="/owner/name.git/HEAD", query="", headers={}).repository
    'owner/name'
    """

    method: str
    path: str
    """As sent: percent-encoded, without the query."""
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    content_length: int = 0
    """Bytes of the body as received: freed of its chunks, still compressed."""
    status: int | None = None
    """None as long as no answer has begun."""

    @property
    def repository(self) -> str:
        """The name that scripts go by: decoded, without a final `.git`."""
        found = _PATH.fullmatch(self.path)
        return unquote(found["repository"] if found else self.path.strip("/").removesuffix(".git"))

    @property
    def part(self) -> str:
        """What is asked of the repository, such as `info/refs`; empty if it is not git's."""
        found = _PATH.fullmatch(self.path)
        return found["part"] if found else ""

    @property
    def rest(self) -> str:
        """What followed the repository: the rest of the path, and the query."""
        return (self.part and f"/{self.part}") + (self.query and f"?{self.query}")

    @property
    def host(self) -> str | None:
        """The Host header."""
        return self.headers.get("host")

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""
        return self.headers.get("authorization")

    @property
    def git_protocol(self) -> str | None:
        """The Git-Protocol header."""
        return self.headers.get("git-protocol")


class RequestLog:
    """The requests in order of arrival. Safe to share between threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._requests: dict[int, Request] = {}
        self._added = 0
        self._changed = threading.Condition()

    def add(self, request: Request) -> int:
        """Append a request that waits for its answer; return what `answer` knows it by."""
        with self._changed:
            self._added += 1
            self._requests[self._added] = request
            self._changed.notify_all()
            return self._added

    def answer(self, number: int, status: int) -> None:
        """Note that an answer has begun. A request that was cleared meanwhile stays away."""
        with self._changed:
            if number in self._requests:
                self._requests[number] = replace(self._requests[number], status=status)
                self._changed.notify_all()

    def all(self) -> list[Request]:
        """Return a copy of the requests so far."""
        with self._changed:
            return list(self._requests.values())

    def clear(self) -> None:
        """Forget every request so far."""
        with self._changed:
            self._requests.clear()

    def wait(self, count: int, *, answered: bool, timeout_seconds: float) -> list[Request]:
        """Return the requests as soon as *count* came (*answered*: began to be answered).

        Raises TimeoutError.
        """

        def enough() -> bool:
            requests = self._requests.values()
            return sum(not answered or r.status is not None for r in requests) >= count

        with self._changed:
            if not self._changed.wait_for(enough, timeout_seconds):
                raise TimeoutError(f"{count} requests were expected, {len(self._requests)} came")
            return list(self._requests.values())
