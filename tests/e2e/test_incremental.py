"""`repomill run`, and again: no work is done twice, wherever it runs and whatever is lost."""

import json
import signal
import sqlite3
from contextlib import ExitStack
from dataclasses import replace

import pygit2
import pytest

from repomill.demo.behaviours import Delay, Redirect, Stall, Status
from repomill.demo.repositories import write_branch
from repomill.ledger import parts
from repomill.ledger.parts import CORRUPT_FOLDER
from repomill.shards import Shard
from tests.e2e.command import INGEST, PATIENCE_SECONDS, end_of, wait_for
from tests.e2e.incremental import (
    LATER,
    PUSHED,
    Fleet,
    Folder,
    RecordedBucket,
    decided,
    outcomes,
    told,
)
from tests.e2e.shards import names_in
from tests.s3.recording import Recorder

HOURS = 36_000.0
RUN_SECONDS = 100
NAMES = ("a", "b", "c", "d")
FEED = dict.fromkeys(NAMES, PUSHED)


@pytest.fixture
def fleet(host, root, tmp_path):
    fleet = Fleet(host, root, tmp_path)
    fleet.make(*NAMES)
    return fleet


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "store")


@pytest.fixture
def recorded_bucket(seaweedfs, bucket):
    with Recorder(seaweedfs.port) as recorder:
        yield RecordedBucket(recorder, seaweedfs, bucket)


@pytest.fixture(params=["folder", "bucket"])
def shelf(request):
    """A store of either kind."""
    name = "folder" if request.param == "folder" else "recorded_bucket"
    return request.getfixturevalue(name)


@pytest.fixture
def repomill(run, fleet):
    """Return the function that runs a feed into a store, and looks at what this run alone did."""

    def call(feed, shelf, *options, code=0, disk="disk", said=None, cut=False):
        fleet.host.clear()
        shelf.deeds()
        variables = {**shelf.variables, "XDG_CACHE_HOME": str(run.folder / disk)}
        path = fleet.feed(feed, said=said, cut=cut)
        with run.start("run", path, *options, **variables) as process:
            ended = end_of(process, seconds=RUN_SECONDS)
        assert ended.code == code, ended.stderr
        assert "Traceback" not in ended.stderr
        return ended

    return call


def test_what_has_not_changed_is_not_fetched_and_not_stored(repomill, fleet, shelf):
    assert outcomes(repomill(FEED, shelf)) == dict.fromkeys(NAMES, "stored")
    assert fleet.fetched() == dict.fromkeys(NAMES, 1)
    assert [deed for deed, _ in shelf.deeds_outside()] == ["written"] * 8

    again = repomill(FEED, shelf)

    assert decided(again) == {"unchanged": 4}
    assert outcomes(again) == {}
    assert told(again, "Processing statistics")["unchanged"] == 4
    assert fleet.host.requests == []
    assert shelf.deeds_outside() == []


def test_without_a_time_in_the_feed_each_host_is_asked_once(repomill, fleet, folder):
    repomill(NAMES, folder)
    fleet.commit("b", "changed")

    again = repomill(NAMES, folder)

    assert decided(again) == {"ask_its_host": 4}
    assert outcomes(again) == {**dict.fromkeys(NAMES, "unchanged"), "b": "stored"}
    assert fleet.fetched() == {"b": 1}
    assert fleet.asked() == {"a": 1, "b": 2, "c": 1, "d": 1}
    assert {key.split("/")[2].partition(".")[0] for _, key in folder.deeds_outside()} == {"b"}

    assert set(outcomes(repomill(NAMES, folder)).values()) == {"unchanged"}
    assert [one.part for one in fleet.host.requests] == ["info/refs"] * 4
    assert folder.deeds_outside() == []


