"""The same commit and options give the same bytes, wherever and however they are worked on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pygit2
import pytest

from repomill.demo.githost import GitHost
from repomill.demo.repositories import Link, write_repository
from tests.e2e.command import Command, trusting

# The zones are written out (POSIX): no table of names needs to be there.
SURROUNDINGS = [
    {"PYTHONHASHSEED": "1", "TZ": "EAST-14", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "WEST+12", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "42", "LANG": "nowhere.ISO-8859-1", "LANGUAGE": "de"},
    # An interpreter that takes the locale at its word: names of files are ASCII.
    {"PYTHONHASHSEED": "99", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]
OPTIONS = ("--exclude", "*.tmp", "--exclude", "!keep.tmp", "--exclude", "caf*", "--include", "*")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One commit on a host and on this disk, and what comes of it in plain surroundings."""

    url: str
    path: Path
    run: Command
    digest: bytes
    metadata: bytes


@pytest.fixture(scope="module")
def bench(tmp_path_factory, ca) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("determinism")
    path = folder / "owner" / "nämé.git"
    folders = ["", "src/", "Src/", "SRC/deep/er/", "größe/", "日本語/"]
    names = ["Readme.md", "README.md", "readme.md", "ÿ.txt", "ß", "a\nb", "keep.tmp", "x.tmp"]
    files = {
        f"{folder}{name}": f"{folder}{name}\n".encode() for folder in folders for name in names
    }
    latin = {b"caf\xe9.txt": b"left out", b"\xe9t\xe9": "été".encode("latin-1") * 9}
    write_repository(path, {**files, **latin, "link": Link(b"\xe9t\xe9"), "big": b"x" * 600_000})
    with GitHost(folder, ca=ca) as host:
        # A URL is ASCII: the host serves the same repository under a second name.
        (folder / "owner" / "name.git").symlink_to(path)
        url = host.url("owner/name")
        pygit2.Repository(path).remotes.create("origin", url)
        run = Command(home=folder, scratch=folder, folder=folder, variables=trusting(host))
        metadata = folder / "metadata.json"
        digest = digest_of(run, url, "--metadata", metadata, PYTHONHASHSEED="0")
        yield Bench(url=url, path=path, run=run, digest=digest, metadata=metadata.read_bytes())


def digest_of(run, source, *options, **surroundings) -> bytes:
    ended = run("digest", source, *OPTIONS, *options, **surroundings)
    assert ended.code == 0, ended.stderr
    digest: bytes = ended.stdout
    return digest


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=lambda one: one["PYTHONHASHSEED"])
def test_seed_zone_locale_and_folders_change_nothing(bench, tmp_path, surroundings):
    for name in ("home", "scratch", "current"):
        (tmp_path / name).mkdir()
    folders = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "scratch")}
    metadata = tmp_path / "metadata.json"

    digest = digest_of(
        *(bench.run, bench.url, "--metadata", metadata),
        **{**surroundings, **folders, "cwd": tmp_path / "current"},
    )

    assert digest == bench.digest
    assert metadata.read_bytes() == bench.metadata


@pytest.mark.parametrize("surroundings", SURROUNDINGS[-2:], ids=lambda one: one["PYTHONHASHSEED"])
def test_of_a_local_repository_only_the_url_is_missing(bench, surroundings):
    url_line = f"URL: {bench.url}\n".encode()

    digest = digest_of(bench.run, bench.path, **surroundings)

    assert digest == bench.digest.replace(url_line, b"", 1)


def test_log_lines_are_json_whatever_the_encoding_of_stderr(bench):
    ended = bench.run("digest", bench.path, PYTHONIOENCODING="ascii")

    assert ended.last["repo_url"] == str(bench.path)


def test_what_does_not_fit_is_left_out_the_same_way(bench, tmp_path):
    metadata = [tmp_path / "one.json", tmp_path / "other.json"]
    digests = [
        digest_of(bench.run, bench.url, "--max-size", "4KiB", "--metadata", path, **surroundings)
        for path, surroundings in zip(metadata, SURROUNDINGS[:2], strict=True)
    ]

    assert digests[0] == digests[1]
    assert len(digests[0]) <= 4096 < len(bench.digest)
    assert metadata[0].read_bytes() == metadata[1].read_bytes()
    assert b"left out to keep the digest within its size" in digests[0]


def test_a_full_clone_knows_no_more_than_a_filtered_one(run, root, host):
    long_licence = b"MIT License\n\nPermission is hereby granted, free of charge\n" * 100
    marks = b"*.rb linguist-vendored\n" * 200
    code = b"x = 1\n" * 1000
    path = root / "owner" / "name.git"
    write_repository(
        path,
        {"LICENSE": long_licence, ".gitattributes": marks, "a.py": code, "b.rb": b"y\n"},
    )
    pygit2.Repository(path).remotes.create("origin", host.url("owner/name"))
    options = ("--max-file-size", "4KiB")

    near, far = run("digest", path, *options), run("digest", host.url("owner/name"), *options)

    facts = [line for line in far.stdout.splitlines() if not line.startswith(b"URL: ")]
    assert near.stdout.splitlines() == facts
    assert b"Languages: Ruby 100.0%" in far.stdout.splitlines()
