"""One process at a time, and files that are damaged."""

import contextlib
import errno
import fcntl
import os
import sqlite3
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from repomill.ledger import Index, IndexInUseError, LedgerError
from repomill.ledger import database as database_
from repomill.ledger.bulk import chunk
from repomill.ledger.database import Database
from tests.ledger.making import known, record, run_record

PAGE = 4096


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "index.sqlite"


def fill(path, number=1000):
    with Index(path) as index:
        index.bind("ledger")
        index.learn(record(f"o/{n}") for n in range(number))
        index.note_run(run_record())
        index.settle(index.last_pending(), ["part"])


def warned(lines) -> list[str]:
    return [line["set_aside"] for line in lines if line["log_level"] == "warning"]


def test_only_one_can_have_it(path):
    with Index(path):
        with pytest.raises(IndexInUseError, match="another run uses") as refusal:
            Index(path)
        assert str(path) in str(refusal.value)

    Index(path).close()


def test_a_process_that_is_killed_leaves_no_lock(path):
    program = """if True:
        import sys
        from pathlib import Path
        from repomill.ledger import Index
        index = Index(Path(sys.argv[1]))
        print("open", flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(IndexInUseError, match="another run"):
            Index(path)

        process.kill()
        process.wait()
        Index(path).close()


def test_closing_it_twice_is_no_error(path):
    index = Index(path)
    index.close()
    with path.open("ab") as other:
        index.close()
        other.write(b"")  # its number may be the one that the lock had


@pytest.mark.parametrize(
    "bytes_", [b"no database, but long enough to look like one" * 100, bytes(5000)], ids=len
)
def test_what_is_no_database_is_set_aside(path, bytes_):
    path.parent.mkdir()
    path.write_bytes(bytes_)

    with capture_logs() as lines, Index(path) as index:
        assert len(index) == 0
        index.note(record())

    aside = path.with_name("index.sqlite.corrupt-1")
    assert warned(lines) == [str(aside)]
    assert aside.read_bytes() == bytes_
    with Index(path) as index:
        assert len(index) == 1


def test_another_database_is_set_aside(path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE outcome (key TEXT)")

    with capture_logs() as lines, Index(path) as index:
        assert len(index) == 0

    assert len(warned(lines)) == 1


def test_only_the_newest_of_what_was_set_aside_is_kept(path):
    for number in range(1, 4):
        fill(path)
        path.write_bytes(b"damage %d" % number)
        Index(path).close()

    left = {other.name for other in path.parent.iterdir()}
    assert left == {path.name, f"{path.name}.lock", f"{path.name}.corrupt-3"}
    assert path.with_name(f"{path.name}.corrupt-3").read_bytes() == b"damage 3"


@pytest.mark.parametrize("whole_check", [True, False])
def test_a_file_that_lost_its_end_is_set_aside(path, whole_check, monkeypatch):
    if not whole_check:  # as for a file of 64 MiB
        monkeypatch.setattr(database_, "_WHOLE_CHECK_BYTES", 0)
    fill(path)
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)

    with capture_logs() as lines, Index(path) as index:
        assert len(known(index)) in {0, 1000}

    assert len(warned(lines)) == 1


def test_damage_that_is_found_later_is_set_aside_then(path, monkeypatch):
    monkeypatch.setattr(database_, "_WHOLE_CHECK_BYTES", 0)  # as for a file of 64 MiB
    fill(path)
    with capture_logs() as lines, Index(path) as index:
        index.bind("ledger")
        spoil(path)
        for number in range(1000):
            index.note(record(f"o/{number}", at=1))

        assert len(warned(lines)) == 1
        assert 0 < len(index) <= 1000
        assert index.parts() == set()
        assert index.bind("ledger")
        index.check()
    with Index(path) as index:
        assert index.bind("ledger")
        assert 0 < len(index) <= 1000


def test_a_part_is_loaded_into_the_new_file_when_the_old_one_is_damaged(path, monkeypatch):
    monkeypatch.setattr(database_, "_WHOLE_CHECK_BYTES", 0)
    fill(path)
    with capture_logs() as lines, Index(path) as index:
        spoil(path)
        index.load("new", lambda: [some(1000)])

        assert len(warned(lines)) == 1
        assert index.parts() == {"new"}
        assert len(known(index)) == 1000


def test_a_row_that_no_version_wrote_is_damage(path):
    fill(path, 3)
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE outcome SET seconds = '[]' WHERE key = 'o/1'")

    with capture_logs() as lines, Index(path) as index:
        assert known(index) == {}

    assert len(warned(lines)) == 1


def test_a_text_that_is_none_is_damage(path):
    fill(path, 3)
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE outcome SET url = CAST(X'ff' AS TEXT) WHERE key = 'o/1'")

    with capture_logs() as lines, Index(path) as index:
        assert known(index) == {}

    assert len(warned(lines)) == 1


def test_who_attached_it_and_found_damage_can_have_it_begun_anew(path):
    fill(path)
    with capture_logs() as lines, Index(path) as index:
        index.bind("ledger")
        index.begin_anew("a page is broken")

        assert lines[0]["error"] == "a page is broken"
        assert len(index) == 0
        assert index.bind("ledger")


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(LedgerError, match=r"file/index.*--ledger"):
        Index(tmp_path / "file" / "index")


def test_a_path_that_is_a_folder_is_named(tmp_path):
    (tmp_path / "index").mkdir()

    with pytest.raises(LedgerError, match=r"index cannot be used.*--ledger"):
        Index(tmp_path / "index")
    with pytest.raises(LedgerError, match="cannot be used"):
        Index(tmp_path / "index")


def test_damage_that_only_the_check_sees_is_set_aside(path):
    fill(path)
    with path.open("r+b") as file:
        file.seek(36)  # where its header counts free pages: https://sqlite.org/fileformat.html
        file.write(b"\0\0\0\7")

    with capture_logs() as lines, Index(path) as index:
        assert len(index) == 0

    assert "freelist" in lines[0]["error"]


def test_a_file_that_cannot_be_set_aside_is_named(path):
    path.parent.mkdir()
    path.write_bytes(b"damage" * 100)
    path.with_name(f"{path.name}.corrupt-1").mkdir()

    with capture_logs(), pytest.raises(LedgerError, match="cannot be used"):
        Index(path)


def test_what_fails_again_in_a_new_file_is_an_error(path):
    def fail(_connection):
        raise sqlite3.DatabaseError("again")

    with capture_logs(), pytest.raises(LedgerError, match="again"):
        Database(path, fail)
    with (
        capture_logs(),
        contextlib.closing(Database(path, lambda _connection: None)) as database,
        pytest.raises(LedgerError, match="again"),
    ):
        database.do(fail)


def test_a_file_system_without_locks_is_named(path, monkeypatch):
    def refuse(_file, _how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)  # as some network file systems do

    with pytest.raises(LedgerError, match=r"cannot be locked \(No locks available\).*--ledger"):
        Index(path)


def test_a_disk_that_is_full_is_an_error_and_no_damage(path):
    with Index(path) as index:
        index._database.do(lambda connection: connection.execute("PRAGMA max_page_count = 1"))  # noqa: SLF001 as a full disk does it
        with pytest.raises(LedgerError, match="full"):
            index.learn(record(f"o/{n}") for n in range(1000))

        assert len(index) == 0
    assert not list(path.parent.glob("*.corrupt*"))


def some(number):
    return chunk(record(f"o/{n}", at=1) for n in range(number))


def spoil(path):
    """Overwrite all but the first page, behind the back of who has it open."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (size - PAGE))
