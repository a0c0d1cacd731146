"""The real commands, and a real S3 server, which is killed when it suits least."""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from repomill.demo.behaviours import Stall
from repomill.demo.repositories import write_repository
from repomill.stores.base import JSON, TEXT
from repomill.stores.local import LocalStore
from tests.e2e.command import (
    INGEST,
    PATIENCE_SECONDS,
    REPOMILL,
    Command,
    Ended,
    end_of,
    facts,
    trusting,
    wait_for,
)
from tests.e2e.processes import Process, family, outlived
from tests.e2e.spellings import found
from tests.s3.answering import AnsweringServer, Received
from tests.s3.opening import open_bucket
from tests.s3.seaweedfs import SeaweedFS

HOURS = 36_000.0
RUN_SECONDS = 100
"""For a whole run, on a machine that has other things to do."""
KEYS = {"R2_ACCESS_KEY": "canary-access-key", "R2_SECRET_KEY": "canary-secret-key"}


@pytest.fixture
def fleet(root, host, tmp_path):
    """Return the function that makes repositories and a feed of them."""

    def make(count: int):
        names = [f"owner/name{number}" for number in range(count)]
        for number, name in enumerate(names):
            files = {"README.md": b"# %d\n" % number, "src/main.py": b"print()\n" * number}
            write_repository(root / f"{name}.git", files)
        path = tmp_path / "feed.txt"
        path.write_text("".join(f"{host.url(name)}\n" for name in names))
        return path

    return make


@pytest.fixture
def ingest(run):
    """The container's program, for the same user."""
    return replace(run, program=INGEST)


@pytest.fixture
def mortal() -> Iterator[SeaweedFS]:
    """An S3 server of the test's own, with a bucket: it may be killed."""
    with SeaweedFS() as server:
        server.make_bucket("digests")
        yield server


def messages(ended: Ended, message: str) -> list[dict[str, object]]:
    return [told for line in ended.log if (told := facts(line))["message"] == message]


def fetches(host) -> Counter[str]:
    """Return how often each repository was asked for its references, with which a fetch begins."""
    return Counter(one.repository for one in host.requests if one.part == "info/refs")


def digests(server: SeaweedFS, bucket: str) -> list[str]:
    """Return the names of what is stored, each whole: digest and metadata agree."""
    objects = server.objects(bucket)
    names = []
    for key, digest in objects.items():
        kind, _, name = key.removesuffix("/summary.txt").partition("/")
        if kind == "gitingest":
            metadata = json.loads(objects[f"metadata/{name}.json"].body)
            assert metadata["commit"] == digest.metadata["commit"]
            assert metadata["bytes"] == len(digest.body)
            assert digest.body.startswith(f"Repository: {name}\n".encode())
            names.append(name)
    return names


def check_plain(request: Received) -> None:
    """See that a PUT carries its body as R2 takes it: in one piece, as it is."""
    names = {name for name, _ in request.headers}
    assert not names & {"x-amz-trailer", "x-amz-decoded-content-length", "transfer-encoding"}
    assert not any("aws-chunked" in value for _, value in request.headers)
    (payload,) = request.values("x-amz-content-sha256")
    assert not payload.startswith("STREAMING")
    md5 = hashlib.md5(request.body, usedforsecurity=False).digest()
    assert request.values("content-md5") == [base64.b64encode(md5).decode()]
    assert request.values("content-length") == [str(len(request.body))]


@pytest.mark.parametrize("program", ["run", "ingest"])
def test_over_https_every_put_is_plain(run, ingest, fleet, host, ca, program):
    feed = fleet(1)
    with AnsweringServer(ca=ca) as server:
        variables = {
            **KEYS,
            "R2_BUCKET": "digests",
            "R2_ENDPOINT": server.endpoint,
            "AWS_CA_BUNDLE": str(host.ca_file),
        }
        if program == "run":
            ended = run("run", feed, **variables)
        else:
            ended = ingest(host.url("owner/name0"), **variables)

    assert ended.code == 0, ended.stderr
    puts = {one.path: one for one in server.received if one.method == "PUT"}
    ours = [path for path in puts if "/_repomill/ledger/" not in path]
    probe, metadata, digest = ours
    assert len(puts) - len(ours) == (2 if program == "run" else 0), "its origin and one part"
    assert probe.startswith("/digests/_repomill/probe-")
    assert metadata == "/digests/metadata/owner/name0.json"
    assert digest == "/digests/gitingest/owner/name0/summary.txt"
    assert puts[digest].body.startswith(b"Repository: owner/name0\n")
    assert puts[digest].values("content-type") == [TEXT]
    for request in puts.values():
        check_plain(request)


