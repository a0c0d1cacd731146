"""A server that passes every request on to an S3 server, and takes down what was asked."""

import http.client
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.s3.answering import Answer, AnsweringServer, Received

_PATIENCE_SECONDS = 100
_OF_THE_CONNECTION = {"connection", "content-length", "expect", "transfer-encoding"}
_WRITING = {"PUT", "POST", "DELETE"}


class Recorder(AnsweringServer):
    """Stands before the S3 server at *port* of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def take(self, request: Received) -> Answer:
        """Keep *request*, and return what the server answers it."""
        super().take(request)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECONDS)
        try:
            return _ask(connection, request)
        finally:
            connection.close()

    def writes(self) -> list[tuple[str, str]]:
        """Return what was done to which key, in order: ``written``, ``refreshed``, ``removed``."""
        return [
            (_deed(request), unquote(urlsplit(request.path).path).split("/", 2)[2])
            for request in self.received
            if request.method in _WRITING
        ]

    def clear(self) -> None:
        """Forget every request so far."""
        with self._lock:
            self._received.clear()

    def __enter__(self) -> Self:
        return self


def _ask(connection: http.client.HTTPConnection, request: Received) -> Answer:
    """Return the answer to *request*, whose headers go on as they were signed, Host among them."""
    connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        if name not in _OF_THE_CONNECTION:
            connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body)
    answer = connection.getresponse()
    body = answer.read()
    if request.method == "HEAD":  # of its body the length alone is sent
        body = bytes(int(answer.headers.get("Content-Length", 0)))
    kept = {n: v for n, v in answer.headers.items() if n.lower() not in _OF_THE_CONNECTION}
    return Answer(status=answer.status, headers=kept, body=body)


def _deed(request: Received) -> str:
    if request.method == "DELETE":
        return "removed"
    return "refreshed" if request.values("x-amz-copy-source") else "written"
