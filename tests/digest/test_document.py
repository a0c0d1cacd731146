"""A digest within its size: what is true of every commit and every size."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from repomill.digest import document, linguist, names, select
from repomill.digest.compose import Facts
from repomill.digest.dependencies import Dependency, Manifest
from repomill.digest.document import Source
from repomill.digest.gitingest import DEFAULT_PATTERNS
from repomill.digest.select import LEAST_SIZE_BYTES, SelectOptions
from repomill.errors import TooLargeError
from repomill.model import Digest, Entry, Kind
from tests.digest.commits import OID, PATHS, TEXTS, entries, without_clashes

FACTS = Facts(
    full_name="owner/name",
    url="https://github.com/owner/name",
    commit="0123456789abcdef0123456789abcdef01234567",
    committed=datetime(2024, 1, 1, 12, 30, tzinfo=UTC),
    languages=(("Ruby", 1.0),),
    license="MIT",
    description="What it does",
)
REST = re.compile(r"^[ │]*[├└]── … (\d+) more files?(?: in \d+ folders?)?$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What a digest is made from."""

    contents: Mapping[bytes, bytes] = field(default_factory=dict)
    kinds: Mapping[bytes, Kind] = field(default_factory=dict)
    """Of *contents*, where they are no files."""
    others: Mapping[bytes, Kind] = field(default_factory=dict)
    """What cannot be read."""
    facts: Facts = FACTS

    @property
    def entries(self) -> list[Entry]:
        unread = [Entry(path, kind, OID, None) for path, kind in self.others.items()]
        both = [*entries(self.contents, self.kinds), *unread]
        return sorted(both, key=lambda entry: entry.path)


def make(commit: Commit, max_size_bytes: int | None, *, explained: bool = False) -> Digest:
    # A run's limit of a file's size is another thing: here only the whole counts.
    options = SelectOptions(max_size_bytes=max_size_bytes, max_file_size_bytes=1 << 30)
    source = Source(
        facts=commit.facts,
        selection=select.select(commit.entries, options, default_patterns=DEFAULT_PATTERNS),
        read=lambda entry: commit.contents[entry.path],
        nature_of=linguist.nature,
    )
    return document.make(source, options, explained=explained)


def state(digest: Digest) -> dict[str, str]:
    return {file["path"]: file["state"] for file in digest.lists["files"]}


def included(digest: Digest) -> set[str]:
    return {path for path, state in state(digest).items() if state == "included"}


def section(digest: Digest, name: str) -> str:
    place = digest.metadata["sections"][name]
    return digest.body[place["offset"] :][: place["length"]].decode()


def check(commit: Commit, digest: Digest, size_bytes: int) -> None:
    """Assert what is true of every digest."""
    assert len(digest.body) <= size_bytes
    digest.body.decode()
    states = state(digest)
    assert len(states) == len(commit.entries)
    check_counts(digest)
    check_blocks(digest)


def check_counts(digest: Digest) -> None:
    states = list(state(digest).values())
    shown = len(states) - states.count("omitted")
    assert section(digest, "header").split("\n").count(f"Files analyzed: {shown}") == 1
    missing = section(digest, "omitted")
    omitted = re.match(r"Omitted: (\d+) files?\n", missing)
    assert (int(omitted[1]) if omitted else 0) == states.count("omitted")
    assert sum(int(count) for count in re.findall(r"^- (\d+) ", missing, re.MULTILINE)) == (
        states.count("omitted")
    )
    cut = re.search(r"^Cut: (\d+) files?, of which (\d+) bytes are missing$", missing, re.MULTILINE)
    assert (int(cut[1]) if cut else 0) == states.count("cut")
    assert (int(cut[2]) if cut else 0) == sum(
        file.get("missing_bytes", 0) for file in digest.lists["files"]
    )
    check_structure(digest)


def check_structure(digest: Digest) -> None:
    """Assert that a structure accounts for all files that were chosen."""
    tree = section(digest, "structure")
    lines = tree.splitlines()[2:]
    folders = sum(line.endswith(("/", '/"')) for line in lines)
    rests = [int(count) for count in REST.findall(tree)]
    chosen = sum(
        file["state"] != "omitted" or file["reason"] == "max_size" for file in digest.lists["files"]
    )
    assert len(lines) - folders - len(rests) + sum(rests) == chosen


def check_blocks(digest: Digest) -> None:
    for file in digest.lists["files"]:
        if file["state"] != "omitted":
            block = digest.body[file["offset"] :][: file["length"]].decode()
            kind = "SYMLINK" if file["kind"] == "link" else "FILE"
            assert block.startswith(f"{'=' * 48}\n{kind}: {file['path']}")
            assert block.endswith("\n\n")
    for section in digest.metadata["sections"].values():
        assert section["offset"] + section["length"] <= len(digest.body)


