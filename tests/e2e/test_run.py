"""`repomill run FEED`: every repository ends in one outcome, and nothing is left of the run."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import termios
from collections import Counter

import pytest

from repomill.demo.behaviours import Corrupt, Delay, RequireToken, Status
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from tests.e2e.command import PATIENCE_SECONDS, end_of, facts, trusting
from tests.e2e.processes import family, outlived

FILES = {"README.md": b"# Name\n", "src/main.py": b"print()\n"}
HOURS = 36_000.0


@pytest.fixture
def fleet(root, host):
    """Make repositories, and return the function that writes a feed of them."""
    for number in range(6):
        write_repository(root / "owner" / f"name{number}.git", {**FILES, "n": bytes([number])})

    def feed(*more, count=6):
        names = [f"owner/name{number}" for number in range(count)] + list(more)
        path = root.parent / "feed.txt"
        path.write_text("\n".join(host.url(name) for name in names))
        return path

    return feed


def outcomes(done):
    """Return what the log says of each repository: NAME → the facts of its last line."""
    found = {}
    for line in done.log:
        told = facts(line)
        if told["message"] in {"Summary generated", "Processing failed", "Repository is empty"}:
            name = told["repo_url"].rpartition("/")[2]
            assert name not in found, "one outcome each"
            found[name] = told
    return found


def messages(done, message):
    return [told for line in done.log if (told := facts(line))["message"] == message]


def test_every_repository_is_stored(run, fleet, tmp_path):
    done = run("run", fleet(), "--store", tmp_path / "store")
    assert done.code == 0
    assert done.stdout == b""
    assert {told["status"] for told in outcomes(done).values()} == {"stored"}
    for number in range(6):
        digest = tmp_path / "store" / "gitingest" / "owner" / f"name{number}" / "summary.txt"
        assert digest.read_text().startswith(f"Repository: owner/name{number}\n")
        metadata = tmp_path / "store" / "metadata" / "owner" / f"name{number}.json"
        assert json.loads(metadata.read_text())["repository"] == f"owner/name{number}"


def test_the_digest_of_a_run_is_that_of_the_digest_command(run, fleet, host, tmp_path):
    run("run", fleet(), "--store", tmp_path / "store")
    alone = run("digest", host.url("owner/name3")).stdout
    stored = tmp_path / "store" / "gitingest" / "owner" / "name3" / "summary.txt"
    assert stored.read_bytes() == alone


def test_the_statistics_add_up(run, fleet, root, host, tmp_path):
    subprocess.run(["git", "init", "-q", "--bare", root / "owner" / "empty.git"], check=True)
    done = run("run", fleet("no/such", "owner/empty"), "--store", tmp_path / "store")
    told = messages(done, "Processing statistics")[-1]
    assert (told["total"], told["successful"], told["failed"]) == (8, 7, 1)
    assert told["failed_by_class"] == {"not_found": 1}
    stored = sum(
        path.stat().st_size
        for folder in ("gitingest", "metadata")
        for path in (tmp_path / "store" / folder).rglob("*")
        if path.is_file()
    )
    assert told["bytes_stored"] == stored
    assert told["elapsed_seconds"] >= told["p95_seconds"] >= told["p50_seconds"] > 0


def test_a_host_that_fails_twice_is_tried_three_times(run, fleet, host, tmp_path):
    host.script("owner/name1", Status(503), times=2, on="info/refs")
    done = run("run", fleet(), "--store", tmp_path / "store")
    retries = messages(done, "Retrying")
    assert [(told["attempt"], told["delay_seconds"]) for told in retries] == [(1, 1.0), (2, 2.0)]
    assert {told["max_attempts"] for told in retries} == {3}
    told = outcomes(done)["name1"]
    assert (told["status"], told["attempt"]) == ("stored", 3)
    assert told["duration_seconds"] > 3.0
    asked = [r for r in host.requests if r.repository == "owner/name1" and r.part == "info/refs"]
    assert len(asked) == 3


def test_a_host_that_always_fails_is_given_up_and_the_run_goes_on(run, fleet, host, tmp_path):
    host.script("owner/name1", Status(500))
    done = run("run", fleet(), "--store", tmp_path / "store")
    assert done.code == 0
    found = outcomes(done)
    assert (found["name1"]["error_class"], found["name1"]["attempts"]) == ("network", 3)
    assert Counter(told.get("status") for told in found.values()) == {"stored": 5, None: 1}


def test_a_host_that_asks_for_patience_is_given_it(run, fleet, host, tmp_path):
    host.script("owner/name1", Status(429, {"Retry-After": "3"}), times=2)  # git's, then ours
    done = run("run", fleet(), "--store", tmp_path / "store")
    (told,) = messages(done, "Retrying")
    assert (told["error_class"], told["delay_seconds"]) == ("rate_limited", 3.0)
    assert outcomes(done)["name1"]["status"] == "stored"


def test_nothing_is_waited_for_beyond_the_deadline(run, fleet, host, tmp_path):
    host.script("owner/name1", Status(429, {"Retry-After": "60"}))
    done = run("run", fleet(), "--store", tmp_path / "store", "--timeout", 20)
    assert messages(done, "Retrying") == []
    assert outcomes(done)["name1"]["error_class"] == "rate_limited"


@pytest.mark.parametrize(
    ("behaviour", "error_class", "attempts"),
    [
        (Status(404), "not_found", 1),
        (RequireToken("unknown"), "auth", 1),
        (Status(451), "blocked", 1),
        (Corrupt(), "corrupt", 2),
    ],
)
def test_each_fault_costs_one_repository(
    run, fleet, host, tmp_path, behaviour, error_class, attempts
):
    host.script("owner/name1", behaviour)
    done = run("run", fleet(), "--store", tmp_path / "store")
    found = outcomes(done)
    assert (found["name1"]["error_class"], found["name1"]["attempts"]) == (error_class, attempts)
    assert len([told for told in found.values() if told.get("status") == "stored"]) == 5


def test_a_silent_host_costs_one_repository_and_leaves_no_process(run, fleet, host, tmp_path):
    host.script("owner/name1", Delay(HOURS))
    with run.start("run", fleet(), "--store", tmp_path / "store", "--timeout", 3) as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        with outlived(family(process.pid)):
            done = end_of(process)
    told = outcomes(done)["name1"]
    assert told["error_class"] == "timeout"
    assert 2 < told["duration_seconds"] < HOURS
    assert messages(done, "Timeout")[0]["timeout_seconds"] == 3
    assert done.code == 0


@pytest.mark.parametrize(("limit", "code"), [("0", 3), ("1", 0), ("10%", 3), ("20%", 0)])
def test_more_failures_than_allowed_make_exit_code_3(run, fleet, tmp_path, limit, code):
    feed = fleet("no/such", count=5)
    assert run("run", feed, "--store", tmp_path / "store", "--max-failures", limit).code == code


def test_the_limit_bounds_the_run(run, fleet, tmp_path):
    done = run("run", fleet(), "--store", tmp_path / "store", "--limit", 2)
    assert sorted(outcomes(done)) == ["name0", "name1"]


def test_two_repositories_with_one_key_are_both_refused(run, fleet, host, root, ca, tmp_path):
    with GitHost(root, ca=ca) as other:
        feed = fleet()
        feed.write_text(f"{feed.read_text()}\n{other.url('owner/name1')}\n")
        done = run("run", feed, "--store", tmp_path / "store", **trusting(host, other))
        refused = messages(done, "Processing failed")
        assert [told["error_class"] for told in refused] == ["bad_key", "bad_key"]
        assert {told["repo_url"] for told in refused} == {
            host.url("owner/name1"),
            other.url("owner/name1"),
        }
        assert messages(done, "Processing statistics")[-1]["successful"] == 5
        apart = run(
            *("run", feed, "--store", tmp_path / "apart", "--key", "{host}/{owner}/{name}"),
            **trusting(host, other),
        )
        assert messages(apart, "Processing statistics")[-1]["successful"] == 7


def test_of_equal_entries_the_first_counts(run, fleet, host, tmp_path):
    feed = fleet()
    feed.write_text(f"{feed.read_text()}\n{host.url('owner/name1')}.git/\n")
    done = run("run", feed, "--store", tmp_path / "store")
    assert len(outcomes(done)) == 6
    assert messages(done, "Feed read")[0]["duplicates"] == 1


def test_an_entry_that_cannot_be_used_costs_only_itself(run, fleet, tmp_path):
    feed = fleet()
    feed.write_text(f"http://example.org/o/n\n{feed.read_text()}\nnot a url\n")
    done = run("run", feed, "--store", tmp_path / "store")
    assert [told["position"] for told in messages(done, "Feed entry cannot be used")] == [1, 8]
    assert (done.code, len(outcomes(done))) == (0, 6)


def test_a_truncated_feed_is_done_as_far_as_it_goes(run, fleet, host, tmp_path):
    fleet()
    feed = tmp_path / "repos.json"
    whole = json.dumps([{"url": host.url(f"owner/name{number}")} for number in range(6)])
    feed.write_text(whole[: len(whole) * 3 // 4])
    done = run("run", feed, "--store", tmp_path / "store")
    assert done.code == 1
    assert set(outcomes(done)) == {f"name{number}" for number in range(4)}
    assert messages(done, "Feed cannot be used")


@pytest.mark.parametrize("text", ["<!doctype html><html></html>", "", '{"message": "Not Found"}'])
def test_a_feed_that_is_none_is_said_to_be_none(run, tmp_path, text):
    feed = tmp_path / "feed"
    feed.write_text(text)
    done = run("run", feed, "--store", tmp_path / "store")
    assert done.code == 1
    assert messages(done, "Feed cannot be used")


def test_a_store_that_takes_nothing_ends_the_run_before_it_begins(run, fleet, host, tmp_path):
    blocked = tmp_path / "store"
    blocked.write_text("a file where the folder should be")
    done = run("run", fleet(), "--store", blocked)
    assert done.code == 1
    assert "takes no files" in done.stderr
    assert "Traceback" not in done.stderr
    assert host.requests == []


def test_an_upload_that_fails_costs_one_repository_and_is_not_fetched_again(
    run, fleet, host, tmp_path
):
    blocked = tmp_path / "store" / "gitingest" / "owner" / "name0"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder should be")
    done = run("run", fleet(), "--store", tmp_path / "store")
    found = outcomes(done)
    assert (found["name0"]["error_class"], found["name0"]["attempts"]) == ("store", 1)
    assert len([told for told in found.values() if told.get("status") == "stored"]) == 5
    assert len([r for r in host.requests if r.repository == "owner/name0"]) == 3


@pytest.mark.parametrize(
    "option",
    [
        ("--timeout", "nan"),
        ("--grace", "inf"),
        ("--memory", "1MiB"),
        ("--workers", "0"),
        ("--workers", "100000"),
        ("--max-failures", "-1"),
        ("--max-failures", "x%"),
        ("--max-file-size", "99999999999T"),
        ("--key", "{owner}"),
    ],
    ids=" ".join,
)
def test_a_value_that_makes_no_sense_is_a_matter_of_usage(run, fleet, host, option):
    done = run("run", fleet(), *option)
    assert done.code == 2
    assert "Error:" in done.stderr
    assert host.requests == []


def test_sigterm_lets_what_is_at_work_end(run, fleet, host, tmp_path):
    host.script("owner/name0", Delay(1), times=1)
    options = ("--store", tmp_path / "store", "--workers", 1, "--grace", 30)
    with run.start("run", fleet(), *options) as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        with outlived(family(process.pid)):
            process.send_signal(signal.SIGTERM)
            done = end_of(process)
    assert done.code == 143
    assert list(outcomes(done)) == ["name0"]
    assert messages(done, "Processing statistics")[-1]["total"] == 1


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_what_outlasts_the_grace_is_abandoned(run, fleet, host, tmp_path, name, code):
    host.script("owner/name0", Delay(HOURS))
    options = ("--store", tmp_path / "store", "--workers", 1, "--grace", 0.5)
    with run.start("run", fleet(), *options) as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        with outlived(family(process.pid)):
            process.send_signal(signal.Signals[name])
            done = end_of(process)
    assert done.code == code
    assert outcomes(done) == {}
    assert [told["repo_url"] for told in messages(done, "Abandoned")] == [host.url("owner/name0")]


def test_ctrl_c_on_a_terminal_stops_the_run(run, fleet, host, tmp_path):
    host.script("owner/name0", Delay(HOURS))
    terminal, theirs = pty.openpty()
    command = [*run.program, "run", str(fleet()), "--store", str(tmp_path / "store")]
    process = subprocess.Popen(
        [*command, "--grace", "1"],
        env=run.environment(TERM="xterm", COLUMNS="200"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=become_foreground,  # noqa: PLW1509 one thread, and nothing else does it
    )
    os.close(theirs)
    shown = read_until(terminal, b"owner/name0")
    host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
    with outlived(family(process.pid)):
        os.write(terminal, b"\x03")
        shown += read_until(terminal, None)
        assert process.wait(30) == 130
    os.close(terminal)
    assert b"Interrupted" in shown
    assert b'{"timestamp"' not in shown, "no JSON where a person reads"


def become_foreground():
    """Make the terminal on stdin the controlling one, so that Ctrl-C comes as for a user."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read_until(terminal, text):
    """Return what the terminal shows until *text* is in it, or until its end."""
    shown = b""
    while text is None or text not in shown:
        assert select.select([terminal], [], [], 30)[0], shown
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    return shown


def test_the_sudden_end_of_a_run_ends_everything_below(run, fleet, host, tmp_path):
    host.script("owner/name0", Delay(HOURS))
    with run.start("run", fleet(), "--store", tmp_path / "store") as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        with outlived(family(process.pid), seconds=2):
            process.kill()


def test_no_secret_reaches_a_process_below_the_supervisor(run, fleet, host, tmp_path):
    host.script("owner/name0", Delay(HOURS))
    secrets = {
        "GITHUB_TOKEN": "canary-github",
        "REPOMILL_TOKENS": json.dumps({"elsewhere.example": "canary-elsewhere"}),
        "R2_SECRET_KEY_OF_ANOTHER": "canary-store",
        "AWS_SECRET_ACCESS_KEY": "canary-aws",
    }
    with run.start("run", fleet(), "--store", tmp_path / "store", **secrets) as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        below = [one for one in family(process.pid) if one.pid != process.pid]
        assert len(below) >= 4, "forkserver, nanny, worker, git"
        assert all(b"canary" not in one.environment + one.arguments for one in below)
        with outlived(below):
            process.kill()
