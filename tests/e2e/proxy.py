"""An HTTP proxy that tunnels: what stands between many machines and the internet."""

import base64
import select
import socket
import socketserver
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_CHALLENGE = 'Proxy-Authenticate: Basic realm="proxy"'
_NO_BODY = "Content-Length: 0"
_CHUNK_BYTES = 65_536
_PATIENCE_SECONDS = 100


class Proxy(socketserver.ThreadingTCPServer):
    """Answers CONNECT (RFC 9110, 9.3.6) on a free port of 127.0.0.1.

    Every tunnel ends at 127.0.0.1 on the port that was asked for, or the one *ports* has for that
    authority. With *credentials*, ``USER:PASSWORD``, it wants exactly those.
    """

    def __init__(
        self, *, ports: Mapping[str, int] | None = None, credentials: str | None = None
    ) -> None:
        self.ports = ports or {}
        self.expected = credentials and f"Basic {base64.b64encode(credentials.encode()).decode()}"
        self.asked: list[str] = []
        """The authorities that were asked for, with the right credentials."""
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self._accepting = threading.Thread(target=self.serve_forever, args=[0.02])
        self._accepting.start()

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._accepting.join()
        self.server_close()


class _Tunnel(socketserver.StreamRequestHandler):
    server: Proxy
    timeout = _PATIENCE_SECONDS

    def handle(self) -> None:
        while request := self.rfile.readline().decode("latin-1"):
            expected = self.server.expected
            if expected and self._headers().get("proxy-authorization") != expected:
                self._answer("407 Proxy Authentication Required", _CHALLENGE, _NO_BODY)
                continue
            method, authority, _ = request.split()
            assert method == "CONNECT"
            self.server.asked.append(authority)
            port = self.server.ports.get(authority) or int(authority.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as far:
                self._answer("200 Connection established")
                _pump(self.connection, far)
            return

    def _headers(self) -> dict[str, str]:
        lines = iter(lambda: self.rfile.readline().decode("latin-1").strip(), "")
        pairs = (line.partition(":") for line in lines)
        return {name.lower(): value.strip() for name, _, value in pairs}

    def _answer(self, status: str, *headers: str) -> None:
        self.wfile.write("\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode())


def _pump(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    others = {near: far, far: near}
    while True:
        ready, _, _ = select.select([near, far], [], [], _PATIENCE_SECONDS)
        if not ready:
            return
        for side in ready:
            try:
                data = side.recv(_CHUNK_BYTES)
                others[side].sendall(data)
            except OSError:
                return
            if not data:
                return
