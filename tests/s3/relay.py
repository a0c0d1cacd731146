"""A connection that damages what it carries."""

import select
import socket
import socketserver
import ssl
import sys
import threading
from types import TracebackType
from typing import Self

import trustme

_CHUNK_BYTES = 65_536
_PATIENCE_SECONDS = 100


class Relay(socketserver.ThreadingTCPServer):
    """Carries connections to *port* of 127.0.0.1; the first time that *damage* is in what a client
    sends, it arrives with its bits turned over.

    With *ca* clients speak https to it, and what is behind it hears http.
    """

    daemon_threads = True

    def __init__(self, port: int, *, damage: bytes, ca: trustme.CA | None = None) -> None:
        self.port = port
        self.damaged = 0
        """How often it did."""
        self._damage = damage
        self._once_more = True
        self._lock = threading.Lock()
        self._scheme = "https" if ca else "http"
        super().__init__(("127.0.0.1", 0), _Connection)
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

    def damage_once_more(self) -> None:
        """Do it again, the next time."""
        self._once_more = True

    def carried(self, data: bytes) -> bytes:
        """Return what arrives of *data*."""
        # A header may hold the same word, but not the end of what is sent.
        with self._lock:
            if self._once_more and data.endswith(self._damage):
                self._once_more = False
                self.damaged += 1
                turned = bytes(byte ^ 0xFF for byte in self._damage)
                return data.removesuffix(self._damage) + turned
        return data

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about what clients do to a connection, show our own errors."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self._accepting.join()
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Relay
    request: socket.socket

    def handle(self) -> None:
        near = self.request
        with socket.create_connection(("127.0.0.1", self.server.port)) as far:
            while select.select([near, far], [], [], _PATIENCE_SECONDS)[0]:
                if select.select([far], [], [], 0)[0]:
                    data = far.recv(_CHUNK_BYTES)
                    near.sendall(data)
                else:
                    data = near.recv(_CHUNK_BYTES)
                    far.sendall(self.server.carried(data))
                if not data:
                    return
