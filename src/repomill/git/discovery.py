"""Ask a host about a repository with one request of our own, where git's words are too few.

git prints "error: 301" and "error: 429" and no more. Where to, and how long to wait, stands in the
headers. No redirect is followed here: the caller checks the new address first.
"""

from __future__ import annotations

import email.utils
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import urllib3

from repomill import http, urls
from repomill.errors import BadUrlError, BlockedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.deadline import Deadline
    from repomill.model import Repo
    from repomill.network import Route

_SERVICE = "/info/refs?service=git-upload-pack"
# gitprotocol-http(5): the service, a flush, then the references, HEAD before all others.
_HEAD_FIRST = re.compile(
    rb"[0-9a-f]{4}# service=git-upload-pack\n0000[0-9a-f]{4}([0-9a-f]{40}) HEAD\0"
)
_FIRST_BYTES = 256
_OK = 200
_MAX_RETRY_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of the host's answer."""

    status: int
    headers: Mapping[str, str]
    head: str | None = None
    """The commit that HEAD is at, where the first bytes of the body say so."""

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

    Of the body no more is read than it takes to know HEAD: this is all that ``git ls-remote`` would
    be asked for, in one request instead of two, and without a process. Raises NetworkError when
    the host does not answer, DeadlineError when it is too late to ask.
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
        headers = {k.lower(): v for k, v in response.headers.items()}
        return Answer(response.status, headers, _head(response))


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


def _head(response: urllib3.BaseHTTPResponse) -> str | None:
    if response.status != _OK:
        return None
    try:
        found = _HEAD_FIRST.match(response.read(_FIRST_BYTES, decode_content=False))
    except urllib3.exceptions.HTTPError:  # who needs more asks git
        return None
    return found[1].decode() if found else None


def _first_request(repo: Repo) -> http.Url:
    path = repo.clone_url.partition(repo.authority)[2]
    return http.Url(host=repo.host, port=repo.port, target=f"{path}{_SERVICE}")
