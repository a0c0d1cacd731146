"""Ask a host about a repository with one request of our own, where git's words are too few.

git prints "error: 301" and "error: 429" and no more. Where to, and how long to wait, stands in the
headers. No redirect is followed here: the caller checks the new address first.
"""

from __future__ import annotations

import email.utils
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from repomill import http, urls
from repomill.errors import BadUrlError, BlockedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.deadline import Deadline
    from repomill.model import Repo
    from repomill.network import Route

_SERVICE = "/info/refs?service=git-upload-pack"
_MAX_RETRY_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of the host's answer."""

    status: int
    headers: Mapping[str, str]

    def is_redirect(self) -> bool:
        """Whether it sends the client elsewhere (RFC 9110, 15.4)."""
        return self.status in {301, 302, 303, 307, 308}

    def is_from_git(self) -> bool:
        """Whether it is the smart protocol's (gitprotocol-http(5)), not just any page."""
        content_type = self.headers.get("content-type", "").strip().lower()
        return content_type == "application/x-git-upload-pack-advertisement"

    def retry_after_seconds(self) -> float | None:
        """Return what ``Retry-After`` says (RFC 9110, 10.2.3), or None."""
        value = self.headers.get("retry-after", "").strip()
        if value.isdecimal():
            return min(float(value), _MAX_RETRY_AFTER_SECONDS)
        moment = email.utils.parsedate_tz(value)
        if moment is None:
            return None
        return max(0.0, min(email.utils.mktime_tz(moment) - time.time(), _MAX_RETRY_AFTER_SECONDS))


def ask(
    repo: Repo,
    route: Route,
    *,
    ca_file: str | None,
    authorization: str | None,
    deadline: Deadline,
) -> Answer:
    """Ask for *repo* as git does first, and return the head of the answer.

    Raises NetworkError when the host does not answer, DeadlineError when it is too late to ask.
    """
    headers = {"User-Agent": "git/2 (repomill)"}
    if authorization:
        headers["Authorization"] = authorization
    with http.get_via(
        route,
        _first_request(repo),
        ca_file=ca_file,
        headers=headers,
        timeout_seconds=min(deadline.remaining_seconds(), http.DEFAULT_TIMEOUT_SECONDS),
    ) as response:
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()})


def redirected(repo: Repo, answer: Answer) -> Repo:
    """Return where *answer* sends a client of *repo*; the ref stays.

    Raises BlockedError for anything but https, NotFoundError for what is no repository.
    """
    location = urljoin(f"{repo.clone_url}{_SERVICE}", answer.headers.get("location", ""))
    base, found, _ = location.partition("/info/refs")
    if not base.startswith("https://"):
        raise BlockedError(
            f"the host redirects to {urls.shown(location)}, and only https is followed; "
            "use the repository's own URL"
        )
    try:
        target = urls.parse(base)
    except BadUrlError:
        found = ""
    if not found:
        raise NotFoundError(
            f"the host redirects to {urls.shown(location)}, which is no repository; "
            "check the URL, or give a token"
        )
    return target.with_ref(repo.ref)


def _first_request(repo: Repo) -> http.Url:
    path = repo.clone_url.partition(repo.authority)[2]
    return http.Url(host=repo.host, port=repo.port, target=f"{path}{_SERVICE}")
