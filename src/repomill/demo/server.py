"""The TLS server of a git host: reads requests, logs them, and sends what answers them."""

import socket
import socketserver
import ssl
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from tempfile import TemporaryFile
from typing import IO, TypeAlias

from repomill.demo.answers import Exchange, answered
from repomill.demo.behaviours import Script
from repomill.demo.http_backend import Answer, HttpBackend
from repomill.demo.message_body import chunk, received
from repomill.demo.request_log import Request, RequestLog

_Accepted: TypeAlias = socket.socket | tuple[bytes, socket.socket]  # as socketserver has it

_SECONDS_BETWEEN_LOOKS_AT_SHUTDOWN = 0.02


class Server(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1; each connection has its own thread.

    Not http.server's, which looks up the machine's name in the DNS before it listens.
    """

    request_queue_size = 128
    daemon_threads = False  # server_close waits for no daemons

    def __init__(self, tls: ssl.SSLContext, backend: HttpBackend) -> None:
        """Listen, and start to serve."""
        self.backend = backend
        self.log = RequestLog()
        self.script = Script()
        self._tls = tls
        self._connections: dict[object, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Conversation)
        self._accepting = threading.Thread(
            target=self.serve_forever, args=[_SECONDS_BETWEEN_LOOKS_AT_SHUTDOWN], daemon=True
        )
        self._accepting.start()

    def close(self) -> None:
        """Drop every connection; return when all threads and processes have ended."""
        self.shutdown()
        self._accepting.join()
        with self._lock:
            for connection in self._connections.values():
                _drop(connection)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection; the first read, in the connection's thread, shakes hands."""
        accepted, address = super().get_request()
        connection = self._tls.wrap_socket(
            accepted, server_side=True, do_handshake_on_connect=False
        )
        with self._lock:
            self._connections[connection] = connection
        return connection, address

    def close_request(self, request: _Accepted) -> None:
        """Close a connection, once it can no longer be dropped by `close`."""
        with self._lock:
            self._connections.pop(request, None)
        super().close_request(request)

    def handle_error(self, request: _Accepted, client_address: object) -> None:
        """Keep quiet about what clients and the script do to a connection, show our own errors."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


def _drop(connection: socket.socket) -> None:
    with suppress(OSError):  # the client was faster
        # Not SSLSocket.shutdown: it takes the TLS state away from the thread that is using it.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Conversation(BaseHTTPRequestHandler):
    """One connection: request after request, each answered before the next is read."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    connection: socket.socket

    def do_GET(self) -> None:
        """Answer one request, whatever its method."""
        if self.request_version != self.protocol_version:
            self.send_error(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
            return
        with TemporaryFile() as body:
            try:
                body.writelines(received(self.rfile, self._headers()))
            except ValueError:
                self.send_error(HTTPStatus.BAD_REQUEST)
                return
            request = self._request(content_length=body.tell())
            body.seek(0)
            self._answer(request, body)

    do_HEAD = do_POST = do_GET  # noqa: N815 -- the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Print nothing: the request log is for that."""

    def _request(self, *, content_length: int) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers=self._headers(),
            content_length=content_length,
        )

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, request: Request, body: IO[bytes]) -> None:
        number = self.server.log.add(request)
        behaviour = self.server.script.next(request.repository, request.part)
        exchange = Exchange(request=request, body=body, client=self.connection)
        with answered(exchange, behaviour, self.server.backend) as answer:
            self.server.log.answer(number, answer.code)
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        is_chunked = "Content-Length" not in answer.headers
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in filter(None, answer.body):
            self.wfile.write(chunk(piece) if is_chunked else piece)
        if is_chunked:
            self.wfile.write(chunk(b""))
