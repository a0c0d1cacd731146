"""`python ingest.py REPO_URL`, as an orchestrator runs it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from repomill.demo.behaviours import Delay, Redirect, Stall
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from repomill.stores.local import LocalStore
from tests.e2e.command import INGEST, PATIENCE_SECONDS, Command, Ended, end_of, facts, trusting
from tests.e2e.processes import family, outlived

R2 = {
    "R2_BUCKET": "digests",
    "R2_ENDPOINT": "https://r2.example",
    "R2_ACCESS_KEY": "access",
    "R2_SECRET_KEY": "canary",
}
FIELDS = [
    *("success", "repo_url", "key", "commit", "status", "error_class", "error"),
    *("attempts", "duration_seconds"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repositories"
    root.mkdir()
    return root


@pytest.fixture
def host(root: Path) -> Iterator[GitHost]:
    with GitHost(root) as host:
        yield host


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def ingest(tmp_path: Path, host: GitHost, store: Path) -> Iterator[Command]:
    """The program, for a user who trusts `host`; but for the store it must leave no file."""
    command = Command(
        program=INGEST,
        home=tmp_path / "home",
        scratch=tmp_path / "scratch",
        folder=tmp_path / "folder",
        variables={**trusting(host), "REPOMILL_STORE": str(store)},
    )
    for folder in (command.home, command.scratch, command.folder):
        folder.mkdir()
    yield command
    assert not list(command.scratch.iterdir())
    assert not list(command.home.iterdir())


def messages(ended: Ended) -> list[str]:
    return [line["message"] for line in ended.log]


def stored(store: Path) -> list[str]:
    """Return the keys of what other programs see."""
    files = (path.relative_to(store) for path in store.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] != "_repomill")


def failure(ended: Ended, error_class: str) -> str:
    """See that the repository failed for this reason, and return the words for it."""
    assert ended.code == 1
    assert list(ended.outcome) == FIELDS
    assert ended.outcome["success"] is False
    assert ended.outcome["status"] == "failed"
    assert ended.outcome["error_class"] == error_class
    assert ended.outcome["key"] is None
    assert "Traceback" not in ended.stderr
    found: str = ended.outcome["error"]
    return found


def test_a_repository_is_digested_into_the_store(host, ingest, root, store):
    commit = write_repository(root / "Owner" / "Name.git", {"README.md": b"# Name\n"})

    ended = ingest(host.url("Owner/Name"))

    assert ended.code == 0
    assert list(ended.outcome) == FIELDS
    assert ended.outcome["duration_seconds"] > 0
    assert {**ended.outcome, "duration_seconds": ...} == {
        "success": True,
        "repo_url": host.url("Owner/Name"),
        "key": "gitingest/Owner/Name/summary.txt",
        "commit": commit,
        "status": "stored",
        "error_class": None,
        "error": None,
        "attempts": 1,
        "duration_seconds": ...,
    }
    key = "gitingest/Owner/Name/summary.txt"
    assert stored(store) == [key, "metadata/Owner/Name.json"]
    digest = (store / key).read_bytes()
    assert digest.startswith(f"Repository: Owner/Name\nURL: {host.url('Owner/Name')}\n".encode())
    metadata = json.loads((store / "metadata" / "Owner" / "Name.json").read_bytes())
    assert metadata["commit"] == commit
    assert metadata["bytes"] == len(digest)
    head = LocalStore(store).head(key)
    assert head
    assert head.content_type == "text/plain; charset=utf-8"
    assert head.metadata["url"] == host.url("Owner/Name")
    assert head.metadata["commit"] == commit
    assert set(head.metadata) >= {"url", "commit", "processedat", "fingerprint"}


def test_without_a_bucket_a_folder_is_used_with_one_warning(host, ingest, root):
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})

    ended = ingest(host.url("owner/name"), REPOMILL_STORE="")

    assert ended.code == 0
    assert messages(ended) == [
        "No bucket is configured, digests go to a folder",
        "Processing repository",
        "Summary generated",
        "Processing statistics",
    ]
    assert [line["level"] for line in ended.log] == ["warning", "info", "info", "info"]
    assert set(ended.log[0]) == {"timestamp", "level", "message", "context"}
    store = ingest.folder / "digests"
    statistics = ended.last
    assert statistics["bytes_stored"] == sum((store / key).stat().st_size for key in stored(store))
    counts = [statistics[name] for name in ("total", "successful", "failed", "unchanged")]
    assert counts == [1, 1, 0, 0]
    for name in ("average_seconds", "p50_seconds", "p95_seconds", "elapsed_seconds"):
        assert statistics[name] >= 0


def test_a_missing_repository_fails(host, ingest, store):
    ended = ingest(host.url("owner/missing"))

    assert "check the URL" in failure(ended, "not_found")
    assert ended.outcome["repo_url"] == host.url("owner/missing")
    assert messages(ended)[-2:] == ["Processing failed", "Processing statistics"]
    assert ended.last["failed_by_class"] == {"not_found": 1}
    assert not store.exists()


def test_an_empty_repository_is_no_failure(host, ingest, root, store):
    write_repository(root / "owner" / "name.git", {"file": b""})
    (root / "owner" / "name.git" / "refs" / "heads" / "main").unlink()

    ended = ingest(host.url("owner/name"))

    assert ended.code == 0
    assert list(ended.outcome) == FIELDS
    assert ended.outcome["success"] is True
    assert ended.outcome["status"] == "empty"
    assert (ended.outcome["error_class"], ended.outcome["error"]) == (None, None)
    assert ended.last["failed"] == 0
    assert not store.exists()


def test_a_bad_url_fails_with_an_outcome(ingest):
    ended = ingest("https://user:canary@example.org/owner/name")

    assert "is no repository's URL" in failure(ended, "bad_url")
    assert "canary" not in ended.stdout.decode() + ended.stderr


def test_the_deadline_is_enforced(host, ingest, root):
    write_repository(root / "owner" / "name.git", {"file": b"x" * 1000})
    host.script("owner/name", Stall(after_bytes=100), on="git-upload-pack")

    with ingest.start(host.url("owner/name"), REPOMILL_TIMEOUT="2") as process:
        host.wait_for_requests(1, timeout_seconds=PATIENCE_SECONDS)
        with outlived(family(process.pid)):
            stopped = end_of(process)

    assert "--timeout" in failure(stopped, "timeout")
    assert 2 <= stopped.outcome["duration_seconds"] < 10
    assert messages(stopped)[-3:] == ["Timeout", "Processing failed", "Processing statistics"]
    assert facts(stopped.log[-3])["timeout_seconds"] == 2


def test_a_stopped_container_leaves_nothing(host, ingest):
    host.script("owner/name", Delay(60))

    with ingest.start(host.url("owner/name")) as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        with outlived(family(process.pid)):
            process.send_signal(signal.SIGTERM)
            stopped = end_of(process)

    assert stopped.code == 143
    assert "Traceback" not in stopped.stderr


def test_a_store_that_cannot_be_written_is_named(host, ingest, root, store):
    write_repository(root / "owner" / "name.git", {"file": b""})
    store.touch()

    assert str(store) in failure(ingest(host.url("owner/name")), "store")


def test_half_a_bucket_is_a_matter_of_usage(host, ingest):
    missing = ["R2_ENDPOINT", "R2_SECRET_KEY"]
    given = {name: value for name, value in R2.items() if name not in missing}

    ended = ingest(host.url("owner/name"), **given, **dict.fromkeys(missing[:1], ""))

    assert (ended.code, ended.stdout) == (2, b"")
    named = [name for name in R2 if name in ended.stderr]
    assert named == missing
    assert "canary" not in ended.stderr
    assert host.requests == []


def test_without_a_url_it_tells_how_it_is_used(ingest):
    ended = ingest()

    assert (ended.code, ended.stdout) == (2, b"")
    assert "REPO_URL" in ended.stderr


def test_a_token_that_the_host_repeats_is_not_in_the_outcome(host, ingest):
    host.script("owner/name", Redirect(host.url("users/canary")))
    tokens = json.dumps({host.authority: "canary"})

    ended = ingest(host.url("owner/name"), REPOMILL_TOKENS=tokens)

    assert failure(ended, "not_found")
    assert "canary" not in ended.stdout.decode() + ended.stderr
