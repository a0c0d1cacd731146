"""A store in a folder: readable by others, whole after a failure, distrustful of its own files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from repomill.errors import BadKeyError, StoreError
from repomill.stores.base import TEXT, Head
from repomill.stores.local import LocalStore, write_whole

KEY = "gitingest/owner/name/summary.txt"
FACTS = "_repomill/objects/gitingest/owner/name/summary.txt.json"

# A process that for a while can write no file of more than 10,000 bytes, as on a full disk.
PUT_TOO_MUCH = """
import pathlib, resource, sys
from repomill.errors import StoreError
from repomill.stores.local import LocalStore
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most))
store = LocalStore(pathlib.Path(sys.argv[1]))
try:
    store.put(sys.argv[2], b"new" * 10_000, content_type="text/plain", metadata={"commit": "2"})
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""


def put_too_much(store: LocalStore) -> str:
    """Return what the error says."""
    done = subprocess.run(
        [sys.executable, "-c", PUT_TOO_MUCH, store.root, KEY],
        stdout=subprocess.PIPE,
        timeout=100,
        check=True,
    )
    return done.stdout.decode().strip()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path) -> LocalStore:
    store = LocalStore(tmp_path / "digests")
    store.put(KEY, b"old", content_type=TEXT, metadata={"commit": "1"})
    return store


def test_nothing_is_made_before_the_first_object(tmp_path):
    assert LocalStore(tmp_path / "digests").get(KEY) is None
    assert not (tmp_path / "digests").exists()


def test_an_object_is_the_file_of_its_name(store):
    assert (store.root / KEY).read_bytes() == b"old"
    assert files(store.root) == [FACTS, KEY]


def test_a_write_that_fails_leaves_the_old_object_and_no_other_file(store):
    error = put_too_much(store)

    assert error == (
        f"{store.root / KEY} cannot be written (File too large); "
        "check the folder, its rights and the room on its disk"
    )
    assert store.get(KEY) == b"old"
    assert files(store.root) == [FACTS, KEY]


def test_an_object_without_the_facts_of_its_own_bytes_has_none(store):
    put_too_much(store)  # the facts of the new bytes, but the old bytes

    assert store.head(KEY) == Head(3, "application/octet-stream")


def test_a_first_write_that_fails_leaves_no_object(tmp_path):
    store = LocalStore(tmp_path)

    assert put_too_much(store)
    assert store.get(KEY) is None
    assert store.head(KEY) is None
    assert files(tmp_path) == [FACTS]


@pytest.mark.parametrize("facts", [b"", b"\xff", b"[]", b"{}", b'{"sha256": "of something else"}'])
def test_facts_that_cannot_be_read_are_none(store, facts):
    (store.root / FACTS).write_bytes(facts)

    assert store.head(KEY) == Head(3, "application/octet-stream")


def test_facts_that_are_missing_are_none(store):
    (store.root / FACTS).unlink()

    assert store.head(KEY) == Head(3, "application/octet-stream")


def test_an_object_that_another_program_changed_has_no_facts(store):
    (store.root / KEY).write_bytes(b"changed")

    assert store.head(KEY) == Head(7, "application/octet-stream")


def test_facts_are_no_objects(store):
    assert list(store.list("")) == [KEY]
    assert list(store.list("_repomill/")) == list(store.list("_repomill/objects/")) == []
    with pytest.raises(BadKeyError, match="facts of its own"):
        store.get(FACTS)


def test_what_a_writer_has_not_finished_is_not_listed(store):
    (store.root / KEY).with_name(f".{'0' * 32}.tmp").write_bytes(b"half")

    assert list(store.list("")) == [KEY]


def test_nothing_above_the_folder_is_listed(store, tmp_path):
    (tmp_path / "beside").write_bytes(b"")

    for prefix in ("../", "../beside", f"{tmp_path}/", "gitingest/../../"):
        with pytest.raises(BadKeyError):
            list(store.list(prefix))


def test_facts_say_which_bytes_they_belong_to(store):
    facts = json.loads((store.root / FACTS).read_bytes())

    assert facts.keys() == {"sha256", "content_type", "metadata"}


def test_a_folder_that_is_a_file_is_told_so(tmp_path):
    (tmp_path / "digests").write_text("a file")
    store = LocalStore(tmp_path / "digests")

    with pytest.raises(StoreError, match=r"summary.txt cannot be written \(.+\); check the folder"):
        store.put(KEY, b"", content_type=TEXT, metadata={})
    assert store.get(KEY) is None


def test_a_file_is_written_with_the_folders_above_it(tmp_path):
    write_whole(tmp_path / "a" / "b" / "c.txt", b"whole")
    write_whole(tmp_path / "a" / "b" / "c.txt", b"whole again")

    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"whole again"
    assert files(tmp_path) == ["a/b/c.txt"]


def test_a_long_name_can_be_written(tmp_path):
    write_whole(tmp_path / ("n" * 255), b"")

    assert files(tmp_path) == ["n" * 255]


def test_a_file_where_a_folder_stands_is_not_written(tmp_path):
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match="Is a directory"):
        write_whole(tmp_path / "folder", b"")

    assert files(tmp_path) == []
