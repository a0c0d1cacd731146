"""A store that is away for a while, by the clock."""

import subprocess
from collections import Counter

import pytest

from repomill.demo.repositories import write_repository
from tests.e2e.command import end_of, wait_for
from tests.s3.seaweedfs import SeaweedFS

pytestmark = pytest.mark.soak

REPOSITORIES = 60
AWAY_SECONDS = 10


def test_ten_seconds_without_a_store_cost_no_repository(run, root, host, tmp_path):
    names = [f"owner/name{number}" for number in range(REPOSITORIES)]
    for name in names:
        write_repository(root / f"{name}.git", {"README.md": name.encode()})
    feed = tmp_path / "feed.txt"
    feed.write_text("".join(f"{host.url(name)}\n" for name in names))
    with SeaweedFS() as server:
        variables = server.variables(server.make_bucket("digests"))
        with run.start("run", feed, **variables) as process:
            said = wait_for("Summary generated", process)
            server.kill()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(AWAY_SECONDS)
            server.start()
            ended = end_of(process, seconds=120)
        assert ended.code == 0, said + ended.stderr
        keys = {f"gitingest/{name}/summary.txt" for name in names}
        assert set(server.keys("digests")) >= keys

    fetches = Counter(one.repository for one in host.requests if one.part == "info/refs")
    assert fetches == Counter(names)
    assert "The store answers again" in ended.stderr
