"""What a commit says about itself."""

from collections.abc import Mapping

import pytest
from identify.vendor.licenses import LICENSES

from repomill.digest import document, select
from repomill.digest.about import About
from repomill.digest.attributes import MAX_FILE_BYTES
from repomill.digest.compose import Facts
from repomill.digest.document import Source
from repomill.digest.linguist import Nature
from repomill.digest.select import SelectOptions
from repomill.model import Digest, Entry, Kind
from tests.digest.commits import entries

LIMIT = 512 << 10
MIT = dict(LICENSES)["MIT"].encode()


def about(
    contents: Mapping[bytes, bytes],
    kinds: Mapping[bytes, Kind] | None = None,
    max_file_size_bytes: int = LIMIT,
) -> About:
    return About(entries(contents, kinds), lambda entry: contents[entry.path], max_file_size_bytes)


def digest(contents: Mapping[bytes, bytes], max_size_bytes: int) -> Digest:
    """Digest a commit as a worker does, attributes and all."""
    said = about(contents)
    options = SelectOptions(max_size_bytes=max_size_bytes)
    source = Source(
        facts=Facts(
            full_name="owner/name",
            url=None,
            commit="0" * 40,
            committed=None,
            languages=said.languages(),
            found_license=said.license(),
        ),
        selection=select.select(entries(contents), options, default_patterns=()),
        read=lambda entry: contents[entry.path],
        nature_of=said.nature,
    )
    return document.make(source, options)


# Attributes.


def test_without_attributes_a_path_says_what_a_file_is():
    said = about({b"lib/a.rb": b"a", b"vendor/a.rb": b"a"})

    assert said.nature("lib/a.rb") is Nature.SOURCE
    assert said.nature("vendor/a.rb") is Nature.VENDORED


def test_attributes_go_before_what_a_path_says():
    said = about(
        {
            b".gitattributes": b"lib/** linguist-generated\nvendor/own/** -linguist-vendored\n",
            b"docs/.gitattributes": b"*.rb -linguist-documentation\n",
        }
    )

    assert said.nature("lib/a.rb") is Nature.GENERATED
    assert said.nature("vendor/own/a.rb") is Nature.SOURCE
    assert said.nature("docs/a.rb") is Nature.SOURCE
    assert said.nature("docs/a.md") is Nature.DOCUMENTATION


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (b".gitattributes", b"* text=auto\n"),
        (b".gitattributes", b""),
        (b".gitattributes", b"*.rb linguist-vendored\n".ljust(MAX_FILE_BYTES + 1)),
        (b"my.gitattributes", b"*.rb linguist-vendored\n"),
        (b"other/.gitattributes", b"*.rb linguist-vendored\n"),
    ],
)
def test_what_says_nothing_of_a_file_changes_nothing(path, content):
    assert about({path: content}).nature("lib/a.rb") is Nature.SOURCE


def test_a_link_holds_no_attributes():
    said = about({b".gitattributes": b"*.rb linguist-vendored"}, {b".gitattributes": Kind.LINK})

    assert said.nature("lib/a.rb") is Nature.SOURCE


def test_only_the_first_hundred_files_of_attributes_are_read():
    read: list[Entry] = []

    def note(entry: Entry) -> bytes:
        read.append(entry)
        return b""

    About(entries({b"%03d/.gitattributes" % n: b"*" for n in range(150)}), note, LIMIT)

    assert len(read) == 100


def test_attributes_decide_the_place_of_a_file_in_a_digest():
    files = {
        b"api.py": b"x = 1\n" * 400,
        b"own.py": b"y = 2\n" * 400,
        b"vendor/ours.py": b"z = 3\n" * 400,
    }
    marks = b"api.py linguist-generated\nvendor/ours.py linguist-vendored=false\n"

    def first(contents: Mapping[bytes, bytes]) -> list[str]:
        body = digest(contents, 5_000).body.decode()
        return [line[6:] for line in body.splitlines() if line.startswith("FILE: ")]

    assert first(files)[0] == "api.py"
    assert first({**files, b".gitattributes": marks})[0] == "own.py"
    assert "vendor/ours.py" in first({**files, b".gitattributes": marks})[:2]


# Languages.