def test_over_https_a_real_server_takes_them(run, fleet, host, ca):
    with SeaweedFS(ca=ca) as server:
        variables = server.variables(server.make_bucket("digests"))
        ended = run("run", fleet(1), **variables, AWS_CA_BUNDLE=str(host.ca_file))

        assert ended.code == 0, ended.stderr
        assert digests(server, "digests") == ["owner/name0"]


def test_a_bucket_holds_what_a_folder_holds(run, fleet, seaweedfs, bucket, tmp_path):
    feed = fleet(50)
    for variables in ({"REPOMILL_STORE": str(tmp_path / "store")}, seaweedfs.variables(bucket)):
        with run.start("run", feed, **variables) as process:
            ended = end_of(process, seconds=RUN_SECONDS)
        assert ended.code == 0, ended.stderr
        assert messages(ended, "Processing statistics")[-1]["successful"] == 50

    folder, stored = LocalStore(tmp_path / "store"), open_bucket(seaweedfs, bucket)
    keys = published(folder.list(""))
    assert len(keys) == 100
    assert published(stored.list("")) == published(seaweedfs.keys(bucket)) == keys
    for key in keys:
        assert stored.get(key) == folder.get(key)
        ours, theirs = folder.head(key), stored.head(key)
        assert ours
        assert theirs
        assert theirs.content_type == ours.content_type == (JSON if "json" in key else TEXT)
        assert theirs.size_bytes == ours.size_bytes
        assert without_time(theirs.metadata) == without_time(ours.metadata)


def published(keys: Iterable[str]) -> list[str]:
    """Return those that are not our own, sorted."""
    return sorted(key for key in keys if "_repomill/" not in key)


def without_time(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in metadata.items() if name != "processedat"}


def test_a_server_that_dies_and_returns_costs_no_repository(run, fleet, host, mortal):
    with run.start("run", fleet(16), "--workers", 2, **mortal.variables("digests")) as process:
        said = wait_for("Summary generated", process)
        mortal.kill()
        said += wait_for("Waiting for the store", process)
        mortal.start()
        ended = end_of(process, seconds=RUN_SECONDS)

    assert ended.code == 0, said + ended.stderr
    assert "The store answers again" in ended.stderr
    assert messages(ended, "Processing statistics")[-1]["successful"] == 16
    assert len(digests(mortal, "digests")) == 16
    assert set(fetches(host).values()) == {1}


def test_a_server_that_stays_dead_ends_the_run_and_nothing_is_half(run, fleet, host, mortal):
    options = ("--workers", 4, "--store-patience", 2)
    with run.start("run", fleet(16), *options, **mortal.variables("digests")) as process:
        said = wait_for("Summary generated", process)
        with outlived(family(process.pid)):
            mortal.kill()
            ended = end_of(process)

    ended = replace(ended, stderr=said + ended.stderr)
    assert ended.code == 1
    lost = messages(ended, "Store cannot be used")
    assert len(lost) == 1
    assert f"{mortal.endpoint} cannot be reached" in str(lost[0]["error"])
    assert "R2_ENDPOINT" in str(lost[0]["error"])
    assert "Traceback" not in ended.stderr
    begun = {told["repo_url"] for told in messages(ended, "Processing repository")}
    assert len(begun) < 16, "without a store nothing more is fetched"
    ends = ("Summary generated", "Processing failed", "Abandoned")
    assert Counter(t["repo_url"] for end in ends for t in messages(ended, end)) == Counter(begun)

    mortal.start()
    told = {told["repo_url"] for told in messages(ended, "Summary generated")}
    assert {host.url(name) for name in digests(mortal, "digests")} >= told