def test_what_was_pushed_to_is_fetched_and_stored_if_its_commit_is_another(repomill, fleet, shelf):
    repomill(FEED, shelf)
    before = shelf.digests()
    head = shelf.head("c")
    long_ago = {**head.metadata, "processedat": "2026-01-01T00:00:00Z"}
    shelf.store.refresh(
        "gitingest/owner/c/summary.txt", content_type=head.content_type, metadata=long_ago
    )
    commit = fleet.commit("b", "changed")

    moved = repomill({**FEED, "b": LATER, "c": LATER}, shelf)

    assert decided(moved) == {"changed": 2, "unchanged": 2}
    assert outcomes(moved) == {"b": "stored", "c": "unchanged"}
    assert fleet.fetched() == {"b": 1, "c": 1}
    assert shelf.deeds_outside() == [
        ("refreshed", "gitingest/owner/c/summary.txt"),
        ("written", "gitingest/owner/b/summary.txt"),
        ("written", "metadata/owner/b.json"),
    ]
    after = shelf.digests()
    assert b"# changed\n" in after["b"]
    assert {name for name in after if after[name] != before[name]} == {"b"}
    assert shelf.head("b").metadata["commit"] == commit
    assert {name: shelf.head(name).metadata["pushedat"] for name in NAMES} == {
        **FEED,
        "b": LATER,
        "c": LATER,
    }
    refreshed = shelf.head("c").metadata
    assert refreshed["processedat"] >= head.metadata["processedat"]
    renewed = {name: refreshed[name] for name in ("pushedat", "processedat")}
    assert shelf.head("c") == replace(head, metadata={**head.metadata, **renewed})


def test_other_options_and_force_do_everything_once_more(repomill, fleet, folder):
    repomill(FEED, folder)

    smaller = repomill(FEED, folder, "--max-file-size", "3")
    assert decided(smaller) == {"options_changed": 4}
    assert fleet.fetched() == dict.fromkeys(NAMES, 1)
    assert all(b"# a\n" not in digest for digest in folder.digests().values())

    forced = repomill(FEED, folder, "--max-file-size", "3", "--force")
    assert decided(forced) == {"forced": 4}
    assert outcomes(forced) == dict.fromkeys(NAMES, "stored")
    assert fleet.fetched() == dict.fromkeys(NAMES, 1)


def test_what_the_feed_says_otherwise_is_digested_again_alone(repomill, fleet, recorded_bucket):
    shelf = recorded_bucket
    said = {
        "b": {"license": "MIT", "description": "Counts votes"},
        "c": {"description": "Runs elections"},
    }
    repomill(FEED, shelf, said=said)
    assert nothing_to_do(repomill(FEED, shelf, said=said), fleet, shelf)
    before = shelf.digests()
    assert header(before["a"])[-1].startswith("Committed: ")
    assert header(before["b"])[-2:] == ["License: MIT", "Description: Counts votes"]
    assert header(before["c"])[-1] == "Description: Runs elections"

    said["b"]["description"] = "Counts votes, twice"
    dry = json.loads(repomill(FEED, shelf, "--dry-run", "--format", "json", said=said).stdout)
    assert (dry["todo"], dry["skipped"]) == ({"feed facts changed": 1}, {"unchanged": 3})
    again = repomill(FEED, shelf, said=said)

    assert decided(again) == {"feed_facts_changed": 1, "unchanged": 3}
    assert outcomes(again) == {"b": "stored"}
    assert fleet.fetched() == {"b": 1}
    assert {key.split("/")[2].partition(".")[0] for _, key in shelf.deeds_outside()} == {"b"}
    after = shelf.digests()
    assert after == {
        **before,
        "b": before["b"].replace(b"Counts votes\n", b"Counts votes, twice\n"),
    }
    assert header(after["b"])[-1] == "Description: Counts votes, twice"
    assert nothing_to_do(repomill(FEED, shelf, said=said), fleet, shelf)


def test_what_the_feed_says_is_known_where_only_the_store_is(repomill, fleet, folder):
    said = {name: {"description": f"What {name} does", "license": "MIT"} for name in NAMES}
    repomill(FEED, folder, said=said)
    folder.lose_the_ledger()
    folder.deeds()

    assert nothing_to_do(repomill(FEED, folder, disk="elsewhere", said=said), fleet, folder)

    moved = {**FEED, "d": LATER}
    assert outcomes(repomill(moved, folder, said=said)) == {"d": "unchanged"}
    assert folder.deeds_outside() == [("refreshed", "gitingest/owner/d/summary.txt")]
    folder.lose_the_ledger()
    folder.deeds()
    assert nothing_to_do(repomill(moved, folder, disk="another", said=said), fleet, folder)


