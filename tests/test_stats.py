"""Statistics over outcomes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.errors import EmptyError, NetworkError, NotFoundError
from repomill.model import Outcome, Repo, Status
from repomill.stats import Statistics

REPO = Repo(
    host="github.com", owner="owner", name="name", clone_url="https://github.com/owner/name"
)


def report(*outcomes: Outcome):
    statistics = Statistics()
    for outcome in outcomes:
        statistics.add(outcome)
    return statistics.report()


def took(*seconds: float) -> list[Outcome]:
    return [Outcome(repo=REPO, status=Status.STORED, duration_seconds=s) for s in seconds]


def test_nothing_done_is_nothing_counted():
    figures = report()

    assert figures.pop("elapsed_seconds") >= 0
    assert figures == {
        "total": 0,
        "successful": 0,
        "failed": 0,
        "unchanged": 0,
        "waiting": 0,
        "average_seconds": 0.0,
        "p50_seconds": 0.0,
        "p95_seconds": 0.0,
        "bytes_stored": 0,
        "failed_by_class": {},
    }


def test_outcomes_are_counted_by_status_and_by_class():
    figures = report(
        Outcome(repo=REPO, status=Status.STORED, bytes_stored=10),
        Outcome(repo=REPO, status=Status.STORED, bytes_stored=32),
        Outcome(repo=REPO, status=Status.UNCHANGED),
        Outcome(repo=REPO, status=Status.EMPTY, error=EmptyError("no commit")),
        Outcome(repo=REPO, status=Status.FAILED, error=NotFoundError("gone")),
        Outcome(repo=REPO, status=Status.FAILED, error=NetworkError("cut")),
        Outcome(repo=REPO, status=Status.FAILED, error=NotFoundError("gone too")),
    )

    assert {name: figures[name] for name in ("total", "successful", "failed", "unchanged")} == {
        "total": 7,
        "successful": 4,
        "failed": 3,
        "unchanged": 1,
    }
    assert figures["bytes_stored"] == 42
    assert list(figures["failed_by_class"].items()) == [("network", 1), ("not_found", 2)]


def test_the_average_is_that_of_all_durations():
    assert report(*took(3.0, 5.0))["average_seconds"] == 4.0


@settings(deadline=None)
@given(st.lists(st.floats(1e-4, 1e5), min_size=1, max_size=60))
def test_percentiles_are_right_to_one_percent(seconds):
    figures = report(*took(*seconds))
    in_order = sorted(seconds)

    for name, percent in (("p50_seconds", 50), ("p95_seconds", 95)):
        expected = in_order[-(-len(seconds) * percent // 100) - 1]
        rounding = 0.0006
        assert abs(figures[name] - expected) <= 0.01 * expected + rounding


def test_what_took_no_time_is_no_trouble():
    assert report(*took(0.0, 0.0))["p95_seconds"] == 0.0


def test_time_goes_on_between_two_reports():
    statistics = Statistics()

    first, second = statistics.report(), statistics.report()

    assert first["elapsed_seconds"] <= second["elapsed_seconds"]


def test_what_is_skipped_as_unchanged_is_successful_and_takes_no_time():
    statistics = Statistics()
    statistics.add(Outcome(repo=REPO, status=Status.STORED, duration_seconds=2.0))
    statistics.skip(unchanged=9, waiting=4)

    figures = statistics.report()

    assert [figures[name] for name in ("total", "successful", "unchanged")] == [10, 10, 9]
    assert (figures["waiting"], figures["average_seconds"]) == (4, 2.0)
    assert statistics.worked_on == 1
