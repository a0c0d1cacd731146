"""Repositories made without git, read by the real git."""

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

import pygit2
import pytest

from repomill.demo.repositories import (
    LARGEST_FILE_BYTES,
    Content,
    Link,
    Submodule,
    package_repositories,
    write_branch,
    write_repository,
    write_tag,
)

HOSTILE_NAMES = [
    b"..",
    b".git",
    b".GIT",
    b"README",
    b"readme",
    b"-rf",
    b"a\\b",
    b"bell\x07",
    b"line\nbreak",
    b"tab\t",
    b"\x1b[31m",
    b"\xff\xfe",
    "\u202egpj.exe".encode(),
    b"~",
]


def git(path: Path, *arguments: str) -> bytes:
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return subprocess.run(
        ["git", "-C", path, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=100,
        check=True,
    ).stdout


def listed(path: Path, *options: str) -> list[bytes]:
    return git(path, "ls-tree", "-z", "-r", *options, "HEAD").split(b"\0")[:-1]


def test_files_are_committed_as_given(tmp_path):
    files: dict[str | bytes, Content] = {
        "README.md": b"# A\n",
        b"bin/\xe9": b"\0",
        "latest": Link(b"../../etc/passwd"),
        "lib/other": Submodule("1" * 40),
    }
    sha = write_repository(tmp_path / "a.git", files)

    assert git(tmp_path / "a.git", "rev-parse", "HEAD").decode().strip() == sha
    assert [(line.split()[0], line.partition(b"\t")[2]) for line in listed(tmp_path / "a.git")] == [
        (b"100644", b"README.md"),
        (b"100644", b"bin/\xe9"),
        (b"120000", b"latest"),
        (b"160000", b"lib/other"),
    ]
    assert git(tmp_path / "a.git", "cat-file", "blob", "HEAD:README.md") == b"# A\n"
    assert git(tmp_path / "a.git", "rev-parse", "HEAD:lib/other").decode() == "1" * 40 + "\n"
    assert git(tmp_path / "a.git", "cat-file", "blob", "HEAD:latest") == b"../../etc/passwd"


def test_the_repository_is_sound_and_sorted_as_git_sorts(tmp_path):
    names = [b"a-b", b"a.b/c", b"a/b/c/d", b"a0", b"b.txt", b"b/x"]
    write_repository(tmp_path / "a.git", dict.fromkeys(reversed(names), b""))

    git(tmp_path / "a.git", "fsck", "--strict")

    assert listed(tmp_path / "a.git", "--name-only") == names


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("folder", [b"", b"sub/"])
def test_a_hostile_name_can_be_written(tmp_path, name, folder):
    write_repository(tmp_path / "a.git", {folder + name: b"", folder + name + b"x/y": b""})

    assert set(listed(tmp_path / "a.git", "--name-only")) == {folder + name, folder + name + b"x/y"}


def test_names_that_differ_only_in_case_stay_apart(tmp_path):
    write_repository(tmp_path / "a.git", dict.fromkeys(HOSTILE_NAMES, b""))

    assert listed(tmp_path / "a.git", "--name-only") == sorted(HOSTILE_NAMES)


def test_a_name_can_be_both_file_and_folder(tmp_path):
    write_repository(tmp_path / "a.git", {"a": b"", "a/b": b""})

    assert listed(tmp_path / "a.git", "--name-only") == [b"a", b"a/b"]


def test_empty_names_are_written_as_they_are(tmp_path):
    write_repository(tmp_path / "a.git", {"/a": b""})

    assert git(tmp_path / "a.git", "cat-file", "tree", "HEAD:").startswith(b"40000 \0")


def test_folders_can_be_deeper_than_the_stack(tmp_path):
    name = b"d/" * 1_200 + b"f"
    write_repository(tmp_path / "a.git", {name: b""})

    assert listed(tmp_path / "a.git", "--name-only") == [name]


def test_a_null_byte_is_refused(tmp_path):
    with pytest.raises(ValueError, match="null byte"):
        write_repository(tmp_path / "a.git", {"a\0b": b""})


def test_no_files_make_an_empty_commit(tmp_path):
    write_repository(tmp_path / "a.git", {})

    assert listed(tmp_path / "a.git") == []


def test_the_same_input_gives_the_same_sha(tmp_path, monkeypatch):
    shas: set[str] = set()
    for zone in ("UTC", "Asia/Kolkata"):
        monkeypatch.setenv("TZ", zone)
        shas.add(write_repository(tmp_path / f"{len(shas)}.git", {"a": b"a", "b/c": b"c"}))

    assert shas == {"3b62f350526b6863dcc3e2b6eecc01dfa5675aab"}


def test_a_further_commit_follows_the_branch(tmp_path):
    first = write_repository(tmp_path / "a.git", {"a": b""})
    second = write_repository(tmp_path / "a.git", {"b": b""}, message="Rename", when=0)

    assert git(tmp_path / "a.git", "log", "--format=%H %at %s").decode().splitlines() == [
        f"{second} 0 Rename",
        f"{first} 1704067200 Add files",
    ]
    assert listed(tmp_path / "a.git", "--name-only") == [b"b"]


def test_another_branch_starts_anew_and_becomes_the_head(tmp_path):
    main = write_repository(tmp_path / "a.git", {"a": b""})
    other = write_repository(tmp_path / "a.git", {"b": b""}, branch="feature/x")

    assert git(tmp_path / "a.git", "symbolic-ref", "HEAD") == b"refs/heads/feature/x\n"
    assert git(tmp_path / "a.git", "rev-list", "HEAD").decode().split() == [other]
    assert git(tmp_path / "a.git", "rev-list", "main").decode().split() == [main]


def test_branches_and_tags_can_be_set_and_moved(tmp_path):
    first = write_repository(tmp_path / "a.git", {"a": b""})
    second = write_repository(tmp_path / "a.git", {"b": b""})
    for sha in (first, second):
        write_branch(tmp_path / "a.git", "release/1.x", sha)
        write_tag(tmp_path / "a.git", "v1/final", sha)

    references = git(tmp_path / "a.git", "show-ref").decode().splitlines()

    assert references == [
        f"{second} refs/heads/main",
        f"{second} refs/heads/release/1.x",
        f"{second} refs/tags/v1/final",
    ]


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> list[Path]:
    return package_repositories(tmp_path_factory.mktemp("packages"), owner="python", count=5)


def test_packages_lie_below_their_owner_in_order(packages):
    assert {path.parent.name for path in packages} == {"python"}
    assert [path.stem for path in packages] == sorted({path.stem for path in packages})


def test_a_package_repository_holds_what_is_installed(packages):
    for path in packages:
        package = distribution(path.stem)
        subject = git(path, "log", "--format=%s").decode().strip()
        assert subject == f"{path.stem} {package.version}"
        for line in listed(path):
            oid, _, name = line.decode().partition(" blob ")[2].partition("\t")
            installed = Path(str(package.locate_file(name))).read_bytes()
            assert oid == str(pygit2.hash(installed))


def install(site: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Lay out a distribution as an installer does."""
    information = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    installed = {f"{information}/METADATA": metadata, **files}
    record = "".join(f"{file},,\n" for file in [*installed, f"{information}/RECORD"])
    for file, content in (installed | {f"{information}/RECORD": record.encode()}).items():
        path = site / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def sites(tmp_path, monkeypatch) -> list[Path]:
    """Stand in for all of this interpreter's site-packages: it has no option for that."""
    sites = [tmp_path / "first" / "lib", tmp_path / "second" / "lib"]
    others = [folder for folder in sys.path if "site-packages" not in folder]
    monkeypatch.setattr(sys, "path", [*map(str, sites), *others])
    return sites


def test_what_is_not_source_is_left_out(sites, tmp_path):
    dropped = [
        "../bin/script",
        "name/__pycache__/name.cpython-311.pyc",
        "name/old.pyc",
        "name.pth",
        "Some_Name-1.0.dist-info/INSTALLER",
        "Some_Name-1.0.dist-info/direct_url.json",
    ]
    kept = {"name/__init__.py": b"", "name/limit.bin": bytes(LARGEST_FILE_BYTES)}
    too_large = {"name/large.bin": bytes(LARGEST_FILE_BYTES + 1)}
    install(sites[0], "Some_Name", kept | too_large | dict.fromkeys(dropped, b"x"))

    [path] = package_repositories(tmp_path / "repositories")

    assert path == tmp_path / "repositories" / "packages" / "some-name.git"
    assert listed(path, "--name-only") == [
        b"Some_Name-1.0.dist-info/METADATA",
        b"name/__init__.py",
        b"name/limit.bin",
    ]


def test_small_and_shadowed_packages_do_not_count(sites, tmp_path):
    install(sites[0], "alone", {})
    install(sites[0], "same", {"same.py": b"first"})
    install(sites[1], "Same", {"same.py": b"second"})
    install(sites[1], "zero", {"zero.py": b""})

    paths = package_repositories(tmp_path / "repositories", count=2)

    assert [path.name for path in paths] == ["same.git", "zero.git"]
    assert git(paths[0], "cat-file", "blob", "HEAD:same.py") == b"first"


def test_a_package_repository_is_sound_and_compact(packages):
    for path in packages:
        git(path, "fsck")
        assert b"count: 0\n" in git(path, "count-objects", "-v")


def test_as_many_packages_are_made_as_asked_for(packages, tmp_path):
    two = package_repositories(tmp_path, count=2)

    assert len(packages) == 5
    assert [path.name for path in two] == [path.name for path in packages[:2]]
    assert package_repositories(tmp_path, count=0) == []