def nothing_to_do(ended, fleet, shelf):
    """Return whether a run found all of its feed unchanged."""
    idle = decided(ended) == {"unchanged": len(NAMES)}
    return idle and fleet.host.requests == [] and shelf.deeds_outside() == []


def header(digest):
    return digest.decode().partition("\n\n")[0].splitlines()


def test_failures_wait_unless_they_are_to_be_tried_again(repomill, fleet, folder):
    fleet.host.script("owner/a", Status(500), times=1)
    feed = {**FEED, "missing": PUSHED}

    first = repomill(feed, folder, "--attempts", 1)
    assert outcomes(first) == {
        **dict.fromkeys(NAMES, "stored"),
        "a": "failed",
        "missing": "failed",
    }

    second = repomill(feed, folder)
    assert decided(second) == {"retry_due": 1, "unchanged": 3, "failed_waiting": 1}
    assert outcomes(second) == {"a": "stored"}
    assert told(second, "Processing statistics")["waiting"] == 1
    assert set(fleet.asked()) == {"a"}

    fleet.make("missing")
    third = repomill(feed, folder, "--retry-failed")
    assert decided(third) == {"retry_due": 1, "unchanged": 4}
    assert outcomes(third) == {"missing": "stored"}


def test_a_failure_does_not_lose_the_digest_from_sight(repomill, fleet, folder):
    repomill(FEED, folder)
    fleet.host.script("owner/a", Status(500), times=1)

    failed = repomill({**FEED, "a": LATER}, folder, "--attempts", 1)
    assert outcomes(failed) == {"a": "failed"}
    assert folder.deeds_outside() == []

    assert outcomes(repomill({**FEED, "a": LATER}, folder)) == {"a": "unchanged"}
    assert folder.deeds_outside() == [("refreshed", "gitingest/owner/a/summary.txt")]


def test_an_empty_repository_waits_for_a_push(repomill, fleet, folder):
    pygit2.init_repository(str(fleet.path("empty")), bare=True)
    feed = {"a": PUSHED, "empty": PUSHED}

    assert outcomes(repomill(feed, folder)) == {"a": "stored", "empty": "empty"}
    assert decided(repomill(feed, folder)) == {"unchanged": 1, "still_empty": 1}
    assert fleet.host.requests == []

    fleet.commit("empty", "no more")
    again = repomill({**feed, "empty": LATER}, folder)
    assert outcomes(again) == {"empty": "stored"}


def test_a_branch_and_what_has_moved(repomill, fleet, folder):
    tip = fleet.commit("a", "of the branch")
    write_branch(fleet.path("a"), "side", tip)
    fleet.commit("a", "of main")
    fleet.host.script("owner/old", Redirect(fleet.url("b") + "{rest}"))
    feed = ["a/tree/side", "old", "c"]
    assert set(outcomes(repomill(feed, folder)).values()) == {"stored"}
    assert b"# of the branch\n" in folder.digests()["a"]

    again = repomill(feed, folder)

    assert outcomes(again) == {"a": "unchanged", "old": "unchanged", "c": "unchanged"}
    assert fleet.fetched() == {"a": 1}, "the host is only asked for its HEAD"
    assert fleet.asked() == {"a": 1, "old": 1, "b": 1, "c": 1}
    assert all(deed == "refreshed" for deed, _ in folder.deeds_outside())

    fleet.commit("b", "changed")
    assert outcomes(repomill(feed, folder))["old"] == "stored"
    assert b"# changed\n" in folder.digests()["old"]


