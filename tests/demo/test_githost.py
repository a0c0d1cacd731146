"""The git host, asked by the real git and by plain HTTPS."""

import gzip
import http.client
import os
import random
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from repomill.demo.behaviours import (
    Corrupt,
    Cut,
    Delay,
    Garbage,
    Redirect,
    RequireToken,
    Stall,
    Status,
)
from repomill.demo.githost import GitHost
from repomill.demo.pack_corruption import corrupted
from repomill.demo.repositories import write_repository

SHALLOW = ("--bare", "--depth=1", "--single-branch", "--no-tags", "--filter=blob:limit=1000")
IMPATIENT = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=1")
INFO_REFS = "/owner/name/info/refs?service=git-upload-pack"
LIST_REFERENCES = b"0014command=ls-refs\n00010000"


@dataclass(frozen=True, kw_only=True)
class Client:
    """The real git, run by a user who configured nothing."""

    folder: Path
    ca_file: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start git in a session of its own, so that it can be killed whole."""
        return subprocess.Popen(
            ["git", "-c", "http.proxy=", *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "LC_ALL": "C",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_SSL_CAINFO": str(self.ca_file),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def git(self, *arguments: str) -> str:
        """Return what git prints; raises CalledProcessError."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=100)
        if process.returncode:
            raise subprocess.CalledProcessError(
                process.returncode, arguments, output=output, stderr=errors
            )
        return output

    def refusal(self, *arguments: str) -> str:
        """Return what git complains of."""
        with pytest.raises(subprocess.CalledProcessError) as failed:
            self.git(*arguments)
        return str(failed.value.stderr)

    def head(self, clone: str = "clone") -> str:
        """Return the commit that a clone got."""
        return self.git("--git-dir", clone, "rev-parse", "HEAD").strip()

    def missing(self, clone: str = "clone") -> list[str]:
        """Return the objects that a clone lacks."""
        objects = self.git(
            "--git-dir", clone, "rev-list", "--objects", "--missing=print", "HEAD"
        ).splitlines()
        return [line for line in objects if line.startswith("?")]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer to plain HTTPS."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


def connection(host: GitHost) -> http.client.HTTPSConnection:
    tls = ssl.create_default_context(cafile=host.ca_file)
    return http.client.HTTPSConnection("localhost", host.port, timeout=100, context=tls)


def tls_connection(host: GitHost) -> ssl.SSLSocket:
    tls = ssl.create_default_context(cafile=host.ca_file)
    plain = socket.create_connection(("127.0.0.1", host.port), timeout=100)
    return tls.wrap_socket(plain, server_hostname="localhost")


def ask(host: GitHost, path: str, method: str = "GET", **rest) -> Reply:
    with closing(connection(host)) as server:
        server.request(method, path, **rest)
        response = server.getresponse()
        return Reply(status=response.status, headers=dict(response.headers), body=response.read())


def backends(root: Path) -> set[int]:
    """Return the processes that serve from *root*, by what their environment says."""
    mark = f"GIT_PROJECT_ROOT={root}".encode()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or is not ours
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "repositories"


@pytest.fixture
def commit(root: Path) -> str:
    """Write the repository `owner/name`, whose pack is more than pipes and sockets hold."""
    noise = random.Random(0).randbytes(1_000_000)
    files = {"README.md": b"# Name\n", "src/main.py": b"print()\n", "noise.bin": noise}
    return write_repository(root / "owner" / "name.git", files)


@pytest.fixture
def host(root: Path, commit: str) -> Iterator[GitHost]:
    with GitHost(root) as host:
        yield host


@pytest.fixture
def client(host: GitHost, tmp_path: Path) -> Client:
    return Client(folder=tmp_path, ca_file=host.ca_file)


@pytest.mark.parametrize("ending", ["", ".git"])
@pytest.mark.parametrize("options", [["--bare"], ["--bare", "--depth=1"], SHALLOW])
def test_git_clones_with_and_without_the_ending(host, client, commit, ending, options):
    client.git("clone", *options, host.url("owner/name") + ending, "clone")

    assert client.head() == commit
    assert host.requests[0].repository == "owner/name"


def test_a_repository_may_lie_in_subgroups(host, client, root):
    commit = write_repository(root / "group" / "sub" / "group" / "name.git", {"a": b""})

    client.git("clone", "--bare", host.url("group/sub/group/name"), "clone")

    assert client.head() == commit


