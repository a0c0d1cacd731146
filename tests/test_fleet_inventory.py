"""The dependencies of all repositories in a store, as one Parquet file."""

import gzip
import json
import os
import subprocess
import sys
import threading

import duckdb
import pytest
import structlog
from click.testing import CliRunner

from repomill import fleet_inventory, inventory, parquet
from repomill.cli import cli
from repomill.errors import RepomillError, StoreError, StoreUnavailableError, UsageError
from repomill.ledger.book import THREADS
from repomill.stores.base import JSON
from repomill.stores.local import LocalStore
from tests.ledger.making import Relay
from tests.making_metadata import COMMIT, dependency, manifest, metadata

EXPRESS = manifest("package.json", dependency("pkg:npm/express", "^4", "4.19.2"))


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def put(store):
    """Return the function that keeps the metadata of a repository."""

    def put_(repository, *manifests, body=None):
        whole = body if body is not None else metadata(manifests, repository)
        store.put(f"metadata/{repository}.json", whole, content_type=JSON, metadata={})

    return put_


@pytest.fixture
def write(store, tmp_path):
    """Return the function that makes the table."""

    def write_(of=store, folder="made"):
        made = tmp_path / folder
        made.mkdir(exist_ok=True)
        return fleet_inventory.write(of, made, for_people=False)

    return write_


def rows(table, *columns):
    return duckdb.read_parquet(str(table.path)).select(*columns or "*").fetchall()


def repositories(table):
    return [repository for (repository,) in rows(table, "repository")]


def test_each_dependency_is_a_row(put, write):
    second = manifest(
        "app/package.json",
        dependency("pkg:npm/%40types/node", scope="development"),
        dependency("pkg:npm/vue", "~3 “öß”"),
    )
    put("owner/name", EXPRESS, second)

    table = write()

    of_all = ("owner/name", "https://github.com/owner/name", COMMIT)
    assert rows(table) == [
        (
            *(*of_all, "package.json", "npm", "pkg:npm/express"),
            *("pkg:npm/express@4.19.2", "express", "^4", "4.19.2", "runtime"),
        ),
        (
            *(*of_all, "app/package.json", "npm", "pkg:npm/%40types/node"),
            *("pkg:npm/%40types/node", "@types/node", "", None, "development"),
        ),
        (
            *(*of_all, "app/package.json", "npm", "pkg:npm/vue"),
            *("pkg:npm/vue", "vue", "~3 “öß”", None, "runtime"),
        ),
    ]
    assert duckdb.read_parquet(str(table.path)).columns == list(parquet.COLUMNS)
    assert (table.repositories, table.dependencies, table.unusable) == (1, 3, 0)


def test_rows_are_sorted_by_repository_whichever_answer_comes_first(put, store, write):
    names = [f"owner/{name}" for name in ("a", "a-b", "a.b", "b")]
    names += [f"owner/more-{number:02}" for number in range(2 * THREADS)]
    for name in reversed(names):
        put(name, EXPRESS)
    last_came = threading.Event()
    relay = Relay(store)

    def hold_the_first_back(method, key):
        if key == "metadata/owner/b.json":
            last_came.set()
        if key == "metadata/owner/a.json":
            assert last_came.wait(30)

    relay.before = hold_the_first_back

    assert repositories(write(relay)) == sorted(names)


def test_the_same_store_makes_the_same_bytes(put, write):
    for number in range(20):
        put(f"owner/{number}", EXPRESS)

    first, second = write(folder="first"), write(folder="second")

    assert first.path.read_bytes() == second.path.read_bytes()


def test_an_object_that_is_broken_is_named_and_costs_itself_alone(put, write):
    whole = metadata([EXPRESS], "owner/broken")
    put("owner/a", EXPRESS)
    put("owner/broken", body=whole.replace(b'"scope": "runtime"', b'"scope": 7'))
    put("owner/empty", body=b"")
    put("owner/older", body=b'{\n "repository": "owner/older"\n}\n')
    put("owner/z", EXPRESS)

    with structlog.testing.capture_logs() as logged:
        table = write()

    assert repositories(table) == ["owner/a", "owner/z"]
    assert (table.repositories, table.unusable) == (2, 3)
    assert [(line["key"], line["log_level"]) for line in logged] == [
        ("owner/broken", "warning"),
        ("owner/empty", "warning"),
        ("owner/older", "warning"),
    ]


def test_however_many_files_a_repository_has_it_is_read(put, write):
    put("owner/large", body=metadata([EXPRESS], "owner/large") + b" " * inventory.MAX_BYTES)

    assert repositories(write()) == ["owner/large"]


