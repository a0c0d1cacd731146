"""Kill a run at a random moment, and start it again: nothing is lost, and nothing is done twice."""

import random
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

import pytest

from repomill.demo.githost import GitHost
from tests.e2e.command import end_of, trusting
from tests.e2e.incremental import PUSHED, Fleet, Folder, RecordedBucket, decided
from tests.e2e.processes import family, outlived
from tests.s3.recording import Recorder

pytestmark = pytest.mark.soak

REPOSITORIES = 60
WORKERS = 4
MOMENTS = range(20)
MOMENTS_WITH_A_BUCKET = range(8)
LONGEST_STEP_SECONDS = 0.3
"""From one request to the host to what is done with its answer."""
KILLS = 12
RUN_SECONDS = 300

NAMES = [f"name{number}" for number in range(REPOSITORIES)]
FEED = {name: PUSHED if number % 3 else None for number, name in enumerate(NAMES)}
"""Of a third of them the feed does not say when they were pushed to."""


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody kills."""

    state: dict[str, tuple[bytes, str, dict[str, str]]]
    requests: int
    """Made of the host."""
    seconds: float


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, ca):
    folder = tmp_path_factory.mktemp("fleet")
    root = folder / "repositories"
    root.mkdir()
    with GitHost(root, ca=ca) as host:
        fleet = Fleet(host, root, folder)
        fleet.make(*NAMES)
        fleet.feed(FEED)
        yield fleet


_undisturbed: list[Undisturbed] = []
"""The one run of all tests here."""


@pytest.fixture
def begin(run, fleet):
    """Return the function that starts a run with a store, on one of several disks."""

    def start(shelf, disk):
        variables = {
            **trusting(fleet.host),
            **shelf.variables,
            "XDG_CACHE_HOME": str(run.folder / disk),
        }
        return run.start("run", fleet.feed(FEED), "--workers", WORKERS, **variables)

    return start


@pytest.fixture
def undisturbed(begin, fleet, tmp_path):
    if not _undisturbed:
        shelf = Folder(tmp_path / "undisturbed")
        fleet.host.clear()
        started = time.monotonic()
        with begin(shelf, "undisturbed") as process:
            assert end_of(process, seconds=RUN_SECONDS).code == 0
        seconds = time.monotonic() - started
        assert len(shelf.digests()) == REPOSITORIES
        _undisturbed.append(Undisturbed(shelf.state(), len(fleet.host.requests), seconds))
    return _undisturbed[0]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "store")


@pytest.fixture
def recorded_bucket(seaweedfs, bucket):
    with Recorder(seaweedfs.port) as recorder:
        yield RecordedBucket(recorder, seaweedfs, bucket)


@pytest.mark.parametrize("seed", MOMENTS)
def test_a_run_into_a_folder_goes_on_where_it_died(begin, fleet, undisturbed, folder, seed):
    die_and_go_on(begin, fleet, undisturbed, folder, random.Random(seed))


@pytest.mark.parametrize("seed", MOMENTS_WITH_A_BUCKET)
def test_a_run_into_a_bucket_goes_on_where_it_died(
    begin, fleet, undisturbed, recorded_bucket, seed
):
    die_and_go_on(begin, fleet, undisturbed, recorded_bucket, random.Random(seed))


def die_and_go_on(begin, fleet, undisturbed, shelf, chance):
    fleet.host.clear()
    with begin(shelf, "disk") as process:
        moment = chance.randrange(undisturbed.requests)
        fleet.host.wait_for_requests(moment, answered=False, timeout_seconds=RUN_SECONDS)
        kill(process, chance.uniform(0, LONGEST_STEP_SECONDS))
    before, stored = fleet.fetched(), set(shelf.digests())
    fleet.host.clear()

    with begin(shelf, chance.choice(["disk", "another disk"])) as process:
        ended = end_of(process, seconds=RUN_SECONDS)

    assert ended.code == 0, ended.stderr
    assert shelf.state() == undisturbed.state
    after = fleet.fetched()
    assert set(after) == set(NAMES) - stored, "what is stored is not fetched again"
    twice = before.keys() & after.keys()
    print(f"{len(stored)} stored, {len(twice)} fetched twice: {decided(ended)}")  # noqa: T201
    assert len(twice) <= WORKERS
    assert {*before.values(), *after.values()} == {1}

    fleet.host.clear()
    with begin(shelf, "disk") as process:
        assert end_of(process, seconds=RUN_SECONDS).code == 0
    assert fleet.fetched() == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_dies_over_and_over_comes_to_its_end(begin, fleet, undisturbed, folder, seed):
    chance = random.Random(seed)
    fleet.host.clear()
    for _ in range(KILLS):
        with begin(folder, "disk") as process:
            kill(process, chance.uniform(0.5, undisturbed.seconds / 2))
    with begin(folder, "disk") as process:
        assert end_of(process, seconds=RUN_SECONDS).code == 0

    assert folder.state() == undisturbed.state
    assert set(fleet.fetched()) == set(NAMES)
    assert fleet.fetched().total() <= REPOSITORIES + KILLS * WORKERS


def kill(process, seconds):
    """Kill the supervisor after so long, unless it has ended, and see everything below it end."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    with outlived(family(process.pid)):
        process.kill()