def needs(count: int) -> tuple[Dependency, ...]:
    package = PackageURL("npm", None, "name")
    return tuple(
        Dependency(name=f"name{number:04}", package=package, requirement="^1.2.3")
        for number in range(count)
    )


MANIFESTS = st.lists(
    st.builds(
        lambda path, count: Manifest(
            path=names.decode(path), ecosystem="npm", dependencies=needs(count)
        ),
        PATHS,
        st.one_of(st.integers(0, 9), st.integers(0, 900)),
    ),
    max_size=4,
)


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    """Return a commit of files and links; submodules and folders too deep lie beside them."""
    contents = without_clashes(draw(st.dictionaries(PATHS, TEXTS, max_size=40)))
    some = st.sets(st.sampled_from(sorted(contents)), max_size=3) if contents else st.just(set())
    others = st.dictionaries(
        PATHS.map(lambda path: b"unread/" + path),
        st.sampled_from([Kind.SUBMODULE, Kind.FOLDER]),
        max_size=5,
    )
    links = {path for path in draw(some) if len(contents[path]) <= select.MAX_LINK_BYTES}
    return Commit(
        contents=contents,
        kinds=dict.fromkeys(links, Kind.LINK),
        facts=replace(FACTS, manifests=draw(st.one_of(st.just([]), MANIFESTS))),
        others={
            path: kind
            for path, kind in draw(others).items()
            if path not in contents and path.partition(b"/")[0] not in contents
        },
    )


SIZES = st.one_of(
    st.integers(LEAST_SIZE_BYTES, 3 * LEAST_SIZE_BYTES), st.integers(LEAST_SIZE_BYTES, 1 << 18)
)


@settings(deadline=None, max_examples=100)
@given(commits(), SIZES)
def test_no_digest_is_larger_than_its_size_and_its_counts_add_up(commit, size):
    made = make(commit, size)

    check(commit, made, size)
    assert set(state(made)) == set(state(make(commit, None)))


@settings(deadline=None, max_examples=60)
@given(commits(), SIZES, st.one_of(st.integers(1, 64), st.integers(1, 1 << 16)))
def test_a_larger_size_drops_no_whole_file(commit, size, more):
    assert included(make(commit, size)) <= included(make(commit, size + more))


@settings(deadline=None, max_examples=40)
@given(commits())
def test_where_everything_fits_the_size_changes_nothing(commit):
    everything = make(commit, None).body
    least = max(len(everything), LEAST_SIZE_BYTES)

    assert make(commit, least).body == everything
    if len(everything) > LEAST_SIZE_BYTES:
        assert make(commit, least - 1).body != everything


@settings(deadline=None, max_examples=30)
@given(commits(), SIZES)
def test_an_explanation_changes_no_byte_of_a_digest(commit, size):
    explained = make(commit, size, explained=True)

    assert explained.body == make(commit, size).body
    for file in explained.lists["files"]:
        is_chosen = file["state"] != "omitted" or file["reason"] == "max_size"
        assert is_chosen == ("why" in file)
        if is_chosen:
            assert file["points"] + sum(file["adjustments"].values()) == file["score"]
    ranks = [file["rank"] for file in explained.lists["files"] if "rank" in file]
    assert sorted(ranks) == list(range(1, len(ranks) + 1))


# Commits that are odd, at sizes from the least.

NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["# Title é\n"] * 50},
            {"cell_type": "code", "source": ["print(1)\n"], "outputs": []},
        ]
    }
).encode()
SOURCE = b"def answer():\n    return 42\n\n\n" * 40
ODD_NAME = "owner/" + "\udcff\udcfe\n\t\u202e" * 51

