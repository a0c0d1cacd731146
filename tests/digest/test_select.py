"""Which entries of a commit go into its digest."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.gitingest import DEFAULT_PATTERNS
from repomill.digest.select import MAX_LINK_BYTES, MAX_TOTAL_BYTES, Selection, SelectOptions, select
from repomill.model import Entry, Kind, Reason

LIMIT = SelectOptions().max_file_size_bytes
OID = "1" * 40


def entry(path: str | bytes, size: int | None = 1, kind: Kind = Kind.FILE) -> Entry:
    encoded = path.encode() if isinstance(path, str) else path
    return Entry(encoded, kind, OID, size)


def chosen(entries: Iterable[Entry], *, default_patterns=(), **options) -> list[str]:
    selection = select(entries, SelectOptions(**options), default_patterns=default_patterns)
    return [entry.path.decode() for entry in selection.chosen]


def reason(one: Entry, *, default_patterns=(), **options) -> Reason | None:
    selection = select([one], SelectOptions(**options), default_patterns=default_patterns)
    return selection.omitted[0].reason if selection.omitted else None


def test_an_ordinary_file_goes_in():
    one = entry("README.md")

    assert select([one], SelectOptions(), default_patterns=()) == Selection([one])


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (entry("a", LIMIT), None),
        (entry("a", LIMIT + 1), Reason.TOO_LARGE),
        (entry("a", None), Reason.TOO_LARGE),
        (entry("a", 0), None),
        (entry("a", MAX_LINK_BYTES, Kind.LINK), None),
        (entry("a", MAX_LINK_BYTES + 1, Kind.LINK), Reason.TOO_LARGE),
        (entry("a", None, Kind.LINK), Reason.TOO_LARGE),
        (entry("a", None, Kind.SUBMODULE), Reason.SUBMODULE),
        (entry("a", None, Kind.FOLDER), Reason.DEPTH),
    ],
)
def test_an_entry_is_left_out_for_one_reason(one, expected):
    assert reason(one) == expected


def test_a_large_file_counts_as_that_whatever_patterns_say():
    # A filtered clone never learns its size, so its reason must not depend on the transport.
    assert reason(entry("a", LIMIT + 1), exclude=("a",)) is Reason.TOO_LARGE
    assert reason(entry("a", None), exclude=("a",)) is Reason.TOO_LARGE
    assert reason(entry("a", None, Kind.SUBMODULE), exclude=("a",)) is Reason.SUBMODULE


def test_all_files_together_have_a_limit_too():
    huge = MAX_TOTAL_BYTES - 10
    entries = [entry("a", huge), entry("b", 11), entry("c", 10), entry("d", 1), entry("e", 0)]

    options = SelectOptions(max_size_bytes=None, max_file_size_bytes=MAX_TOTAL_BYTES)
    selection = select(entries, options, default_patterns=())

    assert [entry.path for entry in selection.chosen] == [b"a", b"c", b"e"]
    assert {(o.entry.path, o.reason) for o in selection.omitted} == {
        (b"b", Reason.TOTAL_SIZE),
        (b"d", Reason.TOTAL_SIZE),
    }


def test_where_the_digest_has_a_size_its_files_need_no_limit_together():
    entries = [entry("a", MAX_TOTAL_BYTES), entry("b", MAX_TOTAL_BYTES)]
    options = SelectOptions(max_size_bytes=1 << 19, max_file_size_bytes=MAX_TOTAL_BYTES)

    assert len(select(entries, options, default_patterns=()).chosen) == 2


FILES = ["README.md", "docs/a.md", "package-lock.json", "src/build/x.py", "src/main.py"]


def test_patterns_include_and_exclude():
    entries = [entry(path) for path in FILES]

    assert chosen(entries, include=("*.md",)) == ["README.md", "docs/a.md"]
    assert chosen(entries, include=("src/",)) == ["src/build/x.py", "src/main.py"]
    assert chosen(entries, exclude=("*.md", "src/")) == ["package-lock.json"]
    assert chosen(entries, include=("*.md",), exclude=("docs",)) == ["README.md"]
    assert chosen(entries, exclude=("*.md", "!README.md")) == [
        path for path in FILES if path != "docs/a.md"
    ]


def test_the_defaults_of_gitingest_are_left_out():
    entries = [entry(path) for path in FILES]

    assert chosen(entries, default_patterns=DEFAULT_PATTERNS) == [
        "README.md",
        "docs/a.md",
        "src/main.py",
    ]


def test_a_default_is_lifted_by_including_it_and_by_negating_it():
    lock, main = entry("package-lock.json"), entry("src/main.py")

    lifted = chosen(
        [lock, main],
        default_patterns=DEFAULT_PATTERNS,
        include=("package-lock.json", "*.py"),
    )
    negated = chosen(
        [lock, main], default_patterns=DEFAULT_PATTERNS, exclude=("!package-lock.json",)
    )

    assert lifted == negated == ["package-lock.json", "src/main.py"]
    assert reason(lock, default_patterns=DEFAULT_PATTERNS, include=("*.json",)) is Reason.PATTERN


def test_a_name_that_is_no_utf8_can_be_left_out():
    assert reason(entry(b"caf\xe9.log"), exclude=("*.log",)) is Reason.PATTERN
    assert reason(entry(b"caf\xe9.txt"), exclude=("*.log",)) is None


ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from([b"a", b"a.log", b"b/a", b"b/\xff.log"]),
        st.sampled_from(Kind),
        st.just(OID),
        st.none() | st.sampled_from([0, LIMIT, LIMIT + 1]),
    )
)


@settings(deadline=None)
@given(ENTRIES)
def test_nothing_disappears(entries):
    selection = select(entries, SelectOptions(exclude=("*.log",)), default_patterns=("b",))
    kept = list(selection.chosen)

    for one in entries:
        if kept and kept[0] is one:
            kept.pop(0)
    assert not kept  # in the order they came in
    left_out = [omission.entry for omission in selection.omitted]
    assert sorted(map(repr, [*selection.chosen, *left_out])) == sorted(map(repr, entries))


@pytest.mark.parametrize(("limit", "fetched"), [(0, 4096), (4096, 4096), (4097, 4097)])
def test_links_are_fetched_whatever_the_limit(limit, fetched):
    assert SelectOptions(max_file_size_bytes=limit).blob_limit_bytes == fetched