def test_a_shallow_filtered_clone_takes_three_requests(host, client):
    client.git("clone", *SHALLOW, host.url("owner/name"), "clone")

    assert [(request.method, request.rest, request.status) for request in host.requests] == [
        ("GET", "/info/refs?service=git-upload-pack", 200),
        ("POST", "/git-upload-pack", 200),
        ("POST", "/git-upload-pack", 200),
    ]
    assert len(client.missing()) == 1


def test_a_host_without_filters_sends_every_blob(root, commit, tmp_path):
    with GitHost(root, filters=False) as host:
        client = Client(folder=tmp_path, ca_file=host.ca_file)
        client.git("clone", *SHALLOW, host.url("owner/name"), "clone")

    assert client.head() == commit
    assert client.missing() == []


def test_any_commit_can_be_fetched_by_its_sha(host, client, root, commit):
    write_repository(root / "owner" / "name.git", {"new": b""})
    client.git("init", "--bare", "clone")

    client.git("--git-dir", "clone", "fetch", "--depth=1", host.url("owner/name"), commit)

    assert client.git("--git-dir", "clone", "rev-parse", "FETCH_HEAD").strip() == commit


def test_the_log_tells_what_a_request_said(host, client):
    header = "http.extraHeader=Authorization: Basic c2VjcmV0"
    client.git("-c", header, "ls-remote", host.url("owner/name"))

    first, second = host.requests
    assert first.path == "/owner/name/info/refs"
    assert first.query == "service=git-upload-pack"
    assert first.host == host.authority
    assert first.authorization == "Basic c2VjcmV0"
    assert first.git_protocol == "version=2"
    assert first.content_length == 0
    assert second.content_length == int(second.headers["content-length"]) > 0


def test_the_log_can_be_cleared(host):
    ask(host, "/owner/name/HEAD")
    host.clear()
    ask(host, "/")

    assert [request.path for request in host.requests] == ["/"]


def test_a_request_is_logged_before_it_is_answered(host):
    host.script("owner/name", Delay(60))
    with closing(connection(host)) as server:
        server.request("GET", INFO_REFS)

        assert [request.status for request in host.wait_for_requests(1, answered=False)] == [None]


def test_a_request_that_was_cleared_does_not_come_back(host):
    host.script("owner/name", Delay(0.1))
    with closing(connection(host)) as server:
        server.request("GET", INFO_REFS)
        host.wait_for_requests(1, answered=False)
        host.clear()

        assert server.getresponse().status == 200
        assert host.requests == []


def test_waiting_for_a_request_ends(host):
    with pytest.raises(TimeoutError, match="1 requests were expected, 0 came"):
        host.wait_for_requests(1, timeout_seconds=0)


def test_an_unknown_repository_is_not_found(host, client):
    assert "not found" in client.refusal("clone", host.url("owner/unknown"))
    assert [request.status for request in host.requests] == [404]


def test_nothing_can_be_pushed(host, client):
    client.git("clone", "--bare", host.url("owner/name"), "clone")

    complaint = client.refusal("--git-dir", "clone", "push", "origin", "main:other")

    assert "403" in complaint


@pytest.mark.parametrize("part", ["HEAD", "info/refs", "objects/info/packs", "git-receive-pack"])
def test_only_upload_pack_is_served(host, part):
    method = "POST" if part == "git-receive-pack" else "GET"

    assert ask(host, f"/owner/name/{part}", method).status == 403


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_may_come_compressed_and_in_chunks(host, commit, encoding, chunked):
    body = gzip.compress(LIST_REFERENCES) if encoding == "gzip" else LIST_REFERENCES
    headers = {
        "Content-Type": "application/x-git-upload-pack-request",
        "Git-Protocol": "version=2",
        "Content-Encoding": encoding,
    }

    reply = ask(
        host,
        "/owner/name/git-upload-pack",
        "POST",
        body=iter([body[:7], body[7:]]) if chunked else body,
        headers=headers | ({"Transfer-Encoding": "chunked"} if chunked else {}),
        encode_chunked=chunked,
    )

    assert f"{commit} refs/heads/main" in reply.body.decode()
    assert host.requests[0].content_length == len(body)


