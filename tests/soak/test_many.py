"""Thousands of repositories: the supervisor stays as it is, and every one has its outcome."""

import subprocess
from pathlib import Path

import pytest

from repomill.demo.repositories import write_repository
from tests.e2e.processes import family

pytestmark = pytest.mark.soak

REPOSITORIES = 2000
SAMPLE_SECONDS = 1.0


def test_the_supervisor_does_not_grow(run, root, host, tmp_path):
    for number in range(REPOSITORIES):
        write_repository(root / "owner" / f"name{number}.git", {"README.md": b"%d\n" % number})
    feed = tmp_path / "feed.txt"
    feed.write_text("\n".join(host.url(f"owner/name{n}") for n in range(REPOSITORIES)))
    samples = []
    with (tmp_path / "log").open("wb") as log:
        options = ("--store", str(tmp_path / "store"), "--log-level", "info")
        command = [*run.program, "run", str(feed), *options]
        process = subprocess.Popen(
            command, env=run.environment(), stdout=subprocess.DEVNULL, stderr=log
        )
        while True:
            try:
                process.wait(SAMPLE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                samples.append(sample(process.pid))
    text = (tmp_path / "log").read_text()
    assert text.count('"message": "Summary generated"') == REPOSITORIES
    assert len(list((tmp_path / "store" / "gitingest").rglob("summary.txt"))) == REPOSITORIES
    assert '"message": "Processing statistics"' in text
    early, late = samples[5 : len(samples) // 3], samples[-len(samples) // 3 : -2]
    for what in ("memory_kib", "descriptors", "threads", "processes"):
        before, after = (max(one[what] for one in part) for part in (early, late))
        print(f"{what}: {before} → {after}")  # noqa: T201 what the soak is for
        assert after <= before * 1.1 + 4, what


def sample(pid):
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return {
        "memory_kib": int(status["VmRSS"].split()[0]),
        "threads": int(status["Threads"]),
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "processes": len(family(pid)),
    }
