"""What is said of all that is missing."""

import pytest

from repomill.digest.tally import Tally
from repomill.model import Entry, Kind, Omission, Reason
from tests.digest.commits import OID, entry


def missing(reason: Reason, *sizes: int | None) -> list[Omission]:
    return [Omission(entry(b"%d" % n, size), reason) for n, size in enumerate(sizes)]


def submodules(*paths: bytes) -> list[Omission]:
    return [Omission(Entry(path, Kind.SUBMODULE, OID, None), Reason.SUBMODULE) for path in paths]


def test_of_nothing_nothing_is_said():
    assert str(Tally()) == ""
    assert Tally().in_words(0) == ""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.BUDGET, "left out to keep the digest within its size (7 bytes)"),
        (Reason.TOO_LARGE, "larger than the file-size limit"),
        (Reason.PATTERN, "left out by patterns (7 bytes)"),
        (Reason.TOTAL_SIZE, "past the limit for all files together (7 bytes)"),
    ],
)
def test_each_reason_has_its_words(reason, words):
    assert str(Tally().add(missing(reason, 3, 4))) == f"Omitted: 2 files\n- 2 {words}\n"


def test_a_folder_too_deep_has_no_bytes():
    tally = Tally().add([Omission(entry(b"a", None, Kind.FOLDER), Reason.DEPTH)])

    assert str(tally) == "Omitted: 1 file\n- 1 folders too deep to enter\n"


def test_files_of_no_known_size_are_counted_without_bytes():
    assert str(Tally().add(missing(Reason.PATTERN, None, 0))) == (
        "Omitted: 2 files\n- 2 left out by patterns\n"
    )


def test_reasons_come_in_one_order_whatever_was_counted_first():
    tally = Tally()
    for reason in reversed(Reason):
        tally.add_entry(entry(b"a", 1), reason)

    assert [line.split(" ", 2)[2][:8] for line in str(tally).splitlines()[1:-1]] == [
        *("left out", "larger t", "left out", "past the", "folders ", "submodul"),
    ]


def test_files_that_are_cut_are_counted_apart():
    tally = Tally(cut_files=2, cut_bytes=900)

    assert str(tally) == "Cut: 2 files, of which 900 bytes are missing\n"
    assert str(Tally(cut_files=1, cut_bytes=9)) == "Cut: 1 file, of which 9 bytes are missing\n"


def test_submodules_are_named_with_their_commits():
    assert str(Tally().add(submodules(b"lib/a", b"caf\xe9"))) == (
        f'Omitted: 2 files\n- 2 submodules, not fetched\n  lib/a @ {OID}\n  "caf\\351" @ {OID}\n'
    )


def test_of_many_submodules_fifty_are_named():
    lines = str(Tally().add(submodules(*(b"%02d" % n for n in range(60))))).splitlines()

    assert lines[1] == "- 60 submodules, not fetched"
    assert lines[2:-1] == [f"  {n:02} @ {OID}" for n in range(50)]
    assert lines[-1] == "  … and 10 more"


def test_submodules_are_named_in_the_room_that_there_is():
    tally = Tally().add(submodules(*(b"%02d" % n for n in range(9))))
    line = len(f"  00 @ {OID}\n")

    assert tally.in_words(0) == "Omitted: 9 files\n- 9 submodules, not fetched\n"
    assert tally.in_words(line - 1) == tally.in_words(0)
    assert tally.in_words(2 * line).splitlines()[2:] == [
        f"  00 @ {OID}",
        f"  01 @ {OID}",
        "  … and 7 more",
    ]
    assert tally.in_words(9 * line) == str(tally)
