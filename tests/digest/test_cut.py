"""A block, cut: how much of it is left, and what its mark says of the rest."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest import cut as cutting
from repomill.digest.cut import Cut, cut
from tests.digest.commits import block

MARK = re.compile(rb"\[\xe2\x80\xa6 (\d+) more lines?, (\d+) bytes\]\n\n\n\Z")


def text_of(part: Cut, whole: bytes) -> bytes:
    """Return what *part* holds of the file's text."""
    body = part.body[cutting.end_of_head(whole) :]
    mark = MARK.search(body)
    assert mark
    return body[: mark.start()]


def cut_text(text: bytes, room_bytes: int) -> bytes | None:
    """Return what is left of a file *text* where its text, mark aside, has about *room_bytes*."""
    whole = block(b"a", text)
    part = cut(whole, cutting.end_of_head(whole) + 40 + room_bytes)
    return text_of(part, whole) if part else None


def test_a_cut_ends_with_a_line():
    assert cut_text(b"0123456789\n" * 90, 50) == b"0123456789\n" * 5


def test_the_mark_tells_what_is_missing():
    part = cut(block(b"a", b"0123456789\n" * 90), 200)

    assert part == Cut(
        body=b"=" * 48
        + b"\nFILE: a\n"
        + b"=" * 48
        + b"\n"
        + b"0123456789\n" * 5
        + "[… 85 more lines, 935 bytes]\n\n\n".encode(),
        missing_bytes=935,
        missing_lines=85,
    )


def test_a_single_missing_line_is_one_line():
    part = cut(block(b"a", b"short\n" * 20 + b"x" * 99), 270)

    assert part
    assert part.missing_lines == 1
    assert part.body.endswith("\n[… 1 more line, 99 bytes]\n\n\n".encode())


def test_where_whole_lines_leave_less_than_half_of_the_room_a_line_is_cut():
    left = cut_text(b"short\n" + b"y" * 900, 100)

    assert left
    assert re.fullmatch(rb"short\ny{80,}\n", left)


def test_where_whole_lines_leave_half_of_the_room_no_line_is_cut():
    assert cut_text(b"x" * 59 + b"\n" + b"y" * 900, 100) == b"x" * 59 + b"\n"


def test_what_is_left_of_a_cut_line_is_counted_as_missing_with_it():
    whole = block(b"a", b"x" * 1000 + b"\nsecond\n")
    part = cut(whole, 300)

    assert part
    kept = text_of(part, whole)
    assert part.missing_lines == 2
    assert part.missing_bytes == 1008 - (len(kept) - 1)  # the line end is the cut's own


@pytest.mark.parametrize("character", ["é", "…", "😀"])
def test_no_character_is_cut(character):
    whole = block(b"a", character.encode() * 500)

    for room_bytes in range(250, 260):
        part = cut(whole, room_bytes)
        assert part
        kept = text_of(part, whole).decode()
        assert set(kept) == {character, "\n"}
        assert len(character.encode()) * len(kept[:-1]) + part.missing_bytes == len(
            character.encode() * 500
        )


def test_where_only_a_part_of_a_character_fits_nothing_is_left():
    whole = block(b"a", "😀".encode() * 500)
    cuts = (cut(whole, room_bytes) for room_bytes in range(len(whole)))

    smallest = next(filter(None, cuts))

    assert text_of(smallest, whole).decode() == "😀\n"


@pytest.mark.parametrize("text", [b"", b"x", b"\n\n\n", b"line\n" * 9])
def test_in_a_tiny_room_there_is_nothing(text):
    whole = block(b"a/long/path.txt", text)

    for room_bytes in (0, 1, 50, cutting.end_of_head(whole), cutting.end_of_head(whole) + 20):
        assert cut(whole, room_bytes) is None


def test_a_line_of_megabytes_is_cut_within_its_room():
    whole = block(b"a.min.js", b"x" * (4 << 20))
    part = cut(whole, 2048)

    assert part
    assert len(part.body) <= 2048
    assert part.missing_lines == 1
    assert part.missing_bytes > (4 << 20) - 2048


TEXTS = st.one_of(
    st.text(st.sampled_from("x\n é…😀"), max_size=400),
    st.lists(st.integers(0, 300), max_size=30).map(
        lambda lengths: "\n".join("y" * n for n in lengths)
    ),
)


@settings(deadline=None, max_examples=200)
@given(st.binary(min_size=1, max_size=30).filter(lambda n: not {0, 47} & set(n)), TEXTS, st.data())
def test_a_cut_fits_and_is_the_beginning_of_its_file(path, text, data):
    whole = block(path, text.encode())
    room_bytes = data.draw(st.integers(0, len(whole) - 1))

    part = cut(whole, room_bytes)

    if part is None:
        return
    assert len(part.body) <= room_bytes
    part.body.decode()
    start = cutting.end_of_head(whole)
    assert part.body[:start] == whole[:start]
    kept = text_of(part, whole)
    missing = part.missing_bytes
    full = whole[start:-2]
    # What is left, and what the mark says is not, are together the file.
    begins = full[: len(full) - missing]
    assert begins
    assert kept in {begins, begins + b"\n"}
    assert part.missing_lines == len(full[len(begins) :].removesuffix(b"\n").split(b"\n"))
    mark = MARK.search(part.body)
    assert mark
    assert (int(mark[1]), int(mark[2])) == (part.missing_lines, missing)
