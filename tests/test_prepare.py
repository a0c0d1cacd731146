"""What comes before the work of a run."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from repomill import prepare, urls
from repomill.feed import Entry, Problem
from repomill.keeping import digest_key, metadata_key
from repomill.ledger import Index, Ledger, Record, new_run, now
from repomill.plan import Plan, Rules
from repomill.run import FailureLimit, RunOptions
from repomill.stores.base import TEXT
from repomill.stores.local import LocalStore

PRUNE = RunOptions(prune=True, prune_limit=FailureLimit(count=5))
HERE, GONE = "owner/here", "owner/gone"


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def ledger(store, tmp_path):
    """A ledger that knows two repositories, which the store has."""
    with Index(tmp_path / "index.sqlite") as index:
        ledger = Ledger(store, index, new_run())
        ledger.sync()
        for key in (HERE, GONE):
            for stored in (digest_key(key), metadata_key(key)):
                store.put(stored, b"", content_type=TEXT, metadata={})
            ledger.add(
                Record(
                    key=key,
                    identity=f"example.org:443/{key} None",
                    url=f"https://example.org/{key}",
                    status="stored",
                    processed_at=now(),
                    commit="c" * 40,
                    fingerprint="f",
                )
            )
        yield ledger


@pytest.fixture
def plan(tmp_path):
    plan = Plan(tmp_path / "plan.sqlite")
    yield plan
    plan.close()


def load(plan, ledger, *more):
    prepare.load(plan, [Entry(position=1, repo=urls.parse(f"https://example.org/{HERE}")), *more])
    plan.decide(ledger.index.path, Rules(fingerprint="f", now=datetime.now(UTC)))


def stored(store):
    return sorted(store.list("gitingest/")) + sorted(store.list("metadata/"))


def test_what_has_left_the_feed_is_removed_and_every_ledger_knows(store, ledger, plan, tmp_path):
    load(plan, ledger)

    assert prepare.prune(plan, ledger, store, PRUNE, whole=True)

    assert stored(store) == [digest_key(HERE), metadata_key(HERE)]
    with Index(tmp_path / "elsewhere.sqlite") as index:
        Ledger(store, index, new_run()).sync()
        gone = index.get(GONE)
        assert gone
        assert (gone.status, gone.commit, gone.fingerprint) == ("removed", None, None)


def test_without_being_asked_nothing_is_removed(store, ledger, plan):
    load(plan, ledger)

    with capture_logs() as lines:
        assert prepare.prune(plan, ledger, store, RunOptions(), whole=True)

    assert len(stored(store)) == 4
    assert [(line["event"], line["count"]) for line in lines] == [
        ("Repositories have left the feed", 1)
    ]


def test_an_entry_that_cannot_be_used_may_be_what_is_missing(store, ledger, plan):
    load(
        plan,
        ledger,
        Problem(position=2, kind="bad_url", message="'https//example.org/owner/gone' is no URL"),
    )

    with capture_logs() as lines:
        assert not prepare.prune(plan, ledger, store, PRUNE, whole=True)

    assert len(stored(store)) == 4
    assert "1 entries of the feed cannot be used" in lines[-1]["error"]


@pytest.mark.parametrize(
    ("options", "whole"),
    [(PRUNE, False), (RunOptions(prune=True, prune_limit=FailureLimit(percent=49.0)), True)],
    ids=["cut", "limit"],
)
def test_what_cannot_be_right_removes_nothing(store, ledger, plan, options, whole):
    load(plan, ledger)

    assert not prepare.prune(plan, ledger, store, options, whole=whole)

    assert len(stored(store)) == 4
