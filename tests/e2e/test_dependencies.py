"""`repomill dependencies`: of one repository, and of all in a store."""

import json
from random import Random

import duckdb
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from repomill.git.fetch import MAX_FETCHED_AFTERWARDS_BYTES

PACKAGE = {
    "name": "name",
    "dependencies": {"express": "^4.18.0"},
    "devDependencies": {"jest": "29.7.0"},
}
FILES = {"README.md": b"# Name\n", "package.json": json.dumps(PACKAGE).encode()}


@pytest.fixture
def url(root, host: GitHost) -> str:
    write_repository(root / "owner" / "name.git", FILES)
    return host.url("owner/name")


def test_they_are_those_of_the_metadata(run, url, tmp_path):
    metadata = tmp_path / "metadata.json"
    run("digest", url, "--metadata", metadata)

    ended = run("dependencies", url, REPOMILL_STORE=str(tmp_path / "none"))

    assert ended.code == 0, ended.stderr
    shown = json.loads(ended.stdout)
    made = json.loads(metadata.read_bytes())
    names = ["repository", "url", "commit", "manifests", "dependencies"]
    assert list(shown) == names
    assert shown == {name: made[name] for name in names}


def test_of_a_local_repository_they_can_be_a_bill_of_materials(run, url, root, tmp_path):
    local, bill = root / "owner" / "name.git", tmp_path / "bill.json"

    ended = run("dependencies", local, "--format", "cyclonedx", "-o", bill)
    again = run("dependencies", local, "--format", "cyclonedx", PYTHONHASHSEED="7")

    assert (ended.code, ended.stdout) == (0, b""), ended.stderr
    assert again.stdout == bill.read_bytes()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.read_text()) is None


def test_people_see_a_table(run, url):
    ended = run("dependencies", url, "--format", "table")

    assert ended.code == 0, ended.stderr
    assert ended.stdout.decode().startswith("owner/name at ")


def test_of_a_fleet_they_are_a_table(run, url, tmp_path):
    feed, store, table = (tmp_path / name for name in ("feed.txt", "store", "table.parquet"))
    feed.write_text(f"{url}\n")
    assert run("run", feed, "--store", store).code == 0

    ended = run("dependencies", "--store", store, "-o", table)

    assert ended.code == 0, ended.stderr
    (metadata,) = (store / "metadata").rglob("*.json")
    expected = len(json.loads(metadata.read_bytes())["dependencies"])
    assert ended.last["dependencies"] == expected
    assert len(duckdb.read_parquet(str(table)).fetchall()) == expected


def test_what_cannot_be_read_is_said(run, host):
    ended = run("dependencies", host.url("owner/none"))

    assert (ended.code, ended.stdout) == (1, b"")
    assert ended.last["error_class"] == "not_found"


@pytest.fixture
def large(root) -> dict[str, bytes]:
    """A commit whose lock file is over the limit of a fetch, like a file that nobody asks for."""
    package = {"version": "4.18.2", "padding": "x" * 600_000}
    folders = {"": {}, "tool": {}, "node_modules/express": package}
    lock = {"lockfileVersion": 3, "packages": folders}
    files = {
        **FILES,
        "package-lock.json": json.dumps(lock).encode(),
        "tool/package.json": FILES["package.json"] + b" " * 600_000,
        "video.bin": b"x" * 600_000,
    }
    write_repository(root / "owner" / "large.git", files)
    return files


def dependencies(run, source: object) -> tuple[list[dict[str, str]], dict[str, int | None]]:
    """Return the dependencies of *source*, and the size of each file where it is known."""
    ended = run("inspect", source, "--format", "json")
    assert ended.code == 0, ended.stderr
    made = json.loads(ended.stdout)
    assert not [manifest["problems"] for manifest in made["manifests"] if manifest["problems"]]
    return made["dependencies"], {file["path"]: file["bytes"] for file in made["files"]}


def test_what_is_over_the_limit_is_fetched_where_it_names_dependencies(run, host, root, large):
    found, sizes = dependencies(run, host.url("owner/large"))

    assert [one["resolved"] for one in found if one["name"] == "express"] == ["4.18.2"] * 2
    # Two more requests, whatever there is: what a host has, and those two blobs.
    assert len(host.requests) == 5
    assert [path for path, size in sizes.items() if size is None] == [
        *("package-lock.json", "tool/package.json", "video.bin"),
    ]
    local, known = dependencies(run, root / "owner" / "large.git")
    assert local == found
    assert known["video.bin"] == len(large["video.bin"])


def test_what_is_far_too_large_is_not_fetched_and_costs_itself_alone(run, host, root):
    files = {
        **FILES,
        "a/package.json": Random(1).randbytes(MAX_FETCHED_AFTERWARDS_BYTES + (1 << 20)),
        "b/package.json": FILES["package.json"],
    }
    write_repository(root / "owner" / "huge.git", files)

    ended = run("dependencies", host.url("owner/huge"))

    assert ended.code == 0, ended.stderr
    (refused,) = (one for one in json.loads(ended.stdout)["manifests"] if one["problems"])
    assert refused["path"] == "a/package.json"
    assert {one["manifest"] for one in json.loads(ended.stdout)["dependencies"]} == {
        *("package.json", "b/package.json"),
    }