def test_while_the_store_is_down_sigterm_ends_the_run(run, fleet, host, mortal):
    options = ("--workers", 2, "--grace", 0.5)
    with run.start("run", fleet(16), *options, **mortal.variables("digests")) as process:
        wait_for("Summary generated", process)
        with outlived(family(process.pid)):
            mortal.kill()
            wait_for("Waiting for the store", process)
            process.send_signal(signal.SIGTERM)
            ended = end_of(process, seconds=60)

    assert ended.code == 143
    assert messages(ended, "Abandoned")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("program", ["run", "ingest"])
def test_before_the_store_has_answered_sigterm_ends_the_command(
    run, ingest, fleet, host, mortal, program
):
    mortal.kill()
    feed, command = fleet(1), run if program == "run" else ingest
    arguments = ("run", feed) if program == "run" else (host.url("owner/name0"),)
    with command.start(*arguments, **mortal.variables("digests")) as process:
        wait_for("Waiting for the store", process)
        process.send_signal(signal.SIGTERM)
        ended = end_of(process, seconds=60)

    assert ended.code == 143
    assert "Traceback" not in ended.stderr
    assert host.requests == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("R2_BUCKET", "missing"), ("R2_ACCESS_KEY", "canary"), ("R2_SECRET_KEY", "canary")],
)
@pytest.mark.parametrize("program", ["run", "ingest"])
def test_a_store_that_refuses_ends_it_before_anything_is_fetched(
    run, ingest, fleet, host, seaweedfs, bucket, variable, value, program
):
    variables = {**seaweedfs.variables(bucket), variable: value}
    if program == "run":
        ended = run("run", fleet(1), "--log-level", "debug", **variables)
    else:
        ended = ingest(host.url("owner/name0"), "--log-level", "debug", **variables)

    assert ended.code == 1
    assert variable in ended.stderr
    assert "Traceback" not in ended.stderr
    secrets = ["canary", seaweedfs.access_key, seaweedfs.secret_key]
    assert found(secrets, ended.stdout, ended.stderr.encode()) == []
    assert host.requests == []


def test_the_containers_program_keeps_a_digest_in_the_bucket(
    ingest, fleet, host, seaweedfs, bucket
):
    fleet(1)
    ended = ingest(host.url("owner/name0"), **seaweedfs.variables(bucket))

    assert ended.code == 0, ended.stderr
    assert ended.outcome["key"] == "gitingest/owner/name0/summary.txt"
    assert [line["level"] for line in ended.log] == ["info"] * 3
    objects = seaweedfs.objects(bucket)
    assert sorted(objects) == ["gitingest/owner/name0/summary.txt", "metadata/owner/name0.json"]
    digest = objects[ended.outcome["key"]]
    assert digest.content_type == TEXT
    assert digest.metadata["url"] == host.url("owner/name0")
    assert digest.metadata["commit"] == ended.outcome["commit"]
    assert json.loads(objects["metadata/owner/name0.json"].body)["bytes"] == len(digest.body)


def test_another_bucket_and_a_prefix_can_be_named(run, fleet, seaweedfs, bucket):
    variables = {**seaweedfs.variables(bucket), "R2_BUCKET": "elsewhere"}

    ended = run("run", fleet(1), "--store", f"s3://{bucket}/some/where", **variables)

    assert ended.code == 0, ended.stderr
    assert published(seaweedfs.keys(bucket)) == [
        "some/where/gitingest/owner/name0/summary.txt",
        "some/where/metadata/owner/name0.json",
    ]


AWS = {
    "AWS_ACCESS_KEY_ID": "canary-aws-access",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret",
    "AWS_SESSION_TOKEN": "canary-aws-session",
}