def test_chunks_may_carry_extensions_and_trailers(host):
    with tls_connection(host) as server:
        server.sendall(
            b"POST /owner/name/git-upload-pack HTTP/1.1\r\n"
            b"Content-Type: application/x-git-upload-pack-request\r\n"
            b"Git-Protocol: version=2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            b"1C;name=value\r\n" + LIST_REFERENCES + b"\r\n"
            b"0\r\nExpires: never\r\n\r\n"
        )

        assert server.recv(4096).split()[1] == b"200"


def test_a_connection_is_kept_for_further_requests(host):
    with closing(connection(host)) as server:
        server.request("HEAD", INFO_REFS)
        assert server.getresponse().read() == b""
        first_socket = server.sock
        server.request("GET", INFO_REFS)
        assert server.getresponse().read().startswith(b"001e# service=git-upload-pack\n")
        assert server.sock is first_socket


def test_a_status_is_answered_in_place_of_git(host, client):
    host.script("owner/name", Status(429, headers={"Retry-After": "7"}, body=b"slow down"))

    reply = ask(host, INFO_REFS)

    assert (reply.status, reply.headers["Retry-After"], reply.body) == (429, "7", b"slow down")
    assert "429" in client.refusal("clone", host.url("owner/name"))


def test_a_script_covers_what_is_not_on_disk(host):
    host.script("gone/away", Status(451))

    assert ask(host, "/gone/away.git/info/refs").status == 451
    assert ask(host, "/gone/away").status == 451


def test_scripts_are_used_up_in_order(host):
    host.script("owner/name", Status(500), times=2)
    host.script("owner/name", Status(503), times=1)

    assert [ask(host, INFO_REFS).status for _ in range(4)] == [500, 500, 503, 200]


def test_a_script_may_cover_one_part_alone(host, client):
    host.script("owner/name", Status(502), times=1, on="git-upload-pack")

    assert "502" in client.refusal("clone", host.url("owner/name"))
    assert [request.status for request in host.requests] == [200, 502]


def test_a_delay_comes_before_the_usual_answer(host):
    host.script("owner/name", Delay(0.2))
    started = time.monotonic()

    assert ask(host, INFO_REFS).status == 200
    assert time.monotonic() - started >= 0.2


def test_git_gives_up_on_a_delay_that_is_too_long(host, client):
    host.script("owner/name", Delay(60))

    assert "too slow" in client.refusal(*IMPATIENT, "clone", host.url("owner/name"))


def test_git_gives_up_on_a_stalled_answer(host, client):
    host.script("owner/name", Stall())

    assert "too slow" in client.refusal(*IMPATIENT, "clone", host.url("owner/name"))
    assert [request.status for request in host.requests] == [200]


def test_a_stall_sends_exactly_so_many_bytes(host):
    host.script("owner/name", Stall(after_bytes=10))
    with closing(connection(host)) as server:
        server.request("GET", INFO_REFS)
        response = server.getresponse()

        assert response.read(10) == b"001e# serv"
        server.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            response.read(1)


@pytest.mark.parametrize("behaviour", [Stall(after_bytes=100_000), Cut(after_bytes=100_000)])
def test_an_answer_too_short_to_be_interrupted_arrives_whole(host, client, behaviour):
    host.script("owner/name", behaviour)

    assert "refs/heads/main" in client.git("ls-remote", host.url("owner/name"))


@pytest.mark.parametrize("after_bytes", [0, 10, 100_000])
def test_git_notices_a_cut(host, client, after_bytes):
    host.script("owner/name", Cut(after_bytes=after_bytes))

    client.refusal("clone", "--bare", host.url("owner/name"))

    assert len(host.requests) == (3 if after_bytes == 100_000 else 1)


def test_a_cut_sends_exactly_so_many_bytes(host):
    host.script("owner/name", Cut(after_bytes=10))

    with pytest.raises(http.client.IncompleteRead) as read:
        ask(host, INFO_REFS)

    assert read.value.partial == b"001e# serv"


@pytest.mark.parametrize("ending", ["", ".git"])
def test_git_follows_a_redirect(host, client, ending):
    host.script("old/name", Redirect(host.url("owner/name") + "{rest}"))

    client.git("ls-remote", host.url("old/name") + ending)

    assert [(request.repository, request.status) for request in host.requests] == [
        ("old/name", 301),
        ("owner/name", 200),
        ("owner/name", 200),
    ]