def test_the_languages_of_a_commit_are_in_its_header():
    files = {b"a.rb": b"x" * 750, b"b.js": b"x" * 250, b"c.json": b"{}", b"README.md": b"# A"}

    assert about(files).languages() == [("Ruby", 0.75), ("JavaScript", 0.25)]
    assert b"\nLanguages: Ruby 75.0%, JavaScript 25.0%\n" in digest(files, 1 << 20).body


def test_a_commit_without_code_has_no_languages():
    files = {b"README.md": b"# A", b"data.csv": b"1,2"}

    assert about(files).languages() == []
    assert b"Languages" not in digest(files, 1 << 20).body


def test_what_the_project_has_not_written_is_no_language_of_it():
    files = {
        b"lib/a.rb": b"x",
        b"vendor/b.js": b"x" * 99,
        b"docs/c.py": b"x" * 99,
        b"d_pb2.py": b"x" * 99,
        b"e.go": b"",
        b"f.sh": b"a.rb",
    }

    assert about(files, {b"f.sh": Kind.LINK}).languages() == [("Ruby", 1.0)]


def test_files_over_the_limit_do_not_count():
    files = {b"a.rb": b"x" * 100, b"b.js": b"x" * 101}

    assert about(files, max_file_size_bytes=100).languages() == [("Ruby", 1.0)]
    unknown = [*entries({b"a.rb": b"x"}), Entry(b"b.js", Kind.FILE, "1" * 40, None)]
    assert About(unknown, lambda _entry: b"", 100).languages() == [("Ruby", 1.0)]


def test_attributes_say_which_language_a_file_is_in_and_whether_it_counts():
    files = {
        b".gitattributes": b"*.inc linguist-language=PHP\n*.json linguist-detectable\n"
        b"*.sh -linguist-detectable\n",
        b"a.inc": b"x" * 50,
        b"b.json": b"x" * 50,
        b"c.sh": b"x" * 50,
    }

    assert about(files).languages() == [("JSON", 0.5), ("PHP", 0.5)]


# The licence.


def test_the_licence_in_the_root_is_named():
    assert about({b"LICENSE": MIT}).license() == "MIT"
    assert b"\nLicense: MIT\n" in digest({b"LICENSE": MIT}, 1 << 20).body


@pytest.mark.parametrize(
    "contents",
    [
        {},
        {b"a/LICENSE": MIT},
        {b"vendor/b/LICENSE.md": MIT},
        {b"README.md": MIT},
        {b"LICENSE": b""},
        {b"LICENSE": b"Ask us."},
        {b"LICENSE": b"\x89PNG\0\xff"},
        {b"LICENSE": MIT + b" " * (64 << 10)},
    ],
    ids=range(8),
)
def test_elsewhere_or_in_other_words_there_is_none(contents):
    assert about(contents).license() is None


def test_a_link_to_a_licence_is_not_read():
    assert about({b"LICENSE": MIT}, {b"LICENSE": Kind.LINK}).license() is None


def test_of_several_the_first_that_is_known_counts():
    said = about({b"COPYING": b"See below.", b"LICENSE": MIT, b"UNLICENSE": b"Ask us."})

    assert said.license() == "MIT"


def test_no_more_licence_files_are_read_than_people_write():
    read: list[bytes] = []

    def note(entry: Entry) -> bytes:
        read.append(entry.path)
        return b"not a licence"

    files = {b"LICENSE-%03d" % number: b"not a licence" for number in range(300)}
    files |= {b"LICENSE": b"not a licence", b"LICENSE.md": b"not a licence"}
    variants = {
        bytes(
            letter - 32 if 1 << place & number else letter
            for place, letter in enumerate(b"license")
        )
        for number in range(128)
    }
    files |= dict.fromkeys(variants, b"not a licence")

    assert About(entries(files), note, LIMIT).license() is None
    assert 0 < len(read) <= 8


def test_no_more_attributes_are_read_than_a_megabyte():
    read: list[bytes] = []

    def note(entry: Entry) -> bytes:
        read.append(entry.path)
        return b"*.rb linguist-vendored"

    content = b"x" * (300 << 10)
    About(entries({b"%d/.gitattributes" % n: content for n in range(9)}), note, LIMIT)

    assert len(read) == 3