@dataclass(frozen=True)
class Somebody:
    """A user of the machine who is not root."""

    prefix: tuple[str, ...]
    """What a command begins with that is run as this user."""
    home: Path
    """A folder where this user finds what is needed, and may write."""

    def reads(self, path: str) -> bytes:
        """Return what this user reads in *path*. Raises PermissionError."""
        code = (
            "import pathlib, sys; sys.stdout.buffer.write(pathlib.Path(sys.argv[1]).read_bytes())"
        )
        done = subprocess.run(
            [*self.prefix, sys.executable, "-c", code, path],
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        if b"PermissionError" in done.stderr:
            raise PermissionError(path)
        assert done.returncode == 0, done.stderr
        return done.stdout


NOBODY = 65534


@pytest.fixture
def somebody(host) -> Iterator[Somebody]:
    # Not below pytest's own folder, which root alone can enter.
    with TemporaryDirectory(prefix="somebody-") as name:
        home = Path(name)
        for part in ("home", "scratch", "folder"):
            (home / part).mkdir()
        shutil.copy(host.ca_file, home / "ca.pem")
        if os.geteuid() != 0:
            yield Somebody((), home)
            return
        for path in (home, *home.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        # Python and the folder may lie where root alone can look. This right is to look, and to
        # read files; access(2) forgets it where the user is not root, but for that security bit.
        rights = ("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search")
        user = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
        yield Somebody(("setpriv", *user, *rights, "--securebits", "+no_setuid_fixup"), home)


@pytest.mark.parametrize("program", ["run", "ingest"])
def test_no_key_of_the_store_is_anywhere(somebody, fleet, host, seaweedfs, bucket, program):
    feed = fleet(3)
    host.script("owner/name2", Stall(after_bytes=10), on="git-upload-pack")
    variables = {
        **trusting(host),
        "GIT_SSL_CAINFO": str(somebody.home / "ca.pem"),
        **seaweedfs.variables(bucket),
        **AWS,
    }
    secrets = [seaweedfs.access_key, seaweedfs.secret_key, *AWS.values()]
    held = ("run", feed) if program == "run" else (host.url("owner/name2"),)
    behind = (*(REPOMILL if program == "run" else INGEST), *map(str, held))
    command = Command(
        program=(*somebody.prefix, *behind),
        home=somebody.home / "home",
        scratch=somebody.home / "scratch",
        folder=somebody.home / "folder",
        variables=variables,
        measured=False,
    )

    with command.start("--log-level", "debug", "--grace", 0.5) as process:
        said = ""
        if program == "run":
            said = wait_for("Summary generated", process) + wait_for("Summary generated", process)
        wait_until_held(host)
        itself, *below = family(process.pid)
        assert len(below) >= 4, "forkserver, nanny, worker, git"
        assert any(b"git-remote-https" in one.arguments for one in below)
        assert all(one.environment for one in below), "their environment can be read"
        shown = [text for one in below for text in (one.environment, one.arguments)]
        assert found(secrets, itself.arguments, *shown) == []
        check_hidden(somebody, itself, below[0])
        process.send_signal(signal.SIGTERM)
        ended = end_of(process)

    assert ended.code == 143
    assert not list(command.scratch.iterdir())
    assert found(secrets, ended.stdout, said.encode(), ended.stderr.encode()) == []
    objects = seaweedfs.objects(bucket)
    assert len(published(objects)) == (4 if program == "run" else 0)
    for key, stored in objects.items():
        assert found(secrets, key.encode(), stored.body, repr(stored.metadata).encode()) == []


def wait_until_held(host) -> None:
    """Wait until git has been sent the beginning of an answer that will not end."""
    seen = host.requests
    while not any(
        one.repository == "owner/name2" and one.part == "git-upload-pack" and one.status
        for one in seen
    ):
        answered = sum(one.status is not None for one in seen)
        seen = host.wait_for_requests(answered + 1, timeout_seconds=PATIENCE_SECONDS)


def check_hidden(somebody: Somebody, supervisor: Process, other: Process) -> None:
    """See that the user cannot look into the supervisor, though into *other* processes."""
    assert b"PATH=" in somebody.reads(f"/proc/{other.pid}/environ")
    with pytest.raises(PermissionError):
        somebody.reads(f"/proc/{supervisor.pid}/environ")
