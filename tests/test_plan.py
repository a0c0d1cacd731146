"""What a run has to do: each repository once, none that would overwrite another."""

import pytest

from repomill import urls
from repomill.errors import UsageError
from repomill.plan import Plan


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