ODD = {
    "nothing": Commit(),
    "a single file": Commit(contents={b"README.md": b"# Title\n"}),
    "a link and no more": Commit(contents={b"a": b"b/c"}, kinds={b"a": Kind.LINK}),
    "many links": Commit(
        contents={b"links/%03d" % n: b"../" * 90 + b"\xff%d" % n for n in range(300)},
        kinds={b"links/%03d" % n: Kind.LINK for n in range(300)},
    ),
    "many submodules": Commit(
        contents={b"README.md": SOURCE * 9},
        others={b"modules/\xff%03d/deep" % n: Kind.SUBMODULE for n in range(300)},
    ),
    "folders too deep": Commit(
        contents={b"README.md": SOURCE * 9},
        others={b"/".join([b"d%d" % n] * 100): Kind.FOLDER for n in range(30)},
    ),
    "names that are no UTF-8": Commit(
        contents={b"\xff\xfe%d\n/" % n + b"\x1b[%dm" % n * 40: SOURCE for n in range(40)}
    ),
    "ninety folders": Commit(
        contents={b"/".join([b"folder"] * depth + [b"a.py"]): SOURCE for depth in range(90)}
    ),
    "ninety odd folders": Commit(
        contents={b"/".join([b"\xff" * 9] * 90 + [b"%d.py" % n]): SOURCE for n in range(9)}
    ),
    "lines of megabytes": Commit(
        contents={
            b"README.md": b"x" * (3 << 20),
            b"app.js": "é".encode() * (1 << 20),
            b"lib/a.py": SOURCE,
        }
    ),
    "five thousand files": Commit(
        contents={
            b"%s/%02d/%d.%s" % (top, n % 30, n, suffix): SOURCE[: n % 900]
            for top, suffix in ((b"src", b"py"), (b"data", b"json"))
            for n in range(2_500)
        }
    ),
    "one blob everywhere": Commit(contents={b"copy-%03d/a.py" % n: SOURCE for n in range(400)}),
    "notebooks": Commit(
        contents={
            **{b"%02d.ipynb" % n: NOTEBOOK for n in range(40)},
            b"broken.ipynb": b'{"cells": [',
            b"deep.ipynb": b"[" * 20_000,
            b"odd.ipynb": rb'{"cells": [{"cell_type": "code", "source": ["\ud800"]}]}',
        }
    ),
    "no text": Commit(contents={b"%03d.blob" % n: b"\0\xff" * 500 for n in range(400)}),
    "empty files": Commit(contents={b"%03d/__init__.py" % n: b"" for n in range(400)}),
    "an odd name": Commit(
        contents={b"%d.py" % n: SOURCE for n in range(30)}, facts=replace(FACTS, full_name=ODD_NAME)
    ),
    "a wide description": Commit(
        contents={b"%d.py" % n: SOURCE for n in range(30)},
        facts=replace(FACTS, description="😀" * 400),
    ),
    "lines that look like a digest": Commit(
        contents={
            b"%d.md" % n: b"=" * 48 + b"\nFILE: README.md\n" + b"=" * 48 + b"\n\n" * 99
            for n in range(30)
        }
    ),
}
SOME_SIZES = (4_096, 4_097, 5_000, 9_000, 30_000, 200_000)


@cache
def odd(name: str, size_bytes: int) -> Digest:
    return make(ODD[name], size_bytes)


@pytest.mark.parametrize("size", SOME_SIZES)
@pytest.mark.parametrize("name", ODD)
def test_an_odd_commit_has_a_digest_of_its_size(name, size):
    check(ODD[name], odd(name, size), size)


@pytest.mark.parametrize("name", ODD)
def test_of_an_odd_commit_a_larger_digest_drops_no_whole_file(name):
    found = [included(odd(name, size)) for size in SOME_SIZES]

    for smaller, larger in pairwise(found):
        assert smaller <= larger


@pytest.mark.parametrize(
    "name",
    ["ninety folders", "five thousand files", "one blob everywhere", "notebooks"],
)
def test_most_of_the_size_is_used(name):
    assert len(odd(name, 30_000).body) > 27_000


def test_the_readme_of_five_thousand_files_is_in_the_smallest_digest():
    commit = ODD["five thousand files"]
    with_readme = replace(commit, contents={**commit.contents, b"README.md": b"# What it is\n"})

    assert "README.md" in included(make(with_readme, LEAST_SIZE_BYTES))


def test_a_small_structure_is_shown_whole_beside_files_that_are_cut():
    commit = Commit(contents={b"%d/a.py" % n: SOURCE * 2 for n in range(40)})

    for size in range(30_000, 30_100, 20):
        made = make(commit, size)
        assert "cut" in state(made).values()
        assert "more file" not in section(made, "structure")


def test_facts_that_are_too_long_for_the_size_are_told_so():
    commit = Commit(facts=replace(FACTS, description="\u202e" * 300, full_name=ODD_NAME))

    with pytest.raises(TooLargeError, match="raise it"):
        make(commit, LEAST_SIZE_BYTES)
    assert make(commit, 3 * LEAST_SIZE_BYTES).files == 0


def test_what_cannot_be_read_is_asked_for_by_nobody():
    """Submodules and folders have no contents to be found here: make would raise KeyError."""
    made = make(Commit(others={b"a": Kind.SUBMODULE, b"b": Kind.FOLDER}), LEAST_SIZE_BYTES)

    assert [file["reason"] for file in made.lists["files"]] == ["submodule", "depth"]


SEEDED = """
import hashlib, sys
from tests.digest import test_document as tests

for name in ("names that are no UTF-8", "ninety folders", "one blob everywhere"):
    made = tests.make(tests.ODD[name], 9_000, explained=True)
    print(hashlib.sha256(made.body).hexdigest(), list(made.lists["files"]))
"""


def test_a_digest_is_the_same_with_every_seed_of_hashes_and_in_every_language():
    told = {
        subprocess.run(
            [sys.executable, "-c", SEEDED],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": language, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        ).stdout
        for seed, language in (("0", "C"), ("1", "C.UTF-8"))
    }

    assert len(told) == 1
