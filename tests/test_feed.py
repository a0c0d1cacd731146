"""Feeds in every form, sound and broken, read as streams."""

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
from functools import partial

import pytest
import stamina
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repomill import feed, urls
from repomill.demo.behaviours import Redirect, Status
from repomill.errors import BadUrlError, FeedError, UsageError
from repomill.feed import DEFAULT_FEED, Entry, Problem
from repomill.feed.entries import MAX_CHARACTERS
from repomill.feed.structure import Structure
from repomill.network import NetworkRules

OK = b'{"url": "o/n"}'
packed = partial(gzip.compress, mtime=0)
UK_ENTRY = {
    "owner": "alphagov",
    "name": "whitehall",
    "url": "https://github.com/alphagov/whitehall",
    "description": "Publishes government content on GOV.UK",
    "isArchived": False,
    "license": {"key": "mit", "name": "MIT License", "spdxId": "MIT"},
    "language": "Ruby",
    "forksCount": 190,
    "pushedAt": "2026-11-20T17:04:31Z",
    "topics": ["govuk"],
}


def short(value):
    """Return how a test's data is named."""
    return f"{value[:20]!r} {len(value)}" if isinstance(value, bytes) else None


def read(data):
    """Return what a feed gives, and the message of the error at its end, or None."""
    items = []
    try:
        for item in feed.read(io.BytesIO(data) if isinstance(data, bytes) else data):
            items.append(item)  # noqa: PERF402 what came before an error counts
    except FeedError as error:
        return items, str(error)
    return items, None


def names(data):
    """Return position and name of each entry, position and kind of each problem; no error."""
    items, error = read(data)
    assert error is None
    return list(map(brief, items))


def brief(item):
    if isinstance(item, Problem):
        return item.position, item.kind
    return item.position, item.repo.full_name


def only(data):
    """Return the repository of a feed of one."""
    (item,), error = read(data)
    assert error is None
    assert isinstance(item, Entry)
    return item.repo


def array(*values):
    return json.dumps(values).encode()


TWO = [(1, "o/n"), (2, "group/sub/m")]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"url": "o/n"}, {"url": "https://gitlab.com/group/sub/m"}]',
        b'\r\n [\r\n{"url":"o/n"}\r\n,{"x":[{}],"url":"https://gitlab.com/group/sub/m.git"}\r\n]\r\n',
        b'{"url": "o/n"}\n{"url": "https://gitlab.com/group/sub/m"}\n',
        b'{"url": "o/n"}\r\n\r\n{"url": "https://gitlab.com/group/sub/m"}',
        b"url\no/n\nhttps://gitlab.com/group/sub/m\n",
        b'"Name","URL"\r\n"a ""b"", c","o/n"\r\n,https://gitlab.com/group/sub/m',
        b'# from our CMDB\n\nname , url \n"two\nlines",o/n\n,,\nb,https://gitlab.com/group/sub/m\n',
        b"o/n\nhttps://gitlab.com/group/sub/m\n",
        b"# ours\r\n\r\n  o/n # the first\r\n#o/old\r\n\thttps://gitlab.com/group/sub/m/",
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("pack", [bytes, packed], ids=["unpacked", "gzip"])
def test_every_form_is_recognised_by_its_content(data, mark, pack):
    assert names(pack(mark + data)) == TWO


def test_gzip_may_come_in_several_members_and_twice():
    members = packed(b"o/n\nhttps://gitlab.com/gr") + packed(b"oup/sub/m\n")

    assert names(members) == TWO
    assert names(packed(members)) == TWO


@pytest.mark.parametrize("data", [b"[]", b" [ ]\n", b"url\n", b"# nothing yet\n"])
def test_a_feed_may_be_empty(data):
    assert names(data) == []


def test_an_entry_of_the_uk_governments_feed():
    repo = only(array(UK_ENTRY))

    assert repo.url == UK_ENTRY["url"]
    assert repo.description == UK_ENTRY["description"]
    assert repo.license == "MIT"
    assert repo.pushed_at == UK_ENTRY["pushedAt"]


