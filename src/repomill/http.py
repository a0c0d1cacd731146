"""GET over https, under our network rules: the addresses that were checked, or the proxy.

Nothing is left to urllib3 that could lead elsewhere: it resolves no name, follows no redirect and
tries nothing twice.
"""

from __future__ import annotations

import io
import ssl
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

import urllib3

from repomill import __version__, urls
from repomill.errors import BlockedError, NetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _typeshed import WriteableBuffer

    from repomill.network import NetworkRules, Route

MAX_REDIRECTS = 5
DEFAULT_TIMEOUT_SECONDS = 30.0
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """Where a request goes, and what it asks for."""

    host: str
    """A name, or an address without brackets."""
    port: int = urls.HTTPS_PORT
    target: str
    """Path and query, encoded."""

    @property
    def authority(self) -> str:
        """``host`` or, away from port 443, ``host:port``."""
        return urls.authority(self.host, self.port)

    def __str__(self) -> str:
        return f"https://{self.authority}{self.target}"


def parse(text: str) -> Url:
    """Read *text*; raises UsageError for what is no https URL, or has credentials in it.

    >>> str(parse("https://example.org:8443/some where?q=1#top"))
    'https://example.org:8443/some%20where?q=1'
    """
    try:
        parts = urllib3.util.parse_url(text)
    except urllib3.exceptions.LocationParseError:
        raise UsageError(f"{urls.shown(text)!r} is no URL; check its host and port") from None
    if parts.scheme != "https":
        raise UsageError(f"{urls.shown(text)!r}: only https is fetched; write an https:// URL")
    if parts.auth is not None:
        raise UsageError(f"{urls.shown(text)!r}: take the credentials out of the URL")
    if not parts.host:
        raise UsageError(f"{urls.shown(text)!r} names no host; write https://HOST/PATH")
    return Url(
        host=parts.host.strip("[]"),
        port=urls.HTTPS_PORT if parts.port is None else parts.port,
        target=parts.request_uri,
    )


@contextmanager
def get_following(
    url: Url,
    rules: NetworkRules,
    *,
    headers: Mapping[str, str] = _NO_HEADERS,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Like :func:`get`, but follow redirects, :data:`MAX_REDIRECTS` at the most.

    Each target is checked like a new URL; BlockedError where it cannot be followed. The *headers*
    go to every host on the way, so nothing in them may be secret.
    """
    for _ in range(MAX_REDIRECTS + 1):
        with get(url, rules, headers=headers, timeout_seconds=timeout_seconds) as response:
            location = response.get_redirect_location()
            if not location:
                yield response
                return
        url = _redirected(url, location)
    raise BlockedError(
        f"{url.authority} redirects more than {MAX_REDIRECTS} times; use the final URL"
    )


@contextmanager
def get(
    url: Url,
    rules: NetworkRules,
    *,
    headers: Mapping[str, str] = _NO_HEADERS,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Ask for *url* by the route that *rules* have for its host; see :func:`get_via`."""
    route = rules.route(url.host, url.port)
    with get_via(
        route, url, ca_file=rules.ca_file, headers=headers, timeout_seconds=timeout_seconds
    ) as response:
        yield response


@contextmanager
def get_via(
    route: Route,
    url: Url,
    *,
    ca_file: str | None,
    headers: Mapping[str, str] = _NO_HEADERS,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Ask for *url* by *route*; yield the head of whatever is answered, its body not yet read.

    *timeout_seconds* bounds the connecting, all addresses together, and then each silence.
    Raises NetworkError where nothing is answered.
    """
    sent = {"User-Agent": f"repomill/{__version__}", "Host": url.authority, **headers}
    failure: Exception | None = None
    for pool, target in _ways(route, url, _trusting(ca_file), timeout_seconds):
        with pool:
            try:
                response = pool.request(
                    "GET",
                    target,
                    headers=sent,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            except urllib3.exceptions.HTTPError as error:
                failure = error
                continue
            with closing(response):
                yield response
            return
    raise _unreachable(url, failure)


class Body(io.RawIOBase):
    """The body of a response as it was sent, with any Content-Encoding still on.

    Reading raises NetworkError where it breaks off, stalls, or ends before its Content-Length.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        super().__init__()
        self._response = response

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what has arrived, waiting for one byte at least; 0 at the end."""
        view = memoryview(buffer)
        try:
            data = self._response.read1(len(view), decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise NetworkError(
                f"the connection broke before everything had come ({type(error).__name__}); "
                "try again later"
            ) from error
        view[: len(data)] = data
        return len(data)


def _redirected(url: Url, location: str) -> Url:
    try:
        return parse(urljoin(str(url), location))
    except UsageError as error:
        reason = str(error)
    except ValueError:
        reason = f"{urls.shown(location)!r} is no URL"
    raise BlockedError(
        f"{url.authority} redirects to what is not followed: {reason}; use the final URL"
    )


def _ways(
    route: Route, url: Url, context: ssl.SSLContext, timeout_seconds: float
) -> Iterator[tuple[urllib3.HTTPSConnectionPool | urllib3.ProxyManager, str]]:
    """Yield each way to the host, with what to ask for on it."""
    share = timeout_seconds / max(1, len(route.addresses))
    timeout = urllib3.Timeout(connect=share, read=timeout_seconds)
    if route.proxy:
        yield _proxy(route.proxy, context, timeout), str(url)
    for address in route.addresses:
        pool = urllib3.HTTPSConnectionPool(
            address,
            url.port,
            ssl_context=context,
            timeout=timeout,
            server_hostname=url.host,
            assert_hostname=url.host,
        )
        yield pool, url.target


def _proxy(proxy: str, context: ssl.SSLContext, timeout: urllib3.Timeout) -> urllib3.ProxyManager:
    try:
        auth = urllib3.util.parse_url(proxy).auth
        return urllib3.ProxyManager(
            proxy,
            proxy_headers=urllib3.make_headers(proxy_basic_auth=unquote(auth) if auth else None),
            ssl_context=context,
            timeout=timeout,
        )
    except urllib3.exceptions.HTTPError:
        raise NetworkError("the proxy's URL cannot be used; check https_proxy") from None


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise NetworkError(
            f"no certificates can be read from {ca_file}; check GIT_SSL_CAINFO and SSL_CERT_FILE"
        ) from None


def _unreachable(url: Url, failure: Exception | None) -> NetworkError:
    """Return what *failure* means; its own words may hold a proxy's password."""
    name = type(failure).__name__
    if isinstance(failure, urllib3.exceptions.SSLError):
        return NetworkError(
            f"no trusted connection to {url.authority} ({name}); "
            "check its certificate, or name yours in GIT_SSL_CAINFO"
        )
    if isinstance(failure, urllib3.exceptions.ProxyError):
        return NetworkError(f"the proxy does not lead to {url.authority}; check https_proxy")
    return NetworkError(f"{url.authority} did not answer ({name}); try again later")
