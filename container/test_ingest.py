"""`python ingest.py REPO_URL`, as an orchestrator runs it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from repomill.demo.behaviours import Delay, Redirect, Stall, Status
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from repomill.shards import Shard
from repomill.stores.local import LocalStore
from tests.e2e.command import INGEST, PATIENCE_SECONDS, Command, Ended, end_of, facts, trusting
from tests.e2e.processes import family, outlived
from tests.e2e.shards import names_in

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
    """The program, for a user who trusts `host`; but for store and cache it must leave no file."""
    command = Command(
        program=INGEST,
        home=tmp_path / "home",
        scratch=tmp_path / "scratch",
        folder=tmp_path / "folder",
        variables={
            **trusting(host),
            "REPOMILL_STORE": str(store),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
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
    assert stored(store) == []


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
    assert stored(store) == []


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


def retries(ended: Ended) -> list[tuple[object, ...]]:
    """Return attempt, delay and class of each retry."""
    told = [facts(line) for line in ended.log if line["message"] == "Retrying"]
    return [(one["attempt"], one["delay_seconds"], one["error_class"]) for one in told]


def test_a_fault_that_passes_is_tried_again_with_back_off(host, ingest, root):
    write_repository(root / "owner" / "name.git", {"file": b""})
    host.script("owner/name", Status(503), times=2)

    ended = ingest(host.url("owner/name"))

    assert (ended.code, ended.outcome["success"], ended.outcome["attempts"]) == (0, True, 3)
    assert retries(ended) == [(1, 1.0, "network"), (2, 2.0, "network")]


def test_after_three_attempts_it_is_given_up(host, ingest):
    host.script("owner/name", Status(503))

    ended = ingest(host.url("owner/name"))

    assert failure(ended, "network")
    assert ended.outcome["attempts"] == 3
    assert retries(ended) == [(1, 1.0, "network"), (2, 2.0, "network")]
    assert len(host.requests) == 3
    assert messages(ended)[-2:] == ["Processing failed", "Processing statistics"]


def test_a_key_that_the_store_does_not_take_is_refused_before_anything_is_fetched(
    host, ingest, store
):
    ended = ingest(host.url("owner/" + "n" * 251))

    assert failure(ended, "bad_key")
    assert host.requests == []
    assert stored(store) == []


def test_an_outcome_is_true_whatever_the_keys_are(host, ingest, root):
    write_repository(root / "owner" / "canary.git", {"file": b""})

    ended = ingest(host.url("owner/canary"), AWS_SECRET_ACCESS_KEY=R2["R2_SECRET_KEY"])

    assert ended.outcome["repo_url"] == host.url("owner/canary")
    assert ended.outcome["key"] == "gitingest/owner/canary/summary.txt"


def test_a_shard_that_is_meant_for_runs_is_none_of_its_business(host, ingest, root):
    write_repository(root / "owner" / "name.git", {"file": b""})

    assert ingest(host.url("owner/name"), REPOMILL_SHARD="auto").code == 0


def write_feed(host: GitHost, root: Path, *names: str) -> dict[str, str]:
    """Make the repositories; return the variable of a user whose feed they are."""
    for name in names:
        write_repository(root / "owner" / f"{name}.git", {"README.md": b"# Name\n"})
    feed = root / "feed.txt"
    feed.write_text("".join(f"{host.url(f'owner/{name}')}\n" for name in names))
    return {"REPOMILL_FEED": str(feed)}


def outcomes(ended: Ended) -> list[dict[str, object]]:
    """Return what is on stdout, a JSON object a line, by URL."""
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert all(list(line) == FIELDS for line in lines)
    return sorted(lines, key=lambda line: line["repo_url"])


NAMES = [f"name{number}" for number in range(6)]


def test_batches_do_the_feed_together_an_outcome_a_line(host, ingest, root, store):
    parts_of_two = [Shard(index, 2) for index in (0, 1)]
    names = sorted(
        name
        for part in parts_of_two
        for name in names_in(part, lambda name: host.url(f"owner/{name}"))
    )
    feed = write_feed(host, root, *names)

    parts = [ingest("--batch-size", 2, "--offset", offset, **feed) for offset in (0, 1)]

    assert [part.code for part in parts] == [0, 0]
    told = [outcome for part in parts for outcome in outcomes(part)]
    assert sorted(str(outcome["repo_url"]) for outcome in told) == [
        host.url(f"owner/{name}") for name in names
    ]
    assert {outcome["status"] for outcome in told} == {"stored"}
    assert [outcome["key"] for outcome in told if outcome["key"] not in stored(store)] == []
    for part in parts:
        assert part.last["message"] == "Processing statistics"
        assert part.last["total"] == len(outcomes(part)) == 3


def test_a_batch_is_not_done_twice_but_told_again(host, ingest, root):
    feed = write_feed(host, root, *NAMES[:2], "missing")
    (root / "owner" / "missing.git").rename(root / "gone.git")
    first = outcomes(ingest("--batch-size", 1, "--offset", 0, **feed))
    host.clear()

    second = outcomes(ingest("--batch-size", 1, "--offset", 0, **feed))

    assert [line["status"] for line in second] == ["failed", "unchanged", "unchanged"]
    assert [line["commit"] for line in second] == [line["commit"] for line in first]
    assert [line["key"] for line in second] == [line["key"] for line in first]
    assert {request.part for request in host.requests} == {"info/refs"}


def test_a_repository_that_is_stored_already_is_not_stored_again(host, ingest, root, store):
    write_repository(root / "owner" / "name.git", {"file": b""})
    first = ingest(host.url("owner/name")).outcome
    digest = store / str(first["key"])
    written = digest.stat()

    second = ingest(host.url("owner/name")).outcome

    assert (second["status"], second["success"]) == ("unchanged", True)
    assert (second["key"], second["commit"]) == (first["key"], first["commit"])
    assert (digest.stat().st_ino, digest.stat().st_mtime_ns) == (
        written.st_ino,
        written.st_mtime_ns,
    )


def test_a_repository_of_a_batch_that_fails_costs_itself_alone(host, ingest, root):
    feed = write_feed(host, root, *NAMES[:3])
    host.script("owner/name1", Stall())

    ended = ingest("--batch-size", 1, "--offset", 0, "--timeout", 2, **feed)

    assert ended.code == 0
    assert [outcome["error_class"] for outcome in outcomes(ended)] == [None, "timeout", None]
    assert [outcome["success"] for outcome in outcomes(ended)] == [True, False, True]


def test_too_many_failures_of_a_batch_are_told_by_the_code(host, ingest, root):
    feed = write_feed(host, root, "name")
    host.script("owner/name", Redirect(host.url("users/sign_in")))

    ended = ingest("--batch-size", 1, "--offset", 0, **feed, REPOMILL_MAX_FAILURES="0")

    assert ended.code == 3


def test_a_dry_run_names_what_a_batch_holds_and_touches_nothing(host, ingest, root, store):
    feed = write_feed(host, root, *NAMES)

    parts = [
        ingest("--batch-size", 2, "--offset", offset, "--dry-run", **feed) for offset in (0, 1)
    ]

    planned = [outcome for part in parts for outcome in outcomes(part)]
    assert sorted(str(outcome["key"]) for outcome in planned) == [
        f"gitingest/owner/{name}/summary.txt" for name in NAMES
    ]
    assert {(outcome["success"], outcome["status"]) for outcome in planned} == {(None, "planned")}
    assert host.requests == []
    assert not store.exists()


def test_a_feed_that_is_none_fails(host, ingest, root):
    (root / "feed.json").write_text("{")

    ended = ingest("--batch-size", 1, "--offset", 0, REPOMILL_FEED=str(root / "feed.json"))

    assert (ended.code, ended.stdout) == (1, b"")
    assert messages(ended)[-1] == "Feed cannot be used"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--batch-size", "2"),
        ("--offset", "0"),
        ("--batch-size", "2", "--offset", "2"),
        ("--batch-size", "0", "--offset", "0"),
        ("--batch-size", "two", "--offset", "0"),
        ("--batch-size", "2", "--offset", "-1"),
        ("--dry-run",),
        ("https://example.org/owner/name", "--dry-run"),
        ("https://example.org/owner/name", "--batch-size", "2", "--offset", "0"),
        ("https://example.org/owner/name", "https://example.org/owner/name2"),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_together_is_a_matter_of_usage(ingest, arguments):
    ended = ingest(*arguments)

    assert (ended.code, ended.stdout) == (2, b"")
    assert "Traceback" not in ended.stderr


def test_a_key_template_names_the_digest(host, ingest, root, store):
    write_repository(root / "owner" / "name.git", {"file": b""})

    ended = ingest(host.url("owner/name"), REPOMILL_KEY="{owner}.{name}")

    assert ended.outcome["key"] == "gitingest/owner.name/summary.txt"
    assert "gitingest/owner.name/summary.txt" in stored(store)


def test_a_store_that_is_out_of_reach_fails_before_anything_is_fetched(host, ingest):
    ended = ingest(
        host.url("owner/name"),
        **{**R2, "R2_ENDPOINT": "http://127.0.0.1:9"},  # discard: nobody listens
        REPOMILL_STORE="",
        REPOMILL_STORE_PATIENCE="0.1",
    )

    assert "check R2_ENDPOINT" in failure(ended, "store")
    assert ended.outcome["attempts"] == 0
    assert messages(ended)[-2:] == ["Processing failed", "Processing statistics"]
    assert "canary" not in ended.stdout.decode() + ended.stderr
    assert host.requests == []
