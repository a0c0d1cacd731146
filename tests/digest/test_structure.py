"""The structure of a commit, collapsed to the room there is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest import gitingest, names, structure, view
from repomill.digest.structure import Collapsed
from repomill.model import Entry, Kind
from tests.digest.commits import TREES, entries, entry

ROOT = "owner-name"
NOTHING: Mapping[bytes, bytes] = {}
REST = re.compile(r"[├└]── … (\d+) more files?(?: in (\d+) folders?)?")


def listed(paths: Iterable[bytes]) -> list[Entry]:
    return [entry(path) for path in sorted(paths)]


def tree(
    shown: Sequence[Entry], rests: Mapping[str, str] | None = None, *, root_name: str = ROOT
) -> str:
    """Return gitingest's tree; every link leads to its own path."""
    root = view.build(root_name, shown, lambda link: link.path, rests)
    return gitingest.structure(root).tree


def collapsed(
    every: Sequence[Entry],
    room_bytes: int,
    *,
    wanted: AbstractSet[bytes] = frozenset(),
) -> Collapsed:
    found = structure.collapse(every, ROOT, room_bytes, wanted=wanted)
    assert found is not None
    return found


def collapsed_tree(every: Sequence[Entry], room_bytes: int) -> str:
    found = collapsed(every, room_bytes)
    return tree(found.entries, found.rests)


def lines(tree: str) -> list[str]:
    """Return the names in a tree, without what is drawn around them, below its root."""
    return [re.sub(r"^[ │]*[├└]── ", "", line) for line in tree.splitlines()[2:]]


def counted(tree: str) -> tuple[int, int]:
    """Return how many files a tree shows, and how many more it says there are."""
    more = [int(match[1]) for match in REST.finditer(tree)]
    shown = [name for name in lines(tree) if not name.endswith(("/", '/"'))]
    return len(shown) - len(more), sum(more)


def paths(found: Collapsed) -> list[bytes]:
    return [one.path for one in found.entries]


# The size of a whole structure, without making it.


def with_links(contents: Mapping[bytes, bytes], links: AbstractSet[bytes]) -> list[Entry]:
    """Return the entries of *contents*; of *links*, which lead to themselves, too."""
    return entries(
        {path: path if path in links else text for path, text in contents.items()},
        dict.fromkeys(links, Kind.LINK),
    )


@settings(deadline=None, max_examples=150)
@given(TREES, st.data(), st.text(max_size=30))
def test_a_real_tree_is_no_smaller_than_the_least_and_no_larger_than_the_most(
    contents, data, root_name
):
    links = data.draw(st.sets(st.sampled_from(sorted(contents)))) if contents else set()
    every = with_links(contents, links)

    real = len(gitingest.encode(tree(every, root_name=root_name)))

    assert structure.least_bytes(every) <= real <= structure.most_bytes(every, root_name)


@pytest.mark.parametrize(
    "every",
    [
        [],
        [entry(b"a")],
        [entry(b"/".join([b"d"] * 90))],
        [entry(b"\xff" * 255)],
        [entry(b"\n" * 255, 255, Kind.LINK)],
        [entry("\u202e".encode() * 80)],
        [entry(b"a/b/c"), entry(b"a/b.c"), entry(b"a.b/c"), entry(b"a0/b")],
    ],
    ids=["nothing", "a file", "deep", "no UTF-8", "a link", "bidirectional", "alike"],
)
def test_the_bounds_hold_for_odd_trees(every):
    every = sorted(every, key=lambda one: one.path)
    real = len(gitingest.encode(tree(every)))

    assert structure.least_bytes(every) <= real <= structure.most_bytes(every, ROOT)


# Collapsed to a room.


