"""Where feeds come from: a file, stdin or an https URL."""

from __future__ import annotations

import io
import re
import sys
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import stamina

from repomill import http, urls
from repomill.errors import BlockedError, FeedError, NetworkError
from repomill.retry import FIRST_DELAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse

    from repomill.network import NetworkRules

DEFAULT_FEED = (
    "https://uk-x-gov-software-community.github.io/xgov-opensource-repo-scraper/repos.json"
)

_ATTEMPTS = 3
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HEADERS = {"Accept-Encoding": "gzip"}
"""What is encoded so is recognised by its first bytes, like a file."""


@contextmanager
def opened(source: str, rules: NetworkRules) -> Iterator[BinaryIO]:
    """Open the feed *source*: a path, ``-`` for stdin, or an https URL.

    Raises UsageError for another kind of URL, FeedError where there is nothing to read. A stream
    from the network raises NetworkError where it breaks off; :func:`~repomill.feed.read` turns
    that into a FeedError once it has given what came before.
    """
    if source == "-":
        yield sys.stdin.buffer
    elif _SCHEME.match(source):
        with ExitStack() as stack:
            yield _download(http.parse(source), rules, stack)
    else:
        with _file(source) as file:
            yield file


def _file(source: str) -> BinaryIO:
    try:
        return Path(source).open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise FeedError(
            f"the feed {source!r} cannot be opened ({reason}); "
            "give a path, an https:// URL, or - for stdin"
        ) from None


def _download(url: http.Url, rules: NetworkRules, stack: ExitStack) -> BinaryIO:
    """Return the body of what answers, which *stack* closes."""
    attempts = stamina.RetryingCaller(
        attempts=_ATTEMPTS,
        timeout=None,
        wait_initial=FIRST_DELAY_SECONDS,
        wait_max=FIRST_DELAY_SECONDS * 2,
        wait_jitter=0,
    )
    try:
        response = attempts(NetworkError, lambda: stack.enter_context(_answer(url, rules)))
    except (NetworkError, BlockedError) as error:
        raise FeedError(f"the feed cannot be fetched: {error}") from error
    return io.BufferedReader(http.Body(response))


@contextmanager
def _answer(url: http.Url, rules: NetworkRules) -> Iterator[BaseHTTPResponse]:
    """Yield the response; NetworkError for one that may be another in a moment."""
    with http.get_following(url, rules, headers=_HEADERS) as response:
        status = response.status
        if status == HTTPStatus.OK:
            yield response
            return
        said = f"{urls.shown(str(url))} answers {status}"
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NetworkError(f"{said}; try again later")
        raise FeedError(f"{said}; check the URL of the feed")
