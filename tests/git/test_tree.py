"""One commit of a repository, ordinary, odd, broken and hostile."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ObjectType

from repomill.demo.repositories import Content, Link, Submodule, write_repository
from repomill.errors import (
    CorruptError,
    EmptyError,
    NotFoundError,
    RepoError,
    TooLargeError,
    UnsupportedError,
)
from repomill.git.tree import MAX_DEPTH, open_commit
from repomill.model import Entry, Kind

COMMIT = "tree {tree}\nauthor {who}\ncommitter {who}\n\nmessage\n"


def git(*arguments: str | Path) -> None:
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_ALLOW_PROTOCOL": "file"}
    subprocess.run(["git", *arguments], env=environment, timeout=100, check=True)


def commit_tree(path: Path, tree: str, *, when: str = "1704067200") -> None:
    """Commit an object as it is to HEAD's branch."""
    repository = pygit2.Repository(path)
    text = COMMIT.format(tree=tree, who=f"Demo <demo@example.org> {when} +0000")
    sha = repository.odb.write(ObjectType.COMMIT, text.encode())
    repository.references.create("refs/heads/main", sha, force=True)


def write_tree(path: Path, *lines: bytes) -> str:
    return str(pygit2.Repository(path).odb.write(ObjectType.TREE, b"".join(lines)))


def write_blob(path: Path, content: bytes) -> str:
    return str(pygit2.Repository(path).odb.write(ObjectType.BLOB, content))


def line(mode: str, name: bytes, oid: str) -> bytes:
    return b"%b %b\0%b" % (mode.encode(), name, bytes.fromhex(oid))


def loose_object(path: Path, oid: str) -> Path:
    return path.joinpath("objects", oid[:2], oid[2:])


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "name.git"
    write_repository(path, {"README.md": b"# Title\n"})
    return path


def test_a_commit_has_its_sha_and_its_date(tmp_path):
    sha = write_repository(tmp_path / "a.git", {"a": b""}, when=0)

    commit = open_commit(tmp_path / "a.git")

    assert commit.sha == sha
    assert commit.committed == datetime(1970, 1, 1, tzinfo=UTC)


def test_entries_come_with_kind_and_size_sorted_by_their_bytes(tmp_path):
    files: dict[bytes, Content] = {
        b"src/main.py": b"print()\n",
        b"src.txt": b"12345",
        b"\xff": b"",
        b"a/link": Link(b"../src"),
        b"lib": Submodule("1" * 40),
    }
    write_repository(tmp_path / "a.git", files)

    entries = open_commit(tmp_path / "a.git").entries()

    assert [(entry.path, entry.kind, entry.size_bytes) for entry in entries] == [
        (b"a/link", Kind.LINK, 6),
        (b"lib", Kind.SUBMODULE, None),
        (b"src.txt", Kind.FILE, 5),
        (b"src/main.py", Kind.FILE, 8),
        (b"\xff", Kind.FILE, 0),
    ]
    assert entries[1].oid == "1" * 40


def test_files_and_links_can_be_read(tmp_path):
    write_repository(tmp_path / "a.git", {"a": b"\0bytes", "b": Link(b"../target")})
    commit = open_commit(tmp_path / "a.git")

    assert [commit.read(entry) for entry in commit.entries()] == [b"\0bytes", b"../target"]


def test_a_commit_can_be_empty(tmp_path):
    write_repository(tmp_path / "a.git", {})

    assert open_commit(tmp_path / "a.git").entries() == []


def test_a_commit_that_is_not_head_can_be_opened(tmp_path):
    first = write_repository(tmp_path / "a.git", {"a": b""})
    second = write_repository(tmp_path / "a.git", {"b": b""})

    assert open_commit(tmp_path / "a.git", first).entries()[0].path == b"a"
    assert open_commit(tmp_path / "a.git").sha == second


def test_what_a_filtered_clone_left_out_has_no_size(tmp_path, repository):
    write_repository(repository, {"large": b"x" * 100, "small": b"y"})
    git("-C", repository, "config", "uploadpack.allowFilter", "true")
    options = ["--quiet", "--bare", "--filter=blob:limit=100"]
    git("clone", *options, f"file://{repository}", tmp_path / "clone.git")

    commit = open_commit(tmp_path / "clone.git")
    large, small = commit.entries()

    assert (large.size_bytes, small.size_bytes) == (None, 1)
    assert commit.read(small) == b"y"
    with pytest.raises(CorruptError, match=f"object {large.oid} cannot be read; run git fsck"):
        commit.read(large)


def test_a_checkout_is_opened_by_its_top_folder_and_by_its_git_folder(tmp_path, repository):
    git("clone", "--quiet", repository, tmp_path / "checkout")

    for path in (tmp_path / "checkout", tmp_path / "checkout" / ".git"):
        assert open_commit(path).sha == open_commit(repository).sha
    with pytest.raises(NotFoundError):
        open_commit(tmp_path / "checkout" / ".git" / "refs")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_no_danger(repository):
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 65_534, 65_534)

    assert open_commit(repository).entries()


@pytest.mark.parametrize("url", [None, "https://github.com/owner/name"])
def test_the_origin_is_what_is_configured(repository, url):
    if url:
        git("-C", repository, "config", "remote.origin.url", url)

    assert open_commit(repository).origin() == url


@pytest.mark.parametrize("mode", ["100644", "100755", "100664", "100600"])
def test_a_file_of_any_permissions_is_a_file(repository, mode):
    blob = write_blob(repository, b"content")
    commit_tree(repository, write_tree(repository, line(mode, b"a", blob)))

    assert open_commit(repository).entries() == [Entry(b"a", Kind.FILE, blob, 7)]