def test_a_redirect_repeats_the_rest_only_where_it_is_told_to(host):
    host.script("old/name", Redirect("https://example.org/login", code=302), times=1)
    host.script("old/name", Redirect("https://example.org/new{rest}"))
    path = "/old/name.git/info/refs?service=git-upload-pack"

    replies = [ask(host, path) for _ in range(2)]

    assert [(reply.status, reply.headers["Location"]) for reply in replies] == [
        (302, "https://example.org/login"),
        (301, "https://example.org/new/info/refs?service=git-upload-pack"),
    ]


def test_garbage_is_answered_in_place_of_git(host, client):
    host.script("owner/name", Garbage(b"<html>\n</html>\n"))

    reply = ask(host, INFO_REFS)

    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html")
    assert "not valid" in client.refusal("clone", host.url("owner/name"))


def test_git_takes_a_line_of_garbage_for_an_empty_repository(host, client):
    host.script("owner/name", Garbage(b"<html></html>"))

    assert client.git("ls-remote", host.url("owner/name")) == ""


def test_garbage_may_pretend_to_be_gits(host, client):
    content_type = "application/x-git-upload-pack-advertisement"
    host.script("owner/name", Garbage(b"<html></html>", content_type), on="info/refs")

    assert "bad line length" in client.refusal("clone", host.url("owner/name"))


@pytest.mark.parametrize("options", [["--bare"], SHALLOW, ["-c", "protocol.version=0"]])
@pytest.mark.parametrize("count", [1, 500])
def test_git_finds_a_corrupt_pack(host, client, root, options, count):
    write_repository(root / "owner" / "other.git", {f"{n}": b"%d" % n for n in range(count)})
    host.script("owner/other", Corrupt())

    complaint = client.refusal("clone", *options, host.url("owner/other"))

    assert "inflate" in complaint
    assert "index-pack" in complaint or "unpack-objects" in complaint


@pytest.mark.parametrize("cut_at", [1, 3, 5, 70, 1000])
def test_a_pack_is_damaged_alike_however_it_is_cut(cut_at):
    answer = b"000dpackfile\n0006\x01P0070\x01" + bytes(range(107)) + b"0009\x02hm.\x010000"
    pieces = [answer[start : start + cut_at] for start in range(0, len(answer), cut_at)]

    damaged = b"".join(corrupted(pieces))

    differences = [
        n for n, pair in enumerate(zip(answer, damaged, strict=True)) if len({*pair}) > 1
    ]
    assert [answer[n] for n in differences] == [63]  # the pack's byte 64, after the P


def test_what_is_no_pack_is_not_damaged():
    assert b"".join(corrupted([b"no", b"t git's"])) == b"not git's"


def test_references_are_listed_past_a_corrupt_pack(host, client):
    host.script("owner/name", Corrupt())

    assert "refs/heads/main" in client.git("ls-remote", host.url("owner/name"))


def test_a_token_opens_a_repository(host, client, commit):
    host.script("owner/name", RequireToken("s3cret"))
    token = b64encode(b"x-access-token:s3cret").decode()
    header = f"http.extraHeader=Authorization: Basic {token}"

    client.git("-c", header, "clone", "--bare", host.url("owner/name"), "clone")

    assert client.head() == commit


@pytest.mark.parametrize("authorization", [None, "Basic d3Jvbmc=", "Bearer s3cret", "Basic", ""])
def test_nothing_else_opens_it(host, authorization):
    host.script("owner/name", RequireToken("s3cret"))
    headers = {} if authorization is None else {"Authorization": authorization}

    reply = ask(host, INFO_REFS, headers=headers)

    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")


def test_git_asks_for_a_name_where_a_token_is_required(host, client):
    host.script("owner/name", RequireToken("s3cret"))

    assert "could not read Username" in client.refusal("clone", host.url("owner/name"))


def test_two_clients_are_served_at_once(host, client, commit):
    host.script("owner/name", Delay(60), times=1)
    with closing(connection(host)) as waiting:
        waiting.request("GET", INFO_REFS)
        host.wait_for_requests(1, answered=False)

        client.git("clone", "--bare", host.url("owner/name"), "clone")

    assert client.head() == commit


