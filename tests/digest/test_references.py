"""Who points at what."""

from collections.abc import Mapping

import pytest

from repomill.digest import references
from repomill.digest.references import MOST_SOURCE_BYTES, MOST_SOURCES
from repomill.model import Entry
from tests.digest.commits import entries, entry


def count(contents: Mapping[bytes, bytes], *sources: bytes) -> dict[bytes, int]:
    """Count what *sources* point at, in a commit that holds *contents*."""
    every = entries(contents)
    chosen = [one for path in sources for one in every if one.path == path]
    return dict(references.count(chosen, every, lambda one: contents[one.path]))


FILES = dict.fromkeys(
    (
        *(b"app/models/user.rb", b"docs/setup.md", b"lib/mill/core.py", b"mill/run.py"),
        *(b"src/server.js", b"src/routes/index.ts", b"Makefile", b"notes.txt"),
    ),
    b"",
)


@pytest.mark.parametrize(
    ("source", "text", "pointed"),
    [
        (b"README.md", b"See [the setup](docs/setup.md).", b"docs/setup.md"),
        (b"README.md", b"See [the setup](./docs/setup.md#first).", b"docs/setup.md"),
        (b"README.md", b"See [the setup](/docs/setup.md).", b"docs/setup.md"),
        (b"README.md", b"Users are in app/models/user.rb.", b"app/models/user.rb"),
        (b"README.md", b"run `make -f Makefile`", b"Makefile"),
        (b"package.json", b'{"main": "src/server.js"}', b"src/server.js"),
        (b"src/index.js", b"require('./server')", b"src/server.js"),
        (b"src/index.js", b"import x from './routes/index'", b"src/routes/index.ts"),
        (b"src/a/b.js", b"import x from '../server.js'", b"src/server.js"),
        (b"src/index.js", b"import x from 'server.js'", b"src/server.js"),
        (b"pyproject.toml", b'mill = "mill.run:main"', b"mill/run.py"),
        (b"lib/a.py", b"from mill.core import x", b"lib/mill/core.py"),
    ],
)
def test_a_link_a_path_and_an_import_point_at_a_file(source, text, pointed):
    assert count({**FILES, source: text}, source) == {pointed: 1}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"https://example.org/docs/missing.md",
        b"docs/setup.markdown",
        b"setup.md",  # it lies in another folder
        b"../docs/setup.md",  # outside of the repository
        b"../../../../etc/passwd",
        b"docs",  # a folder
        b"a . .. / // ./ ... a/../..",
        b"\xff\xfe\x00docs\xff",
    ],
)
def test_other_words_point_at_nothing(text):
    assert count({**FILES, b"README.md": text}, b"README.md") == {}


def test_each_source_points_at_a_file_once():
    files = {**FILES, b"README.md": b"docs/setup.md " * 9, b"src/a.md": b"/docs/setup.md notes.txt"}

    assert count(files, b"README.md", b"src/a.md") == {b"docs/setup.md": 2, b"notes.txt": 1}


def test_no_file_points_at_itself():
    assert count({b"README.md": b"This is README.md, beside a.md", b"a.md": b""}, b"README.md") == {
        b"a.md": 1
    }


def test_only_as_many_sources_are_read_as_have_room():
    files = {b"%03d.md" % number: b"target.txt" for number in range(MOST_SOURCES + 9)}
    files[b"target.txt"] = b"."

    assert count(files, *sorted(files)) == {b"target.txt": MOST_SOURCES}


def test_what_is_empty_large_or_of_unknown_size_is_not_read():
    def fail(one: Entry) -> bytes:
        raise AssertionError(one.path)

    sources = [entry(b"a", 0), entry(b"b", MOST_SOURCE_BYTES + 1), entry(b"c", None)]

    assert references.count(sources, sources, fail) == {}


def test_of_a_long_file_the_first_words_count():
    text = b"word " * 4_000 + b"notes.txt"

    assert count({**FILES, b"README.md": text}, b"README.md") == {}
    assert count({**FILES, b"README.md": text[5:]}, b"README.md") == {b"notes.txt": 1}
    # Words too short to be a path are not counted.
    short = b"it " * 9_000 + b"notes.txt"
    assert count({**FILES, b"README.md": short}, b"README.md") == {b"notes.txt": 1}


@pytest.mark.parametrize(
    "text", [b"a/" * 60_000, b"." * 120_000, b"a." * 60_000, b"../" * 40_000, b"a/../" * 24_000]
)
def test_hostile_text_is_read_quickly(text):
    assert count({**FILES, b"README.md": text}, b"README.md") == {}