def test_a_folder_too_deep_is_named_and_not_entered(tmp_path):
    top = b"/".join([b"d"] * (MAX_DEPTH + 1))
    write_repository(tmp_path / "a.git", {top[2:] + b"/file": b"1", top + b"/e/file": b"2"})

    entries = open_commit(tmp_path / "a.git").entries()

    assert [(entry.path, entry.kind) for entry in entries] == [
        (top, Kind.FOLDER),
        (top[2:] + b"/file", Kind.FILE),
    ]
    assert entries[0].size_bytes is None


def test_a_few_objects_that_spell_billions_of_paths_are_too_large(repository):
    long_name = b"n" * 4_000
    tree = write_tree(repository, line("100644", long_name, write_blob(repository, b"")))
    for _ in range(20):
        names = (b"%c" % letter + long_name for letter in b"abcdefghij")
        tree = write_tree(repository, *(line("40000", name, tree) for name in names))
    commit_tree(repository, tree)

    with pytest.raises(TooLargeError, match="it cannot be digested"):
        open_commit(repository).entries()


@pytest.mark.parametrize("content", [b"", b"not zlib", None], ids=["nothing", "noise", "missing"])
def test_a_broken_tree_is_corrupt(repository, content):
    tree = write_tree(repository, line("100644", b"a", write_blob(repository, b"")))
    commit_tree(repository, tree)
    if content is None:
        loose_object(repository, tree).unlink()
    else:
        overwrite(loose_object(repository, tree), content)

    with pytest.raises(CorruptError, match=f"tree {tree} cannot be read; run git fsck"):
        open_commit(repository).entries()


@pytest.mark.parametrize("lines", [b"100644 a", b"100644 a\0short", b"888 a\0" + b"1" * 20])
def test_a_tree_that_is_none_inside_is_corrupt(repository, lines):
    commit_tree(repository, write_tree(repository, lines))

    with pytest.raises(CorruptError, match="cannot be read; run git fsck"):
        open_commit(repository).entries()


def test_a_blob_where_a_tree_should_be_is_corrupt(repository):
    blob = write_blob(repository, b"no tree")
    commit_tree(repository, write_tree(repository, line("40000", b"folder", blob)))

    with pytest.raises(CorruptError, match=f"object {blob} stands where a tree should"):
        open_commit(repository).entries()


def test_a_blob_with_a_broken_head_is_corrupt(repository):
    blob = write_blob(repository, b"content")
    commit_tree(repository, write_tree(repository, line("100644", b"a", blob)))
    overwrite(loose_object(repository, blob), b"not zlib")

    with pytest.raises(CorruptError, match=f"object {blob} cannot be read; run git fsck"):
        open_commit(repository).entries()


def test_a_blob_of_other_content_is_corrupt(repository):
    blob, other = write_blob(repository, b"content"), write_blob(repository, b"forgery")
    commit_tree(repository, write_tree(repository, line("100644", b"a", blob)))
    overwrite(loose_object(repository, blob), loose_object(repository, other).read_bytes())
    commit = open_commit(repository)

    with pytest.raises(CorruptError, match=f"object {blob} cannot be read; run git fsck"):
        commit.read(commit.entries()[0])


@pytest.mark.parametrize(
    ("when", "committed"),
    [
        ("-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("253402300799", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("253402300800", None),
        ("9223372036854775807", None),
        ("-99999999999999", None),
    ],
)
def test_a_date_out_of_range_is_none(repository, when, committed):
    commit_tree(repository, write_tree(repository), when=when)

    assert open_commit(repository).committed == committed


def sha256(folder: Path) -> None:
    git("init", "--quiet", "--object-format=sha256", folder)


def unborn(folder: Path) -> None:
    git("init", "--quiet", "--object-format=sha1", folder)


def nothing(folder: Path) -> None:
    folder.mkdir()


def a_file(folder: Path) -> None:
    folder.write_text("")


def not_there(folder: Path) -> None:
    assert not folder.exists()


def unknown_extension(folder: Path) -> None:
    git("init", "--quiet", "--object-format=sha1", folder)
    git("-C", folder, "config", "core.repositoryFormatVersion", "1")
    git("-C", folder, "config", "extensions.ofTheFuture", "true")


@pytest.mark.parametrize(
    ("make", "error", "advice"),
    [
        (sha256, UnsupportedError, "SHA-256 objects"),
        (unknown_extension, UnsupportedError, "or an extension"),
        (unborn, EmptyError, "commit something first"),
        (nothing, NotFoundError, "is no git repository; name its top folder"),
        (a_file, NotFoundError, "is no git repository; name its top folder"),
        (not_there, NotFoundError, "is no git repository; name its top folder"),
    ],
)
def test_what_cannot_be_opened_is_told_why(
    tmp_path, make: Callable[[Path], None], error: type[RepoError], advice
):
    make(tmp_path / "folder")

    with pytest.raises(error, match=advice):
        open_commit(tmp_path / "folder")


@pytest.mark.parametrize("revision", ["1" * 40, "main~5", "@{", "HEAD^{tree}"])
def test_a_revision_that_is_no_commit_is_not_found(repository, revision):
    with pytest.raises(NotFoundError, match="is no commit of this repository"):
        open_commit(repository, revision)


@pytest.mark.parametrize("head", [b"noise\n", b"", b"1" * 40 + b"\n", b"ref: HEAD\n"])
def test_a_head_that_leads_nowhere_is_corrupt(repository, head):
    (repository / "HEAD").write_bytes(head)

    with pytest.raises(CorruptError, match="HEAD names cannot be read"):
        open_commit(repository)