def test_on_another_machine_and_without_the_ledger_nothing_is_done_twice(
    repomill, fleet, recorded_bucket
):
    shelf = recorded_bucket
    repomill(FEED, shelf)

    elsewhere = repomill(FEED, shelf, disk="elsewhere")
    assert decided(elsewhere) == {"unchanged": 4}
    assert fleet.host.requests == []
    assert shelf.deeds_outside() == []

    shelf.lose_the_ledger()
    lost = repomill(FEED, shelf, disk="elsewhere")
    assert decided(lost) == {"unchanged": 4}
    assert fleet.host.requests == []
    assert shelf.deeds_outside() == []
    assert shelf.recorded() == dict.fromkeys(NAMES, "stored"), "it is recorded again"


def test_a_corrupt_part_is_named_and_set_aside(repomill, fleet, folder):
    repomill(FEED, folder)
    (name,) = parts.names(folder.store)
    damage = folder.store.get(name)[:-20]
    folder.store.put(name, damage, content_type="application/gzip", metadata={})

    again = repomill(FEED, folder, disk="elsewhere")

    corrupt = told(again, "A part of the ledger is corrupt")
    assert corrupt["part"] == name
    assert corrupt["set_aside"].startswith(CORRUPT_FOLDER)
    assert folder.store.get(corrupt["set_aside"]) == damage
    assert folder.store.get(name) is None
    assert decided(again) == {"unchanged": 4}
    assert fleet.host.requests == []
    assert folder.deeds_outside() == []


def test_a_corrupt_index_is_named_and_set_aside(repomill, run, fleet, folder):
    repomill(FEED, folder)
    (index,) = (run.folder / "disk" / "repomill").glob("*.sqlite")
    spoil(index)

    again = repomill(FEED, folder)

    message = "The ledger's index is damaged and set aside; it is made anew from the store"
    corrupt = told(again, message)
    assert corrupt["path"] == str(index)
    assert decided(again) == {"unchanged": 4}
    assert fleet.host.requests == []
    assert folder.deeds_outside() == []


def spoil(index):
    """Turn over the page that holds the outcomes, and leave all others as they are."""
    with sqlite3.connect(index) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'outcome'")
        (size,) = database.execute("PRAGMA page_size")
    database.close()
    body = bytearray(index.read_bytes())
    start = (page[0] - 1) * size[0]
    body[start : start + size[0]] = bytes(255 - byte for byte in body[start : start + size[0]])
    index.write_bytes(body)


def test_two_shards_at_once_leave_nothing_for_a_run_without(repomill, run, fleet, recorded_bucket):
    halves = [names_in(Shard(n, 2), fleet.url) for n in range(2)]
    names = [name for half in halves for name in half]
    fleet.make(*names)
    feed = dict.fromkeys(names, PUSHED)
    path = fleet.feed(feed)
    with ExitStack() as running:
        both = [
            running.enter_context(
                run.start("run", path, "--shard", f"{n}/2", **recorded_bucket.variables)
            )
            for n in range(2)
        ]
        ended = [end_of(process, seconds=RUN_SECONDS) for process in both]
    assert [one.code for one in ended] == [0, 0], [one.stderr for one in ended]
    assert [outcomes(one) for one in ended] == [dict.fromkeys(half, "stored") for half in halves]

    assert decided(repomill(feed, recorded_bucket)) == {"unchanged": len(feed)}
    assert fleet.host.requests == []
    assert recorded_bucket.deeds_outside() == []


def test_two_runs_on_one_index_are_one_too_many(run, fleet, folder, tmp_path):
    fleet.host.script("owner/a", Delay(HOURS))
    feed = fleet.feed(FEED)
    options = ("--ledger", tmp_path / "index.sqlite", "--workers", 1)
    with run.start("run", feed, *options, "--grace", 0.5, **folder.variables) as process:
        fleet.host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        second = run("run", feed, *options, **folder.variables)
        process.send_signal(signal.SIGTERM)
        assert end_of(process).code == 143

    assert second.code == 1
    assert "another run uses the ledger's index" in second.stderr
    assert str(tmp_path / "index.sqlite") in second.stderr
    assert "Traceback" not in second.stderr
    assert second.stderr.count("\n") <= 2


