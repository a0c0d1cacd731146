"""`repomill status` after `repomill run`: on the machine of the run, and on any other one."""

import json
import socket

import pytest

from repomill.demo.behaviours import Status
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository


@pytest.fixture
def feed(root, host: GitHost, tmp_path):
    names = ["alpha/one", "alpha/two", "beta/three", "beta/gone"]
    for name in names[:3]:
        write_repository(root / f"{name}.git", {"README.md": b"# %b\n" % name.encode()})
    host.script("alpha/two", Status(500))
    path = tmp_path / "feed.txt"
    path.write_text("".join(f"{host.url(name)}\n" for name in names))
    return path


def test_status_tells_what_a_run_has_done(run, feed, host, tmp_path):
    store = tmp_path / "store"
    assert run("run", feed, "--store", store, "--attempts", 1).code == 0
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}

    here = run("status", "--store", store, "--format", "json")
    elsewhere = run("status", XDG_CACHE_HOME="", REPOMILL_STORE=str(store), REPOMILL_FORMAT="json")
    for_people = run("status", "--store", store)

    assert (here.code, elsewhere.code, for_people.code) == (0, 0, 0)
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
    told = json.loads(here.stdout)
    again = json.loads(elsewhere.stdout)
    for report in (told, again):  # they are not of the same moment
        report.pop("at")
        report.pop("ages")
    assert told == again
    assert told["by_status"] == {
        "empty": 0,
        "failed": 2,
        "removed": 0,
        "stored": 2,
        "unchanged": 0,
    }
    assert told["by_error_class"] == {"network": 1, "not_found": 1}
    assert (told["coverage"]["feed_total"], told["coverage"]["percent"]) == (4, 50.0)
    assert told["size_bytes"] == sum(
        len(body)
        for path, body in before.items()
        if path.relative_to(store).parts[0] == "gitingest"
    )
    assert [one["owner"] for one in told["failing_owners"]] == [
        f"{host.authority}/alpha",
        f"{host.authority}/beta",
    ]
    assert [one["key"] for one in told["waiting"]["next"]] == ["beta/gone"]
    assert len(told["slowest"]) == 4
    (last,) = told["runs"]
    assert (last["shard"], last["done"], last["exit_code"]) == ("0/1", 4, 0)
    assert "Digests   2 of 4 known repositories" in for_people.stdout.decode()


def test_a_store_that_is_away_is_exit_code_1(run):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        away = run(
            *("status", "--store", "s3://bucket", "--store-patience", "0.2"),
            R2_ENDPOINT=f"http://127.0.0.1:{nobody.getsockname()[1]}",
            R2_ACCESS_KEY="key",
            R2_SECRET_KEY="secret",  # noqa: S106 nobody is asked
        )
    assert (away.code, away.stdout) == (1, b"")
    assert away.last["message"] == "Store cannot be used"