def test_columns_of_csv_are_the_keys_of_json_in_any_case():
    repo = only(
        b"Description,pushedat,LICENSE,Url,url\nsome,2026-11-20T17:04:31Z,MIT,o/n,not/this\n"
    )

    assert repo.full_name == "o/n"
    assert (repo.description, repo.pushed_at, repo.license) == (
        "some",
        "2026-11-20T17:04:31Z",
        "MIT",
    )


def test_a_row_may_be_short():
    assert names(b"url,license\no/n\n") == [(1, "o/n")]
    assert names(b"license,url\nMIT\nMIT,o/n\n") == [(1, "no_url"), (2, "o/n")]


@pytest.mark.parametrize(
    ("license_", "read"),
    [
        (None, None),
        ({"key": "mit", "name": "MIT License", "spdxId": "MIT"}, "MIT"),
        ({"key": "other", "name": "Other", "spdxId": None}, "other"),
        ({"name": "Open Government\nLicence"}, "Open Government Licence"),
        ({"spdxId": 7}, None),
        ({}, None),
        ([], None),
        ("MIT", "MIT"),
    ],
)
def test_a_license_is_what_names_it(license_, read):
    assert only(array({"url": "o/n", "license": license_})).license == read


@pytest.mark.parametrize(
    ("description", "read"),
    [
        (None, None),
        (17, None),
        (" \n", None),
        ("two\r\nlines\x00\x1b[31m", "two lines [31m"),
        ("\u202etxt.exe\u2029", "txt.exe"),
        ("half \ud83d a pair", "half   a pair"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("x" * 501, "x" * 500),
    ],
)
def test_a_description_is_one_line_of_bounded_length(description, read):
    repo = only(array({"url": "o/n", "description": description}))

    assert repo.description == read
    assert read is None or repo.description.encode()


@pytest.mark.parametrize(
    ("moment", "taken"),
    [
        ("2026-11-20T17:04:31Z", True),
        ("2026-11-20t17:04:31.123456+01:00", True),
        ("2026-11-20", False),
        ("2026-13-20T17:04:31Z", False),
        ("2026-11-20T17:04:31", False),
        ("2026-11-20T17:04:31Z\n", False),
        ("٢٠٢٦-11-20T17:04:31Z", False),
        (1763658271, False),
        (None, False),
    ],
)
def test_the_last_push_is_a_moment_of_rfc_3339_or_unknown(moment, taken):
    assert only(array({"url": "o/n", "pushedAt": moment})).pushed_at == (moment if taken else None)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (b"{}", "no_url"),
        (b'{"url": null}', "no_url"),
        (b'{"url": ""}', "no_url"),
        (b'{"url": " "}', "no_url"),
        (b'{"url": 17}', "bad_url"),
        (b'{"url": NaN}', "bad_url"),
        (b'{"url": ["o/n"]}', "bad_url"),
        (b'{"url": "http://github.com/o/n"}', "bad_url"),
        (b'{"url": "\\ud800/n"}', "bad_url"),
        (b'{"url": "o\xff/n"}', "bad_url"),
        (b'{"url": "o/n", "url": "x"}', "bad_url"),
        (b"null", "not_an_object"),
        (b"17", "not_an_object"),
        (b'"o/n"', "not_an_object"),
        (b'["o/n"]', "not_an_object"),
        (b"[" * 100_000 + b"]" * 100_000, "not_an_object"),
        (b'{"url": "o/n", "x": "' + b"x" * MAX_CHARACTERS + b'"}', "too_long"),
        (b'{"x": [' + b'"\\"]}",' * (MAX_CHARACTERS // 6) + b"{}]}", "too_long"),
        (b'{"x": [0' + b",[[{}],{}]" * (MAX_CHARACTERS // 10) + b"]}", "too_long"),
        (b"1" * (MAX_CHARACTERS + 1), "too_long"),
        (b"1" * (3 * MAX_CHARACTERS), "too_long"),
        (b'"' + b",]}" * MAX_CHARACTERS + b'"', "too_long"),
    ],
    ids=short,
)
def test_an_unusable_entry_costs_only_itself(entry, kind):
    expected = [(1, "o/n"), (2, kind), (3, "o/n")]

    assert names(b"[" + OK + b"," + entry + b"," + OK + b"]") == expected
    assert names(OK + b"\n" + entry + b"\n" + OK) == expected


@pytest.mark.parametrize(
    "entry",
    [
        b'{"url": "o/n", "n": ' + b"7" * 5000 + b"}",
        b'{"url": "o/n", "n": [NaN, -Infinity, 1e999]}',
        b'{"url": "x", "url": "o/n"}',
        b'{"url": "o/n", "description": "\\ud800 a\ttab"}',
        b'{"url": "o/n", "description": "\xff\xfe"}',
        b'{"url": "o/n", "x": ' + b"[" * 100 + b"]" * 100 + b"}",
    ],
)
def test_what_is_odd_but_harmless_is_read(entry):
    assert only(b"[" + entry + b"]").full_name == "o/n"
    assert only(entry + b"\n").full_name == "o/n"


def padded(characters):
    return b'{"url": "o/n", "x": "' + b"x" * (characters - len('{"url": "o/n", "x": ""}')) + b'"}'


def test_an_entry_may_be_a_mebibyte_long_and_not_more():
    longest, too_long = padded(MAX_CHARACTERS), padded(MAX_CHARACTERS + 1)
    expected = [(1, "o/n"), (2, "too_long"), (3, "o/n")]

    assert names(b"[" + b",".join([longest, too_long, OK]) + b"]") == expected
    assert names(b"\n".join([longest, too_long, OK])) == expected
    assert names(b"[\n  " + b"\n,\n".join([longest, too_long, longest]) + b"\n]") == expected


def test_white_space_between_elements_is_of_no_account():
    space = b" \n" * MAX_CHARACTERS

    assert names(space + b"[" + space + OK + space + b"," + space + OK + space + b"]") == [
        (1, "o/n"),
        (2, "o/n"),
    ]


def test_lines_of_text_cost_only_themselves():
    long = b"x" * (MAX_CHARACTERS + 1)

    items, error = read(b"# list\n\no/n\n" + long + b"\nhttp://example.org/o/n\no/n#readme\no/m")

    assert error is None
    assert list(map(brief, items)) == [
        (1, "o/n"),
        (2, "too_long"),
        (3, "bad_url"),
        (4, "bad_url"),
        (5, "o/m"),
    ]
    assert items[1].message.startswith("line 4: ")
    assert "'http://example.org/o/n'" in items[2].message


def test_rows_of_csv_cost_only_themselves():
    long = b"x" * (MAX_CHARACTERS + 1)
    rows = [b'"o/n"x,', long + b",", b'o/n,"' + long + b'"', b"o/m,fine"]

    assert names(b"url,description\n" + b"\n".join(rows)) == [
        (1, "not_an_object"),
        (2, "too_long"),
        (3, "too_long"),
        (4, "o/m"),
    ]


def test_a_quote_that_is_not_closed_costs_its_line():
    items, error = read(b'url,description\no/n,"never\no/m,fine\no/l,"it\'s\nfine"\n')

    assert error is None
    assert list(map(brief, items)) == [(1, "not_an_object"), (2, "o/m"), (3, "o/l")]
    assert items[0].message.startswith("line 2: ")


def test_nor_does_it_at_the_end():
    assert names(b'url,description\no/n,"never\no/m,fine\n') == [(1, "not_an_object"), (2, "o/m")]


def test_nor_does_it_when_a_mebibyte_follows():
    row = b"o/m," + b"x" * 1019 + b"\n"

    assert names(b'url,description\no/n,"never\n' + row * 1500) == [
        (1, "too_long"),
        *((position, "o/m") for position in range(2, 1502)),
    ]


def test_a_quote_that_is_open_at_the_end_may_be_a_truncation():
    items, error = read(b'url,description\no/m,fine\no/n,"cut o')

    assert list(map(brief, items)) == [(1, "o/m"), (2, "not_an_object")]
    assert "line 3" in error


PAGE = b"<!DOCTYPE html>\n<html><body>Not found</body></html>"
SEVERAL_LINES = json.dumps({"items": ["x" * 100] * 1000}, indent=2).encode()


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\n" * 200_000, "empty"),
        (packed(b""), "empty"),
        (PAGE, "web page"),
        (packed(b"\n\n" + PAGE), "web page"),
        (b"<rss/>", "web page"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (b"PK\x03\x04\x14\0\0\0", "binary"),
        ("o/n\n".encode("utf-16"), "UTF-16"),
        ("o/n\n".encode("utf-16-le"), "not UTF-8"),
        (b'{"message": "API rate limit exceeded", "status": "403"}', "'API rate limit exceeded'"),
        (b'{\n  "message": "Not\\u001b Found"\n}\n', "'Not  Found'"),
        (b'{"error": {"code": 404}}', "one JSON object"),
        (b'{"items": ["o/n"]}\n', "one JSON object"),
        (SEVERAL_LINES, "several lines"),
    ],
    ids=short,
)
def test_what_is_no_feed_is_refused_at_once(data, advice):
    items, error = read(data)

    assert items == []
    assert advice in error


@pytest.mark.parametrize(
    "data",
    [
        b"some words\nthat are no list\n",
        b"name,owner\nn,o\n",
        b"null",
        b'"o/n"',
        b"[1, 2]",
        b"[{}]",
        b'{"name": "n"}\n{"name": "m"}\n',
        b"url\nx\n",
        b"\xfe\xfd\xfc" * 30,
    ],
)
def test_a_feed_without_one_usable_entry_is_refused_at_its_end(data):
    items, error = read(data)

    assert items
    assert all(isinstance(item, Problem) for item in items)
    assert f"none of the feed's {len(items)} entries can be used" in error
    assert items[0].message in error


@pytest.mark.parametrize(
    ("rest", "advice"),
    [
        (b"", "truncated"),
        (b",", "truncated"),
        (b', {"url": "o/', "truncated"),
        (b', {"x": "' + b"x" * 2 * MAX_CHARACTERS, "truncated"),
        (b', {"x": "\\' + b"\\" * 2 * MAX_CHARACTERS, "truncated"),
        (b"," + b"[" * 2 * MAX_CHARACTERS, "truncated"),
        (b", 1", "truncated"),
        (b", ]", "in its entry 2"),
        (b', {"url": nonsense}]', "in its entry 2"),
        (b', {"url": nonsense},' + b" " * 2 * MAX_CHARACTERS + b"{}]", "in its entry 2"),
        (b' {"url": "o/m"}]', "after its entry 1"),
        (b"}", "after its entry 1"),
        (b"] {}", "goes on"),
    ],
    ids=short,
)
def test_a_broken_array_is_read_as_far_as_it_goes(rest, advice):
    items, error = read(b"[" + OK + rest)

    assert brief(items[0]) == (1, "o/n")
    assert advice in error


def test_a_line_of_json_that_is_cut_off_is_a_truncation():
    items, error = read(OK + b"\n" + OK[:-4])

    assert list(map(brief, items)) == [(1, "o/n")]
    assert "it ends within line 2" in error


def test_any_other_broken_line_of_json_costs_itself():
    assert names(OK + b'\n{"url": \n' + OK + b"{}\n" + OK) == [
        (1, "o/n"),
        (2, "not_an_object"),
        (3, "not_an_object"),
        (4, "o/n"),
    ]
    assert names(b'{"url": \n' + OK + b"\n") == [(1, "not_an_object"), (2, "o/n")]


def noise(count):
    """Return lines that do not compress away."""
    words = random.Random(0)
    return b"".join(b"o/n%d\n" % words.getrandbits(64) for _ in range(count))


@pytest.mark.parametrize("form", ["text", "csv", "lines", "array"])
def test_what_came_before_gzip_was_cut_off_is_read(form):
    plain = noise(5_000).split()
    data = {
        "text": b"\n".join(plain),
        "csv": b"url\n" + b"\n".join(plain),
        "lines": b"\n".join(b'{"url": "%s"}' % name for name in plain),
        "array": array(*({"url": name.decode()} for name in plain)),
    }[form]
    whole = packed(data)

    items, error = read(whole[: len(whole) // 2])

    assert 1_500 < len(items) < 3_500
    assert [item.repo.full_name.encode() for item in items] == plain[: len(items)]
    assert "truncated: its gzip data ends too early" in error


@pytest.mark.parametrize("behind", [b"garbage", packed(b"o/n\n")[:-1] + b"!"])
def test_damaged_gzip_is_read_as_far_as_it_goes(behind):
    items, error = read(packed(b"o/n\n") + behind)

    assert brief(items[0]) == (1, "o/n")
    assert "gzip data is damaged" in error


class Failing(io.RawIOBase):
    """A disk that gives out."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        count = self.data.readinto(buffer)
        if count == 0:
            raise OSError(5, "Input/output error")
        return count


@pytest.mark.parametrize("start", [b"o/n\n", OK + b"\n", b"[" + OK + b",", b"url\no/n\n"])
def test_what_came_before_a_failure_is_read_and_no_half_line(start):
    items, error = read(io.BufferedReader(Failing(start + b"https://github.com/half/a-na")))

    assert list(map(brief, items)) == [(1, "o/n")]
    assert "Input/output error" in error


def test_nor_is_half_of_a_line_that_is_too_long():
    items, error = read(io.BufferedReader(Failing(b"o/n\n" + b"x" * 2 * MAX_CHARACTERS)))

    assert list(map(brief, items)) == [(1, "o/n")]
    assert "Input/output error" in error


class Dribble(io.RawIOBase):
    """Gives *data* in pieces of at most so many bytes."""

    def __init__(self, data, size_bytes):
        self.data = io.BytesIO(data)
        self.size_bytes = size_bytes

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self.data.read(min(self.size_bytes, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


FRAGMENTS = st.sampled_from(
    [
        *[b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\n", b"\r\n", b" ", b"#", b"\0"],
        *[
            b"url",
            b'"url"',
            b'"url": "o/n"',
            OK,
            b"o/n",
            b"https://",
            b"github.com/o/m",
            b"1",
            b"-",
        ],
        *[
            b"url,description\n",
            b'"a\n',
            b"null",
            b"\xef\xbb\xbf",
            b"\xff",
            "é".encode(),
            b"<",
            b"@",
        ],
        *[
            b"[" * 3000,
            b"x" * 70_000,
            b"\x1f\x8b",
            packed(OK),
            b'"\\ud800"',
            b"NaN",
            b"tree/",
        ],
    ]
)
ASSEMBLED = st.lists(FRAGMENTS, max_size=30).map(b"".join)
PACKED = ASSEMBLED.map(packed)
CUT = st.tuples(PACKED, st.integers(0, 60)).map(lambda pair: pair[0][: pair[1]])
ANYTHING = st.one_of(st.binary(), ASSEMBLED, ASSEMBLED.map(lambda data: b"[" + data), PACKED, CUT)


def enlarged(data):
    """Return *data* with something in it that is longer than what is read at once."""
    return data.replace(b"%", b"x" * 70_000, 2)


@settings(deadline=None)
@given(ANYTHING)
@example(b'{"url":"\xff"}\n{')
def test_no_bytes_raise_anything_but_a_feed_error(data):
    items, _ = read(enlarged(data))

    assert [item.position for item in items] == list(range(1, len(items) + 1))


@settings(deadline=None)
@given(ANYTHING, st.integers(1, 100))
def test_it_is_nothing_to_a_feed_in_what_pieces_it_comes(data, size_bytes):
    data = enlarged(data)

    assert read(Dribble(data, size_bytes + len(data) // 500)) == read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\[]{},é \n'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='a"\\]}'), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON, st.sampled_from(",]}"), st.lists(st.integers(1, 9), min_size=1), st.booleans())
def test_the_end_of_a_value_is_found_without_decoding_it(value, behind, sizes, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    structure, at, turn = Structure(), 0, 0
    whole = f"{text}{behind} more ]"

    while (end := structure.end_in(whole[at : at + sizes[turn % len(sizes)]])) is None:
        at, turn = at + sizes[turn % len(sizes)], turn + 1

    assert at + end == len(text)


@settings(deadline=None)
@given(st.lists(JSON, max_size=5))
def test_an_array_and_lines_of_the_same_values_are_the_same_feed(values):
    values = [{"url": "o/n", "x": 1}, *values]
    lines = b"\n".join(json.dumps(value).encode() for value in values)

    assert names(array(*values)) == names(lines)


NAME = st.from_regex(r"[A-Za-z0-9._~+@-]{1,20}(\.git)?", fullmatch=True)


@settings(deadline=None)
@given(st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True), NAME, NAME)
@example("github.com", "o", "n.git.git")
@example("github.com", "-", "tree")
def test_the_common_form_of_a_url_means_what_any_other_form_means(host, owner, name):
    def parsed(authority):
        try:
            return urls.parse(f"https://{authority}/{owner}/{name}")
        except BadUrlError:
            return None

    assert parsed(host) == parsed(f"{host}:443")


MEMORY = """
import io, itertools, sys, zlib
from pathlib import Path
from repomill import feed

MEGABYTES = 120

class Made(io.RawIOBase):
    def __init__(self, pieces):
        self.pieces, self.rest = pieces, b""
    def readable(self):
        return True
    def readinto(self, buffer):
        self.rest = self.rest or next(self.pieces, b"")
        piece, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

def around(before, unit, after):
    many = unit * ((1 << 16) // len(unit))
    times = (MEGABYTES << 20) // len(many)
    return itertools.chain([before], itertools.repeat(many, times), [after])

def packed(pieces):
    packer = zlib.compressobj(1, wbits=31)
    yield from filter(None, map(packer.compress, pieces))
    yield packer.flush()

OK = b'{"url": "o/n"}'
FEEDS = [
    around(b"o/n\\n", b"x", b"\\no/n\\n"),
    around(b"#", b"x", b"\\no/n\\n"),
    around(OK + b'\\n{"url": "', b"x", b'"}\\n' + OK),
    around(b'url\\no/n\\n"', b"x", b'"\\no/n\\n'),
    around(b"[" + OK + b',{"url":"', b"x", b'"},' + OK + b"]"),
    around(b"[" + OK + b',[0', b',{"":0}', b'],' + OK + b"]"),
    around(b"[" + OK + b",", b" ", OK + b"]"),
    packed(around(b"[" + OK + b',{"url":"', b"x", b'"},' + OK + b"]")),
]
for pieces in FEEDS:
    print(*(getattr(item, "kind", "entry") for item in feed.read(Made(pieces))))
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024, file=sys.stderr)
"""


def test_nothing_in_a_feed_is_too_long_for_the_memory():
    completed = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )

    assert completed.stdout.splitlines() == [
        "entry too_long entry",
        "too_long entry",
        "entry too_long entry",
        "entry too_long entry",
        "entry too_long entry",
        "entry too_long entry",
        "entry entry",
        "entry too_long entry",
    ]
    assert int(completed.stderr) < 100


NO_RULES = NetworkRules()


def items_of(source, rules=NO_RULES):
    with feed.opened(source, rules) as stream:
        return read(stream)


def test_a_feed_is_a_file(tmp_path):
    path = tmp_path / "repos.json"
    path.write_bytes(array(UK_ENTRY))

    assert list(map(brief, items_of(str(path))[0])) == [(1, "alphagov/whitehall")]


def test_a_feed_is_stdin():
    code = (
        "from repomill import feed, network\n"
        "with feed.opened('-', network.NetworkRules()) as stream:\n"
        "    print(*(entry.repo.full_name for entry in feed.read(stream)))"
    )

    completed = subprocess.run(
        [sys.executable, "-c", code], input=b"o/n\no/m", capture_output=True, check=True
    )

    assert completed.stdout == b"o/n o/m\n"


@pytest.mark.parametrize("source", ["no/such/feed.json", os.curdir, "nul\0"])
def test_a_file_that_cannot_be_opened_is_named(source):
    with pytest.raises(FeedError, match="cannot be opened") as caught:
        items_of(source)
    assert repr(source) in str(caught.value)


@pytest.mark.parametrize(
    "source", ["http://example.org/repos.json", "s3://bucket/key", "https://me:secret@example.org/"]
)
def test_only_plain_https_urls_are_feeds(source):
    with pytest.raises(UsageError) as caught:
        items_of(source)
    assert "secret" not in str(caught.value)


def test_the_default_feed_is_a_url_that_can_be_asked_for():
    rules = NetworkRules(resolver=lambda *_: ["127.0.0.1"])

    with pytest.raises(FeedError, match=r"uk-x-gov-software-community\.github\.io"):
        items_of(DEFAULT_FEED, rules)


@pytest.fixture
def impatient():
    """Retries without the waits between them."""
    with stamina.set_testing(True, attempts=3):
        yield


def downloaded(host):
    rules = NetworkRules(allowed=frozenset({"localhost"}), ca_file=str(host.ca_file))
    return items_of(host.url("list/feed"), rules)


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_feed_is_a_url_and_comes_packed(host, headers, layers):
    body = array(UK_ENTRY)
    for _ in range(layers):
        body = packed(body)
    host.script("list/feed", Status(200, headers, body))

    items, error = downloaded(host)

    assert (list(map(brief, items)), error) == ([(1, "alphagov/whitehall")], None)
    (request,) = host.requests
    assert request.headers["accept-encoding"] == "gzip"


def test_a_feed_may_have_moved(host):
    host.script("list/feed", Redirect("/new/feed"))
    host.script("new/feed", Status(200, {}, OK))

    assert list(map(brief, downloaded(host)[0])) == [(1, "o/n")]


def test_a_download_that_breaks_off_is_read_as_far_as_it_came(host):
    headers = {"Content-Length": "1000", "Connection": "close"}
    host.script("list/feed", Status(200, headers, b"[" + OK + b"," + OK[:-3]))

    items, error = downloaded(host)

    assert list(map(brief, items)) == [(1, "o/n")]
    assert "truncated: the connection broke before everything had come" in error


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_host_that_cannot_answer_now_is_asked_again(host, impatient, status):
    host.script("list/feed", Status(status), times=2)
    host.script("list/feed", Status(200, {}, OK))

    assert list(map(brief, downloaded(host)[0])) == [(1, "o/n")]
    assert len(host.requests) == 3


def test_three_attempts_are_all(host, impatient):
    host.script("list/feed", Status(503))

    with pytest.raises(FeedError, match="answers 503; try again later"):
        downloaded(host)
    assert len(host.requests) == 3


@pytest.mark.parametrize("status", [204, 304, 401, 404, 410])
def test_any_other_answer_is_final(host, impatient, status):
    host.script("list/feed", Status(status))

    with pytest.raises(FeedError, match=f"answers {status}; check the URL"):
        downloaded(host)
    assert len(host.requests) == 1


def test_a_redirect_to_a_private_address_is_not_followed(host, impatient):
    host.script("list/feed", Redirect("https://127.0.0.1/feed"))

    with pytest.raises(FeedError, match="no public address"):
        downloaded(host)


def test_a_feed_that_never_ends_is_read_as_it_comes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    endless = subprocess.Popen(["sh", "-c", f"exec yes o/n > '{pipe}'"], stderr=subprocess.DEVNULL)

    with feed.opened(str(pipe), NO_RULES) as stream:
        assert brief(next(feed.read(stream))) == (1, "o/n")

    assert endless.wait(10) == -signal.SIGPIPE
