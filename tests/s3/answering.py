"""A server that takes objects down as they arrive, and answers as a test says."""

import hashlib
import socketserver
import ssl
import sys
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self

import trustme


@dataclass(frozen=True, slots=True)
class Received:
    """A request, as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    """By name in lower case, in their order."""
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return the values of every header *name*."""
        return [value for known, value in self.headers if known == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request is answered."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after_bytes: int | None = None
    """Break the connection after so much of the body; with 0 before anything is sent."""


def error(status: int, code: str) -> Answer:
    """Return an error as S3 words it."""
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>m</Message></Error>'
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "application/xml"})


class AnsweringServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1; with *ca* it speaks https.

    The first requests are given *answers*, one each; the others *finally*, or without it what a
    store says that takes everything and has nothing.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        *,
        finally_: Answer | None = None,
        ca: trustme.CA | None = None,
    ) -> None:
        self._answers = deque(answers)
        self._finally = finally_
        self._received: list[Received] = []
        self._lock = threading.Lock()
        self._scheme = "https" if ca else "http"
        super().__init__(("127.0.0.1", 0), _Conversation)
        if ca:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("127.0.0.1").configure_cert(context)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self._accepting = threading.Thread(target=self.serve_forever, args=[0.02])
        self._accepting.start()

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"

    @property
    def received(self) -> list[Received]:
        """Every request so far."""
        with self._lock:
            return list(self._received)

    def take(self, request: Received) -> Answer:
        """Keep *request*, and return what it is answered."""
        with self._lock:
            self._received.append(request)
            if self._answers:
                return self._answers.popleft()
        return self._finally or _as_a_store(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about what clients do to a connection, show our own errors."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self._accepting.join()
        self.server_close()

    def __enter__(self) -> Self:
        return self


def _as_a_store(request: Received) -> Answer:
    match request.method:
        case "PUT":
            digest = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
            return Answer(headers={"ETag": f'"{digest}"'})
        case "DELETE":
            return Answer(status=204)
        case "GET" if "list-type=2" in request.path:
            return Answer(
                body=b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
            )
        case _:
            return error(404, "NoSuchKey")


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AnsweringServer

    def do_PUT(self) -> None:
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.take(Received(self.command, self.path, headers, body))
        self.close_connection = answer.drop_after_bytes is not None
        if answer.drop_after_bytes == 0:
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.drop_after_bytes])

    do_GET = do_HEAD = do_DELETE = do_POST = do_PUT  # noqa: N815 the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Print nothing."""