@settings(deadline=None, max_examples=150)
@given(TREES, st.data(), st.integers(0, 6_000))
def test_a_collapsed_tree_fits_and_accounts_for_every_file(contents, data, room_bytes):
    some = st.sets(st.sampled_from(sorted(contents))) if contents else st.just(set())
    every = with_links(contents, data.draw(some))

    found = structure.collapse(every, ROOT, room_bytes, wanted=data.draw(some))

    if found is None:
        assert room_bytes < len(tree(()).encode()) + 6 + len(
            "└── … 40 more files in 40 folders\n".encode()
        )
        return
    shown = tree(found.entries, found.rests)
    assert len(gitingest.encode(shown)) <= room_bytes
    assert counted(shown) == (len(found.entries), len(every) - len(found.entries))
    for folder, words in found.rests.items():
        assert words == expected_rest(folder, every, found)


def expected_rest(folder: str, every: Sequence[Entry], found: Collapsed) -> str:
    """Return what is to be said of *folder*: of the children of it that have no line."""
    prefix = folder.encode("utf-8", "surrogateescape") + b"/" if folder else b""
    shown_below = [
        *paths(found),
        *(f"{path}/".encode("utf-8", "surrogateescape") for path in found.rests if path),
    ]
    hidden = [
        one.path[len(prefix) :]
        for one in every
        if one.path.startswith(prefix)
        and not any(
            path.startswith(prefix + one.path[len(prefix) :].partition(b"/")[0] + b"/")
            or path == one.path
            for path in shown_below
        )
    ]
    folders = {path.partition(b"/")[0] for path in hidden if b"/" in path}
    return structure.rest(len(hidden), len(folders))


@settings(deadline=None, max_examples=80)
@given(TREES, st.data(), st.integers(200, 6_000), st.integers(1, 3_000))
def test_a_larger_room_shows_what_a_smaller_one_does(contents, data, room_bytes, more):
    every = entries(contents)
    some = st.sets(st.sampled_from(sorted(contents))) if contents else st.just(set())
    wanted = data.draw(some)

    small = structure.collapse(every, ROOT, room_bytes, wanted=wanted)
    large = structure.collapse(every, ROOT, room_bytes + more, wanted=wanted)

    assert large is not None or small is None
    if small and large:
        # The last file of a folder is named instead of counted: room that may go elsewhere.
        missing = set(paths(small)) - set(paths(large))
        folders = {path.rpartition(b"/")[0].decode("utf-8", "surrogateescape") for path in missing}
        assert folders.isdisjoint(small.rests)


@settings(deadline=None, max_examples=80)
@given(TREES)
def test_where_the_whole_structure_surely_fits_nothing_is_collapsed(contents):
    every = entries(contents)

    assert collapsed(every, structure.most_bytes(every, ROOT)) == Collapsed(every, {})


def test_an_empty_commit_has_a_root():
    least = len(tree(()).encode())

    assert collapsed([], least) == Collapsed([], {})
    assert structure.collapse([], ROOT, least - 1, wanted=set()) is None


def test_with_no_room_for_a_line_all_is_counted():
    every = listed([b"a/b/c", b"a/d", b"e", b"f/g"])

    assert collapsed_tree(every, 90) == (
        "Directory structure:\n└── owner-name/\n    └── … 4 more files in 2 folders\n"
    )


def test_the_result_is_sorted_by_path():
    every = listed([b"z", b"y/a", b"x/a/b", b"a"])

    assert paths(collapsed(every, 10_000, wanted={b"y/a"})) == sorted(one.path for one in every)


# What is shown first.


def test_the_deep_is_collapsed_before_what_lies_near_the_root():
    every = listed([b"/".join([b"deep"] * depth + [b"file"]) for depth in range(1, 40)])

    found = collapsed(every, 1_000)

    depths = sorted(path.count(b"/") for path in paths(found))
    assert 5 < len(depths) < 30
    assert depths == list(range(1, len(depths) + 1))
    assert len(found.rests) <= 2


