"""What becomes of a request: the answer that the script or git has for it."""

import select
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

from repomill.demo.behaviours import (
    Behaviour,
    Corrupt,
    Cut,
    Delay,
    Garbage,
    Redirect,
    RequireToken,
    Stall,
    Status,
)
from repomill.demo.http_backend import Answer, HttpBackend
from repomill.demo.pack_corruption import corrupted
from repomill.demo.request_log import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its body, a real file, and the connection that it came by."""

    request: Request
    body: IO[bytes]
    client: socket.socket


@contextmanager
def answered(
    exchange: Exchange, behaviour: Behaviour | None, backend: HttpBackend
) -> Iterator[Answer]:
    """Yield the answer that *behaviour* makes of git's; its body is good inside the context only.

    Raises ConnectionAbortedError when the client leaves, or where the script has the
    connection end, here or while the body is read.
    """
    answer = _without_git(exchange.request, behaviour)
    if answer:
        yield answer
        return
    if isinstance(behaviour, Delay):
        _hold(exchange.client, behaviour.seconds)
    with backend.answer(exchange.request, exchange.body, exchange.client) as answer:
        yield replace(answer, body=_distorted(answer.body, behaviour, exchange.client))


def _without_git(request: Request, behaviour: Behaviour | None) -> Answer | None:
    match behaviour:
        case Status(code, headers, body):
            return _whole(code, headers, body)
        case Redirect(code=code):
            return _whole(code, {"Location": behaviour.target(request.rest)})
        case Garbage(body, content_type):
            return _whole(200, {"Content-Type": content_type}, body)
        case RequireToken() if not behaviour.admits(request.authorization):
            return _whole(401, {"WWW-Authenticate": 'Basic realm="git"'})
        case _:
            return None


def _whole(code: int, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    return Answer(code=code, headers={"Content-Length": str(len(body)), **headers}, body=[body])


def _distorted(
    body: Iterable[bytes], behaviour: Behaviour | None, client: socket.socket
) -> Iterable[bytes]:
    match behaviour:
        case Corrupt():
            return corrupted(body)
        case Cut(after_bytes):
            return _interrupted(body, after_bytes)
        case Stall(after_bytes):
            return _interrupted(body, after_bytes, hold=client)
        case _:
            return body


def _interrupted(
    body: Iterable[bytes], after_bytes: int, hold: socket.socket | None = None
) -> Iterator[bytes]:
    left_bytes = after_bytes
    for piece in body:
        yield piece[:left_bytes]
        if len(piece) > left_bytes:
            if hold:
                _hold(hold)
            raise ConnectionAbortedError("cut, as the script has it")
        left_bytes -= len(piece)


def _hold(client: socket.socket, seconds: float | None = None) -> None:
    """Wait so long, or for ever. Raises ConnectionAbortedError as soon as the client leaves."""
    poll = select.poll()
    poll.register(client, select.POLLRDHUP)
    if poll.poll(None if seconds is None else seconds * 1000):
        raise ConnectionAbortedError("the client left while it was kept waiting")
