"""What a run has to do: each repository once, none that would overwrite another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from repomill import urls
from repomill.digest.fingerprint import of_repository
from repomill.errors import UsageError
from repomill.ledger import Index, Record
from repomill.ledger.records import time_text
from repomill.model import Known
from repomill.plan import SKIPPED, Plan, Rules, Why
from repomill.shards import Shard


@pytest.fixture
def plan(tmp_path):
    plan = Plan(tmp_path / "plan.sqlite")
    yield plan
    plan.close()


def load(plan, *texts):
    plan.load((number, urls.parse(text)) for number, text in enumerate(texts, start=1))
    return [item.repo.url for item in plan.items()]


def test_repositories_come_in_the_order_of_the_feed(plan):
    names = [f"https://example.org/o/n{number}" for number in (3, 1, 2)]
    assert load(plan, *names) == names
    assert (plan.total, plan.duplicates) == (3, 0)


def test_a_repository_comes_back_as_it_went_in(plan):
    repo = urls.parse("https://example.org:8443/group/sub/name.git/tree/feature/x")
    plan.load([(1, repo)])
    (item,) = plan.items()
    assert (item.repo, item.key) == (repo, "group/sub/name")


@pytest.mark.parametrize(
    "second",
    ["https://example.org/o/n", "https://example.org/o/n.git", "https://EXAMPLE.org/o/n/"],
)
def test_of_equal_repositories_the_first_counts(plan, second):
    assert load(plan, "https://example.org/o/n", second) == ["https://example.org/o/n"]
    assert plan.duplicates == 1


def test_on_github_case_is_nothing(plan):
    assert load(plan, "Owner/Name", "owner/name") == ["https://github.com/Owner/Name"]


def test_elsewhere_case_is_another_repository(plan):
    assert len(load(plan, "https://example.org/o/N", "https://example.org/o/n")) == 2


@pytest.mark.parametrize(
    "second", ["https://other.example/o/n", "https://example.org/o/n/tree/other"]
)
def test_two_repositories_with_one_key_are_both_refused(plan, second):
    first = "https://example.org/o/n"
    assert load(plan, first, second, "https://example.org/o/m") == ["https://example.org/o/m"]
    assert [item.key for item in plan.refused()] == ["o/n", "o/n"]
    assert plan.total == 1


def test_the_host_in_the_key_keeps_them_apart(tmp_path):
    plan = Plan(tmp_path / "plan.sqlite", key="{host}/{owner}/{name}")
    load(plan, "https://one.example/o/n", "https://two.example/o/n")
    assert [item.key for item in plan.items()] == ["one.example/o/n", "two.example/o/n"]
    plan.close()


def test_the_limit_takes_the_first(plan):
    load(plan, "https://example.org/o/a", "https://example.org/o/b")
    assert [item.key for item in plan.items(1)] == ["o/a"]
    assert list(plan.items(0)) == []


def test_what_came_before_an_error_is_kept(plan):
    def broken():
        yield 1, urls.parse("o/n")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        plan.load(broken())
    assert plan.total == 1


@pytest.mark.parametrize(
    "key",
    [
        "{owner}",
        "{name!r}",
        "{name:>9}",
        "{name.__class__}",
        "{0}",
        "{",
        "../{name}",
        "{name}//x",
        "{repo}/{name}",
        "",
    ],
)
def test_a_template_that_is_none_is_refused(tmp_path, key):
    with pytest.raises(UsageError, match="--key"):
        Plan(tmp_path / "plan.sqlite", key=key)


FEED = [f"https://example.org/owner{number % 7}/name{number}" for number in range(500)]


def plan_of(path, shard, *texts):
    plan = Plan(path, shard=shard)
    plan.load((number, urls.parse(text)) for number, text in enumerate(texts, start=1))
    found = [item.repo.url for item in plan.items()], [item.repo.url for item in plan.refused()]
    assert plan.total == len(found[0])
    plan.close()
    return found


def test_shards_are_disjoint_complete_and_in_the_order_of_the_feed(tmp_path):
    parts = [plan_of(tmp_path / f"{n}", Shard(n, 3), *FEED)[0] for n in range(3)]

    assert sorted(url for part in parts for url in part) == sorted(FEED)
    assert all(part == [url for url in FEED if url in set(part)] for part in parts)


def test_two_spellings_on_github_are_in_one_shard(tmp_path):
    parts = [
        plan_of(tmp_path / f"{n}", Shard(n, 50), "Owner/Name", "owner/name")[0] for n in range(50)
    ]

    assert [part for part in parts if part] == [["https://github.com/Owner/Name"]]


def test_keys_that_collide_are_found_across_shards_and_told_by_one_of_them(tmp_path):
    same = [f"https://host{number}.example/owner/name" for number in range(20)]
    parts = [plan_of(tmp_path / f"{n}", Shard(n, 4), *same) for n in range(4)]

    assert [done for done, _ in parts] == [[]] * 4
    assert sorted(url for _, refused in parts for url in refused) == sorted(same)


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PUSHED = "2026-01-01T00:00:00Z"
URL = "https://example.org/owner/name"
DONE = {
    "status": "stored",
    "commit": "1" * 40,
    "fingerprint": of_repository("now", license=None, description=None),
    "pushed_at": PUSHED,
}


def days_ago(days):
    return time_text(NOW - timedelta(days=days))


def decided(tmp_path, *, feed_says=PUSHED, url=URL, facts=None, rules=None, **known):
    """Return the one item of a feed, compared with what the ledger has on it."""
    plan = Plan(tmp_path / f"{uuid4()}.sqlite")
    plan.load([(1, replace(urls.parse(url), pushed_at=feed_says, **(facts or {})))])
    (fresh,) = plan.items()
    path = tmp_path / f"{uuid4()}.sqlite"
    with Index(path) as index:
        if known:
            facts = {"key": fresh.key, "identity": fresh.identity, "url": fresh.repo.url}
            index.learn([Record(**{**facts, "processed_at": days_ago(1), **known})])
        plan.decide(path, Rules(fingerprint="now", now=NOW, **(rules or {})))
    (item,) = [*plan.items(), *plan.skipped()]
    assert plan.counts() == {item.why: 1}
    assert plan.total == (item.why not in SKIPPED)
    plan.close()
    return item


def test_what_the_ledger_does_not_know_is_new(tmp_path):
    item = decided(tmp_path)

    assert (item.why, item.known) == (Why.NEW, None)


def test_what_was_pushed_to_at_the_same_time_is_unchanged(tmp_path):
    assert decided(tmp_path, **DONE).why is Why.UNCHANGED
    assert decided(tmp_path, **{**DONE, "status": "unchanged"}).why is Why.UNCHANGED


def test_what_was_pushed_to_since_has_changed_but_perhaps_not_its_commit(tmp_path):
    item = decided(tmp_path, **{**DONE, "pushed_at": "2025-12-31T00:00:00Z"})

    assert (item.why, item.known) == (Why.CHANGED, Known("1" * 40))


def test_where_the_feed_does_not_say_the_host_is_asked(tmp_path):
    item = decided(tmp_path, feed_says=None, **{**DONE, "pushed_at": None})

    assert (item.why, item.known) == (Why.ASK, Known("1" * 40, ask_first=True))


def test_a_branch_is_fetched_as_the_host_is_only_asked_for_its_head(tmp_path):
    item = decided(tmp_path, feed_says=None, url=f"{URL}/tree/main", **DONE)

    assert item.known == Known("1" * 40, ask_first=False)


def test_other_options_make_another_digest(tmp_path):
    item = decided(tmp_path, **{**DONE, "fingerprint": "before"})

    assert (item.why, item.known) == (Why.OPTIONS, None)


SAID = {"license": "MIT", "description": "Runs elections"}


@pytest.mark.parametrize(
    "before",
    [
        {"license": None, "description": None},
        {**SAID, "license": "Apache-2.0"},
        {**SAID, "description": "Counts votes"},
    ],
)
@pytest.mark.parametrize("pushed_at", [PUSHED, "2025-12-31T00:00:00Z"])
def test_other_facts_in_the_feed_make_another_digest(tmp_path, before, pushed_at):
    known = {"fingerprint": of_repository("now", **before), "pushed_at": pushed_at}

    item = decided(tmp_path, facts=SAID, **{**DONE, **known})

    assert (item.why, item.known) == (Why.FACTS, None)


def test_the_same_facts_and_the_end_of_a_long_description_change_nothing(tmp_path):
    for end in ("", "of it"):
        said = {**SAID, "description": "x" * 301 + end}
        known = {"fingerprint": of_repository("now", **{**SAID, "description": "x" * 301})}
        item = decided(tmp_path, facts=said, **{**DONE, **known})
        assert (item.why, item.known) == (Why.UNCHANGED, Known("1" * 40))


def test_other_options_are_named_before_other_facts(tmp_path):
    before = of_repository("other", license=None, description=None)

    assert decided(tmp_path, facts=SAID, **{**DONE, "fingerprint": before}).why is Why.OPTIONS


def test_a_digest_that_may_be_another_is_made_anew(tmp_path):
    item = decided(tmp_path, **{**DONE, "commit": None, "fingerprint": None})

    assert (item.why, item.known) == (Why.OPTIONS, None)


def test_each_repository_is_compared_with_its_own_facts(tmp_path, plan):
    said: list[dict[str, Any]] = [{}, SAID, {**SAID, "description": "Counts votes"}]
    repos = [replace(urls.parse(f"o/n{n}"), pushed_at=PUSHED, **one) for n, one in enumerate(said)]
    plan.load(enumerate(repos))
    own = [
        of_repository("now", license=repo.license, description=repo.description) for repo in repos
    ]
    items = list(plan.items())
    for shift, why in ((0, Why.UNCHANGED), (1, Why.FACTS)):
        with Index(tmp_path / f"{shift}.sqlite") as index:
            for at, item in enumerate(items):
                facts = {"key": item.key, "identity": item.identity, "url": item.repo.url}
                known = {**DONE, "fingerprint": own[at - shift], "processed_at": days_ago(1)}
                index.learn([Record(**facts, **known)])
            plan.decide(index.path, Rules(fingerprint="now", now=NOW))
            assert plan.counts() == {why: 3}
            plan.forget()


def test_force_does_all_and_believes_nothing(tmp_path):
    item = decided(tmp_path, rules={"force": True}, **DONE)

    assert (item.why, item.known) == (Why.FORCED, None)


def test_another_repository_under_the_same_key_is_new(tmp_path):
    item = decided(tmp_path, **DONE, identity="elsewhere.example:443/owner/name None")

    assert (item.why, item.known) == (Why.NEW, None)


def test_what_was_removed_and_comes_back_is_new(tmp_path):
    assert decided(tmp_path, **{**DONE, "status": "removed"}).why is Why.NEW


@pytest.mark.parametrize(
    ("error_class", "failures", "days", "why"),
    [
        ("not_found", 1, 6.9, Why.WAITING),
        ("not_found", 1, 7.1, Why.RETRY),
        ("blocked", 9, 6.9, Why.WAITING),
        ("blocked", 9, 7.1, Why.RETRY),
        ("network", 1, 0.1, Why.RETRY),
        ("network", 2, 0.1, Why.RETRY),
        ("network", 3, 2.9, Why.WAITING),
        ("network", 3, 3.1, Why.RETRY),
        ("timeout", 30, 2.9, Why.WAITING),
    ],
)
def test_a_failure_waits_before_it_is_tried_again(tmp_path, error_class, failures, days, why):
    failed = {"status": "failed", "error_class": error_class, "failures": failures}
    failed["processed_at"] = days_ago(days)

    assert decided(tmp_path, **failed).why is why
    assert decided(tmp_path, **failed, rules={"retry_failed": True}).why is Why.RETRY


def test_a_failure_after_a_digest_may_find_it_unchanged(tmp_path):
    failed = {"status": "failed", "error_class": "network", "failures": 1}

    assert decided(tmp_path, **{**DONE, **failed}).known == Known("1" * 40)
    assert decided(tmp_path, **{**DONE, **failed, "fingerprint": "before"}).known is None


def test_an_empty_repository_waits_for_a_push(tmp_path):
    empty = {"status": "empty", "pushed_at": PUSHED}

    assert decided(tmp_path, **empty).why is Why.EMPTY
    assert decided(tmp_path, feed_says="2026-02-02T00:00:00Z", **empty).why is Why.CHANGED
    assert decided(tmp_path, feed_says=None, **empty).why is Why.CHANGED


def test_what_has_left_the_feed_is_known(tmp_path, plan):
    load(plan, "https://example.org/owner/here", "https://example.org/owner/Case")
    with Index(tmp_path / "index.sqlite") as index:
        for name, status in {
            "here": "stored",
            "gone": "failed",
            "case": "stored",
            "old": "removed",
        }.items():
            key = f"owner/{name}"
            index.learn(
                [Record(key=key, identity=key, url=URL, status=status, processed_at=days_ago(1))]
            )
        plan.decide(index.path, Rules(fingerprint="now", now=NOW))

        assert sorted(plan.left()) == ["owner/case", "owner/gone"]
        assert (plan.left_count(), plan.known_count(), plan.feed_total) == (2, 3, 2)


def test_a_ledger_that_is_forgotten_can_be_another(tmp_path, plan):
    load(plan, URL)
    for number in range(2):
        with Index(tmp_path / f"{number}.sqlite") as index:
            plan.decide(index.path, Rules(fingerprint="now", now=NOW))
            plan.forget()
    assert plan.counts() == {Why.NEW: 1}