def test_what_has_left_the_feed_is_reported_and_removed_if_asked(repomill, fleet, recorded_bucket):
    shelf = recorded_bucket
    fleet.make("e")
    repomill({**FEED, "e": PUSHED}, shelf)

    left = told(repomill(FEED, shelf), "Repositories have left the feed")
    assert (left["count"], left["removed"]) == (1, 0)
    assert shelf.deeds_outside() == []

    pruned = repomill(FEED, shelf, "--prune", "--prune-limit", 1)
    assert told(pruned, "Repositories have left the feed")["removed"] == 1
    assert decided(pruned) == {"unchanged": 4}
    assert shelf.deeds_outside() == [
        ("removed", "gitingest/owner/e/summary.txt"),
        ("removed", "metadata/owner/e.json"),
    ]

    elsewhere = repomill({**FEED, "e": PUSHED}, shelf, "--limit", 0, disk="elsewhere")
    assert decided(elsewhere) == {"new": 1, "unchanged": 4}
    assert "left the feed" not in repomill(FEED, shelf, disk="elsewhere").stderr


def test_a_feed_that_lacks_much_removes_nothing(repomill, fleet, folder):
    repomill(FEED, folder)
    half = dict.fromkeys(NAMES[:2], PUSHED)

    cut = repomill(FEED, folder, "--prune", cut=True, code=1)
    assert "ended early" in told(cut, "Nothing is pruned")["error"]

    lacking = repomill(half, folder, "--prune", code=1)
    assert "2 of 4 repositories have left" in told(lacking, "Nothing is pruned")["error"]
    assert "--prune-limit" in told(lacking, "Nothing is pruned")["error"]

    shard = repomill(half, folder, "--prune", "--prune-limit", "100%", "--shard", "0/2", code=1)
    assert "--shard" in told(shard, "Nothing is pruned")["error"]
    assert set(folder.digests()) == set(NAMES)

    meant = repomill(half, folder, "--prune", "--prune-limit", "60%")
    assert told(meant, "Repositories have left the feed")["removed"] == 2
    assert set(folder.digests()) == set(half)


def test_a_dry_run_says_what_would_be_done_and_touches_nothing(
    repomill, run, fleet, recorded_bucket
):
    shelf = recorded_bucket
    fleet.make("new", "gone")
    feed = {**FEED, "missing": PUSHED}
    repomill({**feed, "gone": PUSHED}, shelf)
    before = files(run.folder / "disk")
    feed |= {"b": LATER, "new": PUSHED}

    ended = repomill(feed, shelf, "--dry-run", "--format", "json")
    said = json.loads(ended.stdout)
    assert said["todo"] == {"new": 1, "changed": 1}
    assert said["skipped"] == {"unchanged": 3, "failed, waiting": 1}
    assert said["left_feed"] == 1
    assert [(one["key"], one["why"]) for one in said["repositories"]] == [
        ("owner/b", "changed"),
        ("owner/new", "new"),
    ]
    assert fleet.host.requests == []
    assert shelf.deeds() == []

    table = repomill(feed, shelf, "--dry-run", "--force", disk="never-used").stdout.decode()
    assert f"forced              {fleet.url('a')}\n" in table
    assert f"forced              {fleet.url('missing')}\n" in table
    assert shelf.deeds() == []
    retried = repomill(feed, shelf, "--dry-run", "--retry-failed").stdout.decode()
    assert f"retry due           {fleet.url('missing')}\n" in retried
    assert retried.splitlines()[-4:] == [
        "changed                     1",
        "retry due                   1",
        "unchanged                   3  skipped",
        "left the feed               1",
    ]
    assert fleet.host.requests == []
    assert shelf.deeds() == []
    assert files(run.folder / "disk") == before
    assert not (run.folder / "never-used").exists()


def test_a_dry_run_into_a_folder_that_is_not_there_does_not_make_it(repomill, run, folder):
    said = repomill(FEED, folder, "--dry-run", "--format", "json").stdout
    assert json.loads(said)["todo"] == {"new": 4}
    assert not folder.store.root.exists()
    assert not (run.folder / "disk").exists()


