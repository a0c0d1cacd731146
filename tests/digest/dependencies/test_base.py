"""What those who read manifests are given."""

import pytest
from packageurl import PackageURL

from repomill.digest.dependencies.base import (
    Dependency,
    Files,
    ManifestError,
    beside,
    mapping,
    sequence,
)
from repomill.model import Entry, Kind
from tests.digest.dependencies.commit import files


def test_a_file_is_read_and_parsed_once_whoever_asks():
    reads = []

    def read(entry: Entry) -> bytes:
        reads.append(entry.path)
        return b"text"

    commit = Files([Entry(b"a", Kind.FILE, "1" * 40, 4)], read)

    assert [commit.parsed("a", str.upper) for _ in range(3)] == ["TEXT"] * 3
    assert reads == [b"a"]


def test_what_a_parser_complains_of_is_told_to_all():
    commit = files({"a": "no number"})

    for _ in range(2):
        with pytest.raises(ManifestError, match="invalid literal"):
            commit.parsed("a", int)


def test_what_is_nested_too_deeply_costs_one_manifest():
    def recurse(text: str) -> str:
        return recurse(text)

    with pytest.raises(ManifestError, match="nested too deeply"):
        files({"a": "["}).parsed("a", recurse)


@pytest.mark.parametrize(
    ("size", "advice"), [(None, "larger than"), (1 << 21, "larger than 1024 KiB")]
)
def test_a_file_that_is_too_large_is_not_opened(size, advice):
    def read(entry: Entry) -> bytes:
        raise AssertionError(entry)

    with pytest.raises(ManifestError, match=advice):
        Files([Entry(b"a", Kind.FILE, "1" * 40, size)], read).text("a")


def test_no_more_is_read_than_is_good_for_a_repository():
    size = 1 << 20
    entries = [Entry(b"%03d" % n, Kind.FILE, "1" * 40, size) for n in range(49)]
    commit = Files(entries, lambda _entry: b"x")

    for n in range(48):
        commit.text(f"{n:03}")
    with pytest.raises(ManifestError, match="all that is read"):
        commit.text("048")


@pytest.mark.parametrize("path", ["b", "link", "\ud800", "", "a\0"])
def test_what_is_no_file_of_the_commit_is_not_there(path):
    entries = [Entry(b"a", Kind.FILE, "1" * 40, 1), Entry(b"link", Kind.LINK, "1" * 40, 1)]
    commit = Files(entries, lambda _entry: b"x")

    assert path not in commit
    assert list(commit) == ["a"]
    with pytest.raises(ManifestError, match="not in the repository"):
        commit.text(path)


def test_binary_files_are_no_text_and_marks_are_not_read():
    commit = files({"a": b"\x89PNG\0", "b": b"\xef\xbb\xbf{}", "c\udcff": "x"})

    assert (commit.text("b"), commit.text("c\udcff")) == ("{}", "x")
    with pytest.raises(ManifestError, match="no text"):
        commit.text("a")


def test_the_nearest_file_above_is_found():
    commit = files({"lock": "", "a/b/other": "", "a/lock": ""})

    assert commit.nearest("a/b/c/manifest", "lock", "other") == "a/b/other"
    assert commit.nearest("a/manifest", "lock") == "a/lock"
    assert commit.nearest("manifest", "lock") == "lock"
    assert commit.nearest("a/manifest", "none") is None


@pytest.mark.parametrize("name", ["/etc/passwd", "..", "../../a", "."])
def test_no_name_leads_out_of_the_repository(name):
    assert beside("a/manifest", name) in {None, "", "a"}
    assert beside("manifest", name) is None


def test_values_of_another_kind_are_empty():
    assert (mapping([1]), mapping({1: 2, "a": 3}), sequence("ab"), sequence([1])) == (
        {},
        {"a": 3},
        [],
        [1],
    )


def test_a_package_url_has_the_version_that_is_settled():
    package = PackageURL("npm", "@types", "node")
    dependency = Dependency(name="@types/node", package=package, requirement="^18")

    assert dependency.purl == "pkg:npm/%40types/node"
    settled = Dependency(name="@types/node", package=package, resolved="18.1.0")
    assert settled.purl == "pkg:npm/%40types/node@18.1.0"
