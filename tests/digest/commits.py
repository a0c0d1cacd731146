"""Commits made up for the tests of digests: what they hold, and trees of any shape."""

from collections.abc import Mapping

from hypothesis import strategies as st

from repomill.digest import gitingest, view
from repomill.model import Entry, Kind

OID = "1" * 40


def entry(path: bytes, size_bytes: int | None = 100, kind: Kind = Kind.FILE) -> Entry:
    return Entry(path, kind, OID, size_bytes)


def entries(
    contents: Mapping[bytes, bytes], kinds: Mapping[bytes, Kind] | None = None
) -> list[Entry]:
    """Return the entries of a commit that holds *contents*, sorted by path."""
    kinds = kinds or {}
    return [
        entry(path, len(contents[path]), kinds.get(path, Kind.FILE)) for path in sorted(contents)
    ]


def block(path: bytes, content: bytes) -> bytes:
    """Return gitingest's block of a file."""
    return gitingest.block(view.leaf(entry(path, len(content)), lambda _entry: content))


ORDINARY_NAMES = (
    *(b"README.md", b"package.json", b"main.py", b"app", b"src", b"docs", b"test", b"lib"),
    *(b"index.js", b"Dockerfile", b"a.rb", b"b.rb", b"data.csv", b"x.ipynb", b"config.yml"),
)
NAMES = st.one_of(
    st.sampled_from(ORDINARY_NAMES),
    st.binary(min_size=1, max_size=60).filter(lambda name: not {0, 47} & set(name)),
    st.integers(0, 99).map(lambda number: b"%02d.yaml" % number),
).filter(lambda name: name not in {b".", b"..", b".git"})
PATHS = st.lists(NAMES, min_size=1, max_size=6).map(b"/".join)
"""Of files; names that are no UTF-8, hold line ends or look like a tree are among them."""
TEXTS = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=300).map(str.encode),
    st.builds(
        lambda line, times: line * times,
        st.sampled_from([b"x", b"a line\n", b"\xc3\xa9", b"\r\n"]),
        st.integers(0, 9_000),
    ),
    st.just(b'{"cells": []}'),
)


def without_clashes(tree: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return *tree* without files that are folders as well."""
    folders = {
        path[:place] for path in tree for place, byte in enumerate(path) if byte == ord(b"/")
    }
    return {path: text for path, text in tree.items() if path not in folders}


TREES = st.dictionaries(PATHS, TEXTS, max_size=40).map(without_clashes)