def test_what_is_gone_by_the_time_it_is_read_is_left_out(put, store, write):
    put("owner/gone", EXPRESS)
    put("owner/there", EXPRESS)
    relay = Relay(store)
    assert set(store.list("metadata/"))
    relay.before = lambda *_: store.delete("metadata/owner/gone.json")

    table = write(relay)

    assert repositories(table) == ["owner/there"]
    assert table.unusable == 0


def test_what_is_no_metadata_object_is_left_alone(put, store, write):
    put("owner/name", EXPRESS)
    store.put("metadata/README.md", b"#", content_type=JSON, metadata={})
    too_long_for_a_key = store.root / "metadata" / f"{'x' * 249}.json"
    too_long_for_a_key.write_bytes(b"{}")

    assert write().repositories == 1


def test_repositories_without_dependencies_make_a_table_without_rows(put, write):
    put("owner/name")

    table = write()

    assert rows(table) == []
    assert (table.repositories, table.dependencies) == (1, 0)


def test_a_store_without_metadata_is_an_error(write):
    with pytest.raises(StoreError, match="no metadata"):
        write()


# Parquet


def test_nothing_but_its_own_folder_is_read_or_written(tmp_path):
    elsewhere, folder = tmp_path / "rows.json.gz", tmp_path / "folder"
    folder.mkdir()
    with gzip.open(elsewhere, "wb") as file:
        file.write(json.dumps(dict.fromkeys(parquet.COLUMNS, "x")).encode())

    with pytest.raises(RepomillError, match="no Parquet file"):
        parquet.write(elsewhere, folder / "table.parquet")

    assert list(folder.iterdir()) == []


def test_other_commands_do_not_wait_for_libraries_of_this_one():
    program = "import sys, repomill.cli; sys.exit(bool({'duckdb', 'cyclonedx'} & {*sys.modules}))"

    subprocess.run([sys.executable, "-c", program], check=True)


# The command


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return the function that runs the command for a user without settings."""
    for name in os.environ:
        if name.startswith(("REPOMILL_", "R2_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        told = CliRunner().invoke(cli, ["dependencies", *arguments], standalone_mode=False)
        if told.exception:
            raise told.exception
        return told

    return run


def test_the_file_is_written_whole_and_counted(put, command, tmp_path):
    put("owner/name", EXPRESS)
    put("owner/broken", body=b"")

    told = command("--store", "store", "-o", "table.parquet", "--log-format", "json")

    assert told.return_value == 0
    written = json.loads(told.stderr.splitlines()[-1])
    assert (written["level"], written["message"]) == ("warning", "Table written")
    assert written["context"]["metadata"] == {
        "repositories": 1,
        "dependencies": 1,
        "unusable": 1,
    }
    assert (tmp_path / "table.parquet").read_bytes()[:4] == b"PAR1"
    assert {path.name for path in tmp_path.iterdir()} == {"store", "table.parquet"}


def test_a_store_of_which_nothing_can_be_used_leaves_the_file_of_before(put, command, tmp_path):
    put("owner/broken", body=b"")
    (tmp_path / "table.parquet").write_bytes(b"before")

    with pytest.raises(StoreError, match=r"none of the metadata in .* tell"):
        command("--store", "store", "-o", "table.parquet")

    assert (tmp_path / "table.parquet").read_bytes() == b"before"


def test_a_store_that_fails_leaves_the_file_of_before(put, command, tmp_path, monkeypatch):
    put("owner/name", EXPRESS)
    (tmp_path / "table.parquet").write_bytes(b"before")

    def refuse(self, key, **_):
        raise StoreUnavailableError("it is away")

    monkeypatch.setattr(LocalStore, "get", refuse)
    with pytest.raises(StoreUnavailableError):
        command("--store", "store", "-o", "table.parquet")

    assert (tmp_path / "table.parquet").read_bytes() == b"before"
    assert {path.name for path in tmp_path.iterdir()} == {"store", "table.parquet"}


def test_the_variable_names_the_store_too(put, command, tmp_path, monkeypatch):
    put("owner/name", EXPRESS)
    monkeypatch.setenv("REPOMILL_STORE", "store")
    monkeypatch.setenv("REPOMILL_FORMAT", "json")

    assert command("-o", "table.parquet").return_value == 0
    assert (tmp_path / "table.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a repository"),
        (("-o", "x"), "name a repository"),
        (("owner/name", "--store", "store"), "exclude each other"),
        (("--store", "store"), "name it with -o"),
        (("--store", "store", "-o", "-"), "name it with -o"),
        (("--store", "store", "-o", "x", "--format", "json"), "Parquet"),
    ],
)
def test_what_is_not_one_of_both_is_refused(command, arguments, said):
    with pytest.raises(UsageError, match=said):
        command(*arguments)
