"""Run `git http-backend` for one request, as a CGI program (RFC 3875)."""

import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote

from repomill.demo.request_log import Request

_PIECE_BYTES = 65_536
_END_OF_HEADERS = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, headers, and a body that may still be in the making."""

    code: int
    headers: Mapping[str, str]
    body: Iterable[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpBackend:
    """Serves the repositories below *root* for fetching; *filters* allows partial clones."""

    root: Path
    filters: bool

    @contextmanager
    def answer(self, request: Request, body: IO[bytes], client: socket.socket) -> Iterator[Answer]:
        """Yield git's answer to *request*; on leaving, no process of it is left.

        *body* is a real file, read from its position. Raises ConnectionAbortedError, also while
        the answer's body is read, as soon as the *client* has left; FileNotFoundError if there
        is no git.
        """
        environment = self._environment(request)
        if any("\0" in value for value in environment.values()):
            yield Answer(code=400, headers={}, body=[])
            return
        with _process(environment, body) as output:
            yield _parsed(_pieces(output, client))

    def _environment(self, request: Request) -> dict[str, str]:
        return {
            **_meta_variables(request),
            **_configuration(self._settings()),
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HOME": os.devnull,
            "LC_ALL": "C",
            "PATH": os.environ.get("PATH", os.defpath),
        }

    def _settings(self) -> dict[str, str]:
        return {
            "safe.directory": "*",
            "http.getanyfile": "false",
            "http.receivepack": "false",
            "uploadpack.allowFilter": str(self.filters).lower(),
            "uploadpack.allowAnySHA1InWant": "true",
        }


def _meta_variables(request: Request) -> dict[str, str]:
    headers = request.headers
    protocol_variables = {
        "HTTP_" + name.upper().replace("-", "_"): headers[name]
        for name in ("accept", "content-encoding", "git-protocol")
        if name in headers
    }
    return protocol_variables | {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(request.path, errors="surrogateescape"),
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(request.content_length),
    }


def _configuration(settings: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


@contextmanager
def _process(environment: Mapping[str, str], body: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the output of a backend; on leaving, kill it and wait until its children are gone."""
    # Every descendant inherits `held`, so `alive` reads as ended when the last one is gone.
    alive, held = os.pipe()
    with os.fdopen(alive, "rb") as descendants:
        try:
            process = subprocess.Popen(
                ["git", "http-backend"],
                stdin=body,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                pass_fds=[held],
                start_new_session=True,
            )
        finally:
            os.close(held)
        with process:
            try:
                yield cast("IO[bytes]", process.stdout)  # a pipe, as asked for
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                descendants.read()


def _pieces(output: IO[bytes], client: socket.socket) -> Iterator[bytes]:
    """Yield what a process writes, as it comes. Raises ConnectionAbortedError: client left."""
    poll = select.poll()
    poll.register(output, select.POLLIN)
    poll.register(client, select.POLLRDHUP)
    while True:
        if client.fileno() in dict(poll.poll()):
            raise ConnectionAbortedError("the client left before its answer")
        piece = os.read(output.fileno(), _PIECE_BYTES)
        if not piece:
            return
        yield piece


def _parsed(pieces: Iterator[bytes]) -> Answer:
    """Read the headers off *pieces*. A program that ends before them is a bad gateway: 502."""
    received = b""
    while _END_OF_HEADERS not in received:
        piece = next(pieces, b"")
        if not piece:
            return Answer(code=502, headers={}, body=[])
        received += piece
    head, _, start = received.partition(_END_OF_HEADERS)
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    headers = {name: value.strip() for name, _, value in lines}
    status = headers.pop("Status", "200 OK")
    return Answer(code=int(status.split()[0]), headers=headers, body=chain([start], pieces))
