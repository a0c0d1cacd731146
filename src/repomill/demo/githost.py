"""A git host over TLS, for tests and the demo: `git http-backend`, and faults on demand."""

import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import trustme

from repomill.demo.behaviours import Behaviour, Part
from repomill.demo.http_backend import HttpBackend
from repomill.demo.request_log import Request
from repomill.demo.server import Server


class GitHost:
    """Serves the bare repositories `OWNER/NAME.git` below a folder, for fetching only.

    It listens on a free port of 127.0.0.1 from its creation to `close`, which as a context
    manager it calls itself; after that none of its threads, processes and files is left. It
    needs git on PATH, `git http-backend` included.
    """

    def __init__(
        self,
        root: Path,
        *,
        names: Sequence[str] = ("localhost", "127.0.0.1", "::1"),
        filters: bool = True,
        ca: trustme.CA | None = None,
    ) -> None:
        """Serve *root*, which must be there, with a certificate for *names*.

        *filters* says whether partial clones are granted. Hosts that are given one *ca* can be
        trusted by one file. Raises OSError if there is no such folder.
        """
        backend = HttpBackend(root=root.resolve(strict=True), filters=filters)
        ca = ca or trustme.CA()
        with ExitStack() as resources:
            folder = resources.enter_context(TemporaryDirectory(prefix="githost-"))
            self.ca_file = Path(folder, "ca.pem")
            ca.cert_pem.write_to_path(self.ca_file)
            self._server = Server(_tls(ca, names), backend)
            resources.callback(self._server.close)
            self._resources = resources.pop_all()

    def close(self) -> None:
        """Drop every connection, kill what git is doing, and free everything; once is enough."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return self._server.server_address[1]

    @property
    def authority(self) -> str:
        """Host and port, as in a URL: `localhost:PORT`."""
        return f"localhost:{self.port}"

    def url(self, repository: str) -> str:
        """Return the address of `owner/name`, of this host or scripted for it."""
        return f"https://{self.authority}/{repository}"

    def script(
        self,
        repository: str,
        behaviour: Behaviour,
        *,
        times: int | None = None,
        on: Part = "any",
    ) -> None:
        """Have requests for *repository* (`owner/name`, on disk or not) answered otherwise.

        The first entry that covers a request and has uses left decides it and is used once;
        *times* is how many uses it has, None for ever. One clone takes three requests:
        `info/refs`, and two of `git-upload-pack`, the references and the pack.
        """
        self._server.script.add(repository, behaviour, times=times, on=on)

    @property
    def requests(self) -> list[Request]:
        """Every request since the last `clear`, in order of arrival."""
        return self._server.log.all()

    def wait_for_requests(
        self, count: int, *, answered: bool = True, timeout_seconds: float = 10
    ) -> list[Request]:
        """Return the requests as soon as *count* have come, and *answered* says if begun with.

        Raises TimeoutError.
        """
        return self._server.log.wait(count, answered=answered, timeout_seconds=timeout_seconds)

    def clear(self) -> None:
        """Forget every request so far; scripts stay."""
        self._server.log.clear()


def _tls(ca: trustme.CA, names: Sequence[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return context