def hold_a_clone(host: GitHost, client: Client) -> subprocess.Popen[str]:
    """Return a git that hangs amid the pack."""
    host.script("owner/name", Stall(after_bytes=100_000))
    process = client.start("clone", "--bare", host.url("owner/name"))
    host.wait_for_requests(3)
    return process


def test_a_client_that_leaves_takes_its_backend_along(host, client, root):
    process = hold_a_clone(host, client)
    ends = [os.pidfd_open(pid) for pid in backends(root)]
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    assert ends
    for end in ends:
        assert select.select([end], [], [], 5)[0] == [end]
        os.close(end)


def test_closing_leaves_no_process_no_thread_and_no_file(root, commit, tmp_path):
    threads = set(threading.enumerate())
    with GitHost(root) as host:
        process = hold_a_clone(host, Client(folder=tmp_path, ca_file=host.ca_file))
        assert backends(root)
        assert process.poll() is None

    assert not backends(root)
    assert set(threading.enumerate()) <= threads
    assert not host.ca_file.parent.exists()
    process.communicate(timeout=100)
    assert process.returncode != 0


@pytest.mark.parametrize(
    "request_start",
    [
        b"",
        b"GET /owner",
        b"POST /owner/name/git-upload-pack HTTP/1.1\r\nContent-Length: 10\r\n\r\n123",
        b"POST /o/n HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
        b"POST /o/n HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /owner/name/info/refs?service=git-upload-pack HTTP/1.1\r\n\r\n",
    ],
    ids=range(6),
)
def test_a_client_that_leaves_disturbs_nobody(host, client, commit, capfd, request_start):
    with tls_connection(host) as server:
        server.sendall(request_start)

    client.git("clone", "--bare", host.url("owner/name"), "clone")
    host.close()

    assert client.head() == commit
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"], ids=range(3))
def test_a_client_that_speaks_no_tls_disturbs_nobody(host, client, commit, capfd, start):
    with socket.create_connection(("127.0.0.1", host.port)) as server:
        server.sendall(start)

        client.git("clone", "--bare", host.url("owner/name"), "clone")
        host.close()

    assert client.head() == commit
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /o/n HTTP/1.1\r\nContent-Length: many\r\n", b"400"),
        (b"POST /o/n HTTP/1.1\r\nContent-Length: -1\r\n", b"400"),
        (b"POST /o/n HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n", b"400"),
        (b"GET /owner/name%00/info/refs HTTP/1.1\r\n", b"400"),
        (b"GET /owner/../../name/info/refs HTTP/1.1\r\n", b"500"),
        (b"GET /o/n HTTP/1.0\r\n", b"505"),
        (b"BREW /o/n HTTP/1.1\r\n", b"501"),
    ],
)
def test_a_bad_request_is_told_so(host, request_head, status):
    with tls_connection(host) as server:
        server.sendall(request_head + b"\r\n")
        assert server.recv(4096).split()[1] == status


def test_a_git_that_cannot_serve_is_a_bad_gateway(host, tmp_path, monkeypatch):
    (tmp_path / "git").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert ask(host, INFO_REFS).status == 502


def test_a_missing_git_is_told_of(host, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(http.client.RemoteDisconnected):
        ask(host, INFO_REFS)
    host.close()

    assert "FileNotFoundError" in capfd.readouterr().err


def test_hosts_can_share_a_certificate_authority(root, commit, tmp_path):
    ca = trustme.CA()
    with GitHost(root, ca=ca) as one, GitHost(root, ca=ca) as other:
        client = Client(folder=tmp_path, ca_file=one.ca_file)

        assert client.git("ls-remote", one.url("owner/name")) == client.git(
            "ls-remote", other.url("owner/name")
        )


def test_a_certificate_holds_for_its_names_alone(root, commit, tmp_path):
    with GitHost(root, names=["git.example.org"]) as host:
        client = Client(folder=tmp_path, ca_file=host.ca_file)
        resolve = f"http.curloptResolve=git.example.org:{host.port}:127.0.0.1"
        named = f"https://git.example.org:{host.port}/owner/name"

        assert commit in client.git("-c", resolve, "ls-remote", named)
        assert "certificate" in client.refusal("ls-remote", host.url("owner/name"))


def test_a_host_needs_its_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        GitHost(tmp_path / "nowhere")