def test_what_repeats_is_collapsed_before_what_does_not():
    repeated = [
        b"namespaces/%03d/%s" % (number, name)
        for number in range(600)
        for name in (b"main.tf", b"versions.tf", b"rds.tf")
    ]
    own = [b"cmd/run.go", b"docs/setup.md", b"pkg/api/api.go", b"pkg/store/store.go", b"go.mod"]

    found = collapsed(listed([*repeated, *own]), 3_000)

    assert set(own) <= set(paths(found))
    assert {path.partition(b"/")[0] for path in paths(found)} >= {b"namespaces"}
    words = re.fullmatch(r"… (\d+) more files in (\d+) folders", found.rests["namespaces"])
    assert words
    files, folders = map(int, words.groups())
    assert 500 < folders < 600
    assert files == 3 * folders


def test_the_first_of_many_files_of_one_suffix_stand_for_the_others():
    every = listed([*(b"data/%04d.csv" % n for n in range(2_000)), b"data/README.md", b"data/x.py"])

    found = collapsed(every, 800)

    assert {b"data/README.md", b"data/x.py", b"data/0000.csv"} <= set(paths(found))
    assert found.rests == {"data": f"… {len(every) - len(found.entries)} more files"}


def test_folders_of_one_shape_stand_for_each_other_and_others_are_shown():
    alike = [b"apps/app-%02d/app-%02d.yaml" % (n, n) for n in range(90)]
    other = [b"apps/zz-other/handbook.md"]

    found = collapsed(listed([*alike, *other]), 900)

    assert set(other) <= set(paths(found))


def test_files_of_the_digest_are_shown_before_those_beside_them():
    every = listed([b"src/%03d.py" % number for number in range(300)])
    wanted = {b"src/250.py", b"src/251.py", b"src/299.py"}

    found = collapsed(every, 400, wanted=wanted)

    assert wanted <= set(paths(found))
    assert len(found.entries) < 12


def test_a_file_of_the_digest_is_shown_with_the_folders_above_it():
    deep = b"a/b/main.py"
    every = listed([deep, *(b"%03d.txt" % number for number in range(300))])

    assert deep in paths(collapsed(every, 300, wanted={deep}))
    assert deep not in paths(collapsed(every, 300))


def test_a_last_line_may_take_the_place_of_what_is_said_of_it():
    every = listed([b"long-name-of-a-file.txt"])
    least = len(tree(every).encode()) + 6  # indents are counted as if they were drawn

    assert collapsed(every, least).rests == {}


def test_the_order_in_which_wanted_paths_come_says_nothing():
    every = listed([b"%02d/%02d.py" % (one, two) for one in range(20) for two in range(20)])
    wanted = [b"03/04.py", b"11/19.py", b"19/00.py"]

    assert collapsed(every, 900, wanted=set(wanted)) == collapsed(
        every, 900, wanted=dict.fromkeys(reversed(wanted)).keys()
    )


def test_a_rest_in_a_folder_of_an_odd_name_is_in_that_folder():
    every = listed([b"caf\xe9\n/%d" % number for number in range(99)])

    found = collapsed(every, 200)

    assert set(found.rests) == {names.decode(b"caf\xe9\n")}
    assert r'"caf\351\n"/' in tree(found.entries, found.rests)


def test_folders_that_differ_only_in_case_keep_their_order_whatever_is_shown_of_them():
    every = listed(b"%s/%02d.py" % (name, n) for name in (b"A", b"a") for n in range(50))

    found = collapsed(every, 200, wanted={b"a/01.py"})

    assert paths(found) == [b"a/01.py"]
    shown = lines(tree(found.entries, found.rests))
    assert [name for name in shown if name.endswith("/")] == ["A/", "a/"]


def test_a_hundred_thousand_files_are_collapsed():
    every = [
        entry(b"%03d/%03d/%02d.txt" % (n // 1000, n // 10 % 100, n % 10)) for n in range(100_000)
    ]

    shown = collapsed_tree(every, 4_000)

    assert len(shown.encode()) <= 4_000
    assert sum(counted(shown)) == 100_000
