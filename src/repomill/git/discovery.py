"""Ask a host about a repository with one request of our own, where git's words are too few.

git prints "error: 301" and "error: 429" and no more. Where to, and how long to wait, stands in the
headers. No redirect is followed here: the caller checks the new address first.
"""

from __future__ import annotations

import email.utils
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import urllib3

from repomill import urls
from repomill.errors import BadUrlError, BlockedError, NetworkError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.deadline import Deadline
    from repomill.model import Repo
    from repomill.network import Route

_SERVICE = "/info/refs?service=git-upload-pack"
_MAX_SECONDS = 30.0
_MAX_RETRY_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of the host's answer."""

    status: int
    headers: Mapping[str, str]

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
    seconds = min(deadline.remaining_seconds(), _MAX_SECONDS)
    headers = {"User-Agent": "git/2 (repomill)", "Host": repo.authority}
    if authorization:
        headers["Authorization"] = authorization
    context = ssl.create_default_context(cafile=ca_file)
    error: Exception | None = None
    for pool, url in _pools(repo, route, context, seconds):
        with pool:
            try:
                response = pool.request(
                    "GET",
                    url,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            except urllib3.exceptions.HTTPError as failure:
                error = failure
                continue
            response.close()
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()})
    raise NetworkError(f"{repo.authority} did not answer ({type(error).__name__})")


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


def _pools(
    repo: Repo, route: Route, context: ssl.SSLContext, seconds: float
) -> Iterator[tuple[urllib3.HTTPSConnectionPool | urllib3.ProxyManager, str]]:
    """Yield each way to the host, with what to ask for on it."""
    url = f"{repo.clone_url}{_SERVICE}"
    if route.proxy:
        proxy_headers = urllib3.make_headers(
            proxy_basic_auth=urllib3.util.parse_url(route.proxy).auth
        )
        yield (
            urllib3.ProxyManager(
                route.proxy, proxy_headers=proxy_headers, ssl_context=context, timeout=seconds
            ),
            url,
        )
    for address in route.addresses:
        pool = urllib3.HTTPSConnectionPool(
            address,
            repo.port,
            ssl_context=context,
            timeout=seconds,
            server_hostname=repo.host,
            assert_hostname=repo.host,
        )
        yield pool, url.partition(repo.authority)[2]