def files(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


def test_what_is_done_when_sigterm_comes_is_in_the_store(repomill, run, fleet, recorded_bucket):
    shelf = recorded_bucket
    feed = fleet.feed(FEED)
    fleet.host.script("owner/d", Stall(after_bytes=10), on="git-upload-pack", times=1)
    with run.start("run", feed, "--grace", 0.5, **shelf.variables) as process:
        said = "".join(wait_for("Summary generated", process) for _ in range(3))
        wait_until_held(fleet)
        process.send_signal(signal.SIGTERM)
        ended = end_of(process)
    assert ended.code == 143
    abandoned = told(replace(ended, stderr=said + ended.stderr), "Abandoned")
    assert abandoned["repo_url"] == fleet.url("d")
    assert shelf.recorded() == dict.fromkeys(NAMES[:3], "stored")

    again = repomill(FEED, shelf, disk="elsewhere")

    assert decided(again) == {"new": 1, "unchanged": 3}
    assert outcomes(again) == {"d": "stored"}
    assert fleet.fetched() == {"d": 1}


def wait_until_held(fleet):
    """Wait until git has been sent the beginning of an answer that will not end."""
    seen = fleet.host.requests
    while not any(
        one.repository == "owner/d" and one.part == "git-upload-pack" and one.status for one in seen
    ):
        answered = sum(one.status is not None for one in seen)
        seen = fleet.host.wait_for_requests(answered + 1, timeout_seconds=PATIENCE_SECONDS)


def test_sudden_death_costs_nothing_that_was_done(repomill, run, fleet, folder):
    feed = fleet.feed(FEED)
    fleet.host.script("owner/d", Stall(after_bytes=10), on="git-upload-pack", times=1)
    with run.start("run", feed, **folder.variables) as process:
        for _ in range(3):
            wait_for("Summary generated", process)
        wait_until_held(fleet)
        process.kill()
    assert folder.recorded() == {}

    again = repomill(FEED, folder, disk="elsewhere")

    assert decided(again) == {"new": 1, "unchanged": 3}
    assert fleet.fetched() == {"d": 1}


@pytest.fixture
def ingest(run):
    """The container's program, for the same user."""
    return replace(run, program=INGEST)


def test_the_containers_program_does_not_write_a_digest_twice(ingest, fleet, recorded_bucket):
    variables = recorded_bucket.variables
    first = ingest(fleet.url("a"), **variables)
    assert (first.code, first.outcome["status"]) == (0, "stored")
    before = recorded_bucket.digests()
    recorded_bucket.deeds()

    second = ingest(fleet.url("a"), **variables)

    assert second.code == 0
    assert second.outcome["status"] == "unchanged"
    assert {**second.outcome, "duration_seconds": 0} == {
        **first.outcome,
        "status": "unchanged",
        "duration_seconds": 0,
    }
    assert recorded_bucket.deeds_outside() == [("refreshed", "gitingest/owner/a/summary.txt")]
    assert recorded_bucket.digests() == before
    assert told(second, "Processing statistics")["unchanged"] == 1


def test_a_batch_is_not_done_twice(ingest, fleet, folder):
    batch = ("--batch-size", 1, "--offset", 0)
    variables = {**folder.variables, "REPOMILL_FEED": str(fleet.feed({**FEED, "missing": PUSHED}))}
    first = lines(ingest(*batch, **variables))
    assert {line["status"] for line in first.values()} == {"stored", "failed"}
    folder.deeds()
    fleet.host.clear()

    second = ingest(*batch, **variables)

    assert second.code == 0
    assert fleet.host.requests == []
    assert folder.deeds_outside() == []
    again = lines(second)
    assert again.keys() == first.keys()
    for name in NAMES:
        ours, theirs = again[name], first[name]
        assert (ours["success"], ours["status"]) == (True, "unchanged")
        assert (ours["key"], ours["commit"]) == (theirs["key"], theirs["commit"])
    waiting = again["missing"]
    assert (waiting["success"], waiting["status"]) == (False, "failed")
    assert waiting["error_class"] == "not_found"


def lines(ended):
    """Return the outcomes on stdout: NAME → what is said of it."""
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    return {one["repo_url"].rpartition("/")[2]: one for one in found}
