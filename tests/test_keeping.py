"""Where a digest goes, and when what is known of the one before it is believed."""

import json
from dataclasses import replace

import pytest

from repomill import urls
from repomill.errors import BadKeyError
from repomill.keeping import StoreKeeper, digest_key, find_known, metadata_key
from repomill.ledger import Index, Ledger, Record, new_run, now
from repomill.model import Known
from repomill.results import Made
from repomill.stores.local import LocalStore

REPO = replace(urls.parse("https://example.org/owner/name"), pushed_at="2026-01-01T00:00:00Z")
KEY = "owner/name"
MADE = Made(
    body=b"a digest", metadata=b"{}", commit="c" * 40, files=1, tokens=2, fingerprint="f" * 32
)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def keeper(store, *, repo=REPO, known=None, **more):
    return StoreKeeper(
        store=store, repo=repo, key=KEY, fingerprint=MADE.fingerprint, known=known, **more
    )


def facts(store):
    head = store.head(digest_key(KEY))
    assert head
    return dict(head.metadata)


def test_both_objects_are_kept_with_what_is_known_of_the_digest(store):
    kept = keeper(store).keep(MADE)

    assert (kept.key, kept.size_bytes) == (digest_key(KEY), 10)
    assert store.get(digest_key(KEY)) == b"a digest"
    assert json.loads(store.get(metadata_key(KEY))) == {}
    processed = facts(store).pop("processedat")
    assert facts(store) == {
        "url": REPO.url,
        "commit": MADE.commit,
        "fingerprint": MADE.fingerprint,
        "pushedat": REPO.pushed_at,
        "processedat": processed,
    }


def test_what_is_kept_is_known(store):
    keeper(store).keep(MADE)

    assert find_known(store, REPO, KEY, MADE.fingerprint) == Known(MADE.commit)


@pytest.mark.parametrize(
    ("repo", "fingerprint"),
    [
        (REPO, "other"),
        (REPO.with_ref("dev"), MADE.fingerprint),
        (urls.parse("https://elsewhere.example/owner/name"), MADE.fingerprint),
    ],
    ids=["options", "branch", "repository"],
)
def test_a_digest_of_something_else_is_not_known(store, repo, fingerprint):
    keeper(store).keep(MADE)

    assert find_known(store, repo, KEY, fingerprint) is None


def test_the_digest_of_a_branch_is_known_for_that_branch_alone(store):
    branch = REPO.with_ref("dev")
    keeper(store, repo=branch).keep(MADE)

    assert find_known(store, branch, KEY, MADE.fingerprint) == Known(MADE.commit)
    assert find_known(store, REPO, KEY, MADE.fingerprint) is None


def test_before_anything_is_overwritten_the_ledger_doubts_what_it_knows(store, tmp_path):
    known = Record(
        key=KEY,
        identity="one",
        url=REPO.url,
        status="stored",
        processed_at=now(),
        commit="b" * 40,
        fingerprint=MADE.fingerprint,
    )
    with Index(tmp_path / "index.sqlite") as index:
        ledger = Ledger(store, index, new_run())
        ledger.add(known)
        seen = []

        def doubt():
            ledger.doubt([KEY, "owner/unknown"])
            seen.append(store.get(metadata_key(KEY)))

        keeper(store, doubt=doubt).keep(MADE)

        assert seen == [None]
        doubted = index.get(KEY)
        assert doubted
        assert (doubted.status, doubted.commit, doubted.fingerprint) == ("stored", None, None)


def test_a_digest_that_is_known_and_there_is_refreshed(store):
    keeper(store, repo=replace(REPO, pushed_at="2025-01-01T00:00:00Z")).keep(MADE)

    assert keeper(store, known=Known(MADE.commit)).refresh()

    assert facts(store)["pushedat"] == REPO.pushed_at
    assert store.get(digest_key(KEY)) == b"a digest"


@pytest.mark.parametrize("other", ["gone", "commit", "branch", "options"])
def test_a_digest_that_another_program_has_touched_is_not_refreshed(store, other):
    made = replace(MADE, commit="d" * 40) if other == "commit" else MADE
    made = replace(made, fingerprint="e" * 32) if other == "options" else made
    if other != "gone":
        keeper(store, repo=REPO.with_ref("dev") if other == "branch" else REPO).keep(made)

    assert keeper(store, known=Known(MADE.commit)).refresh() is None


def test_where_the_host_was_asked_nothing_can_have_moved(store):
    kept = keeper(store, known=Known(MADE.commit, ask_first=True)).refresh()

    assert kept
    assert kept.key == digest_key(KEY)
    assert store.head(digest_key(KEY)) is None


def test_nothing_known_is_nothing_to_refresh(store):
    assert keeper(store).refresh() is None


def test_a_key_that_the_store_does_not_take_is_refused(store):
    keeper(store).check()
    with pytest.raises(BadKeyError):
        replace(keeper(store), key="owner/" + "n" * 300).check()
