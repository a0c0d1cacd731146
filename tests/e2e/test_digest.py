"""`repomill digest SOURCE`: what comes out, what is asked of the host, what is left behind."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from repomill.demo.behaviours import Behaviour, Delay, Stall
from repomill.demo.githost import GitHost
from repomill.demo.repositories import (
    Link,
    Submodule,
    write_branch,
    write_repository,
    write_tag,
)
from repomill.digest import tokens
from tests.e2e.command import PATIENCE_SECONDS, Command, end_of, facts, trusting
from tests.e2e.processes import family, outlived

OTHER_COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOBODY = 65534
FILES: dict[str, bytes | Link | Submodule] = {
    "README.md": b"# Name\n",
    "big.txt": b"x" * 600_000,
    "link": Link(b"README.md"),
    "node_modules/code.js": b"12345",
    "src/empty": b"",
    "src/main.py": b"print()\n",
    "vendored": Submodule(OTHER_COMMIT),
}
TREE = """\
Directory structure:
└── owner-name/
    ├── README.md
    ├── link -> README.md
    └── src/
        ├── empty
        └── main.py

"""
OMITTED = f"""\
Omitted: 3 files
- 1 larger than the file-size limit
- 1 left out by patterns (5 bytes)
- 1 submodules, not fetched
  vendored @ {OTHER_COMMIT}

"""
LINE = "=" * 48
BLOCKS = f"""\
{LINE}
FILE: README.md
{LINE}
# Name



{LINE}
SYMLINK: link -> README.md
{LINE}



{LINE}
FILE: src/empty
{LINE}
[Empty file]


{LINE}
FILE: src/main.py
{LINE}
print()


"""


@dataclass(frozen=True, kw_only=True)
class History:
    """The commits of a repository, by what leads to them."""

    first: str
    second: str
    tip: str


@pytest.fixture
def commit(root: Path) -> str:
    return write_repository(root / "owner" / "name.git", FILES)


@pytest.fixture
def history(root: Path) -> History:
    """Write `Group/Sub/Past`: tags light and annotated, and a branch with slashes in its name."""
    path = root / "Group" / "Sub" / "Past.git"
    first = write_repository(path, {"file": b"first"})
    second = write_repository(path, {"file": b"second"})
    tip = write_repository(path, {"file": b"tip"})
    write_tag(path, "v1.0", first)
    write_branch(path, "feature/with/slashes", second)
    identity = ["-c", "user.name=Demo", "-c", "user.email=demo@example.org"]
    git(path, *identity, "tag", "-a", "-m", "Second", "releases/v2.0", second)
    return History(first=first, second=second, tip=tip)


def git(path: Path, *arguments: object) -> None:
    subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(path), *map(str, arguments)],
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )


def work_tree(bare: Path, into: Path, *, origin: str) -> Path:
    """Clone *bare* with its files, as if it had come from *origin*."""
    git(bare, "clone", "--quiet", bare, into)
    git(into, "remote", "set-url", "origin", origin)
    return into


def commit_of(digest: bytes) -> str:
    found = re.search(rb"^Commit: (\w+)$", digest, flags=re.MULTILINE)
    assert found
    return found[1].decode()


def test_a_digest_is_header_structure_omissions_and_files(host, run, commit):
    ended = run("digest", host.url("owner/name"))

    header, _, rest = ended.stdout.decode().partition("\n\n")
    assert ended.code == 0
    assert header.split("\n")[:6] == [
        "Repository: owner/name",
        f"URL: {host.url('owner/name')}",
        f"Commit: {commit}",
        "Files analyzed: 4",
        f"Estimated tokens: {tokens.human(tokens.count(rest))}",
        "Committed: 2024-01-01T00:00:00Z",
    ]
    assert rest.endswith(TREE + OMITTED + BLOCKS)


def test_a_repository_costs_one_clone_of_three_requests(host, run, commit):
    ended = run(
        "digest",
        f"{host.url('owner/name')}.git/",
    )

    assert ended.stdout.startswith(
        f"Repository: owner/name\nURL: {host.url('owner/name')}\n".encode()
    )
    assert [(request.method, request.rest, request.status) for request in host.requests] == [
        ("GET", "/info/refs?service=git-upload-pack", 200),
        ("POST", "/git-upload-pack", 200),
        ("POST", "/git-upload-pack", 200),
    ]
    begun, done = ended.log
    assert begun["context"] == {
        "operation": "repomill",
        "metadata": {"repo_url": host.url("owner/name"), "attempt": 1},
    }
    assert (begun["level"], begun["message"]) == ("info", "Processing repository")
    assert (done["level"], done["message"]) == ("info", "Summary generated")
    assert done["context"]["metadata"]["commit"] == commit
    assert done["context"]["metadata"]["duration_seconds"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", done["timestamp"])


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/tree/v1.0", "first"),
        ("/-/tree/releases/v2.0", "second"),
        ("/tree/feature/with/slashes/", "second"),
    ],
)
def test_a_branch_or_tag_can_be_named(host, run, history, place, name):
    ended = run("digest", host.url("Group/Sub/Past") + place)

    assert ended.stdout.startswith(b"Repository: Group/Sub/Past\n")
    assert commit_of(ended.stdout) == getattr(history, name)
    assert f"\n{name}\n" in ended.stdout.decode()
    assert len(host.requests) == 3


def test_a_commit_can_be_named_by_its_sha(host, run, history):
    ended = run("digest", f"{host.url('Group/Sub/Past')}/tree/{history.first}")

    assert commit_of(ended.stdout) == history.first
    assert f"URL: {host.url('Group/Sub/Past')}\n" in ended.stdout.decode()


def test_a_host_without_filters_gives_the_same_bytes(host, run, root, commit, ca):
    with GitHost(root, ca=ca, filters=False) as other:
        ended = run("digest", other.url("owner/name"), **trusting(host, other))

    assert ended.stdout.decode().endswith(TREE + OMITTED + BLOCKS)


def test_a_local_repository_gives_the_same_bytes_without_a_url(host, run, root, commit, tmp_path):
    url, bare = host.url("owner/name"), root / "owner" / "name.git"
    path = work_tree(bare, tmp_path / "anything", origin=f"{url}.git")
    git(bare, "remote", "add", "origin", url)

    digest = run("digest", bare.rename(tmp_path / "whatever.git")).stdout

    assert digest.startswith(f"Repository: owner/name\nCommit: {commit}\n".encode())
    assert digest.decode().endswith(TREE + OMITTED + BLOCKS)
    assert run("digest", path).stdout == digest


def test_a_local_repository_without_origin_is_called_after_its_folder(run, root, tmp_path):
    write_repository(tmp_path / "folder.git", {"file": b""})

    assert run("digest", tmp_path / "folder.git").stdout.startswith(b"Repository: folder\n")


def test_a_local_repository_is_called_after_any_form_of_origin(run, root, commit, tmp_path):
    origin = "git@example.org:owner/name.git"
    path = work_tree(root / "owner" / "name.git", tmp_path / "anything", origin=origin)

    assert run("digest", path).stdout.startswith(b"Repository: owner/name\n")


def test_a_local_repository_is_only_read_and_only_its_commit(run, root, commit, tmp_path):
    path = work_tree(root / "owner" / "name.git", tmp_path / "name", origin="file:///nowhere")
    (path / "README.md").write_text("changed")
    (path / "new").write_text("new")
    git(path, "add", "--all")
    before = {file: file.lstat().st_mtime_ns for file in path.rglob("*")}

    ended = run("digest", path)

    assert ended.stdout.decode().endswith(BLOCKS)
    assert {file: file.lstat().st_mtime_ns for file in path.rglob("*")} == before


def test_the_digest_and_its_facts_can_go_to_files(host, run, commit, tmp_path):
    digest, metadata = tmp_path / "new" / "digest.txt", tmp_path / "new" / "metadata.json"

    ended = run("digest", host.url("owner/name"), "-o", digest, "--metadata", metadata)

    assert (ended.code, ended.stdout) == (0, b"")
    assert sorted(path.name for path in digest.parent.iterdir()) == ["digest.txt", "metadata.json"]
    assert digest.read_text().startswith("Repository: owner/name\n")
    assert digest.read_text().endswith(BLOCKS)
    facts = json.loads(metadata.read_bytes())
    assert facts["commit"] == commit
    assert facts["bytes"] == digest.stat().st_size
    files = {file["path"]: file for file in facts["files"]}
    assert list(files) == sorted(FILES)
    assert {path: file.get("reason") for path, file in files.items()} == {
        **dict.fromkeys(FILES),
        "big.txt": "max_file_size",
        "node_modules/code.js": "pattern",
        "vendored": "submodule",
    }
    assert files["big.txt"]["bytes"] is None
    assert files["vendored"]["commit"] == OTHER_COMMIT
    block = files["src/main.py"]
    found = digest.read_bytes()[block["offset"] : block["offset"] + block["length"]].decode()
    assert found.startswith(f"{LINE}\nFILE: src/main.py\n{LINE}\nprint()\n")


def test_an_old_digest_stays_when_there_is_no_new_one(host, run, tmp_path):
    digest = tmp_path / "digest.txt"
    digest.write_text("old")

    ended = run("digest", host.url("owner/unknown"), "-o", digest, "--metadata", digest)

    assert ended.code == 1
    assert digest.read_text() == "old"


def test_a_file_that_cannot_be_written_is_named(host, run, commit, tmp_path):
    (tmp_path / "file").touch()

    ended = run("digest", host.url("owner/name"), "-o", tmp_path / "file" / "digest.txt")

    assert ended.code == 1
    assert ended.stderr.splitlines()[-1].startswith("Error: Could not open file")
    assert "Traceback" not in ended.stderr


def test_a_link_is_written_through(host, run, commit, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "digest.txt")

    run("digest", host.url("owner/name"), "-o", link)

    assert link.is_symlink()
    assert link.stat().st_size


def test_an_option_wins_over_its_variable_and_a_file_of_the_limit_is_shown(host, run, root):
    files = {"99": b"x" * 99, "100": b"y" * 100, "a.js": b"", "a.py": b""}
    write_repository(root / "owner" / "sizes.git", files)
    variables = {"REPOMILL_EXCLUDE": "*.js *.py", "REPOMILL_MAX_FILE_SIZE": "5"}

    digest = run("digest", host.url("owner/sizes"), "--max-file-size", 99, **variables).stdout

    assert b"\n- 1 larger than the file-size limit\n- 2 left out by patterns\n" in digest
    assert b"x" * 99 in digest
    assert b"yyy" not in digest


def test_patterns_choose_the_files(run, root, tmp_path):
    names = ["docs/guide.md", "docs/old/guide.md", "src/main.c", "src/main.h", "src/other.py"]
    write_repository(tmp_path / "name.git", dict.fromkeys(names, b"x"))

    chosen = run(
        *("digest", tmp_path / "name.git"),
        *("--include", "*.md", "--include", "src/*", "--exclude", "old/", "--exclude", "*.py"),
    )

    found = re.findall(r"^FILE: (.*)$", chosen.stdout.decode(), flags=re.MULTILINE)
    assert found == ["docs/guide.md", "src/main.c", "src/main.h"]
    assert chosen.stdout.startswith(b"Repository: name\n")
    assert b"Omitted: 2 files\n- 2 left out by patterns (2 bytes)\n" in chosen.stdout


def test_an_option_wins_over_its_variable(run, root, tmp_path):
    path = tmp_path / "name.git"
    write_repository(path, {"a.md": b"short", "b.md": b"a longer one", "c.py": b"x"})
    variables = {"REPOMILL_EXCLUDE": "*.js *.py", "REPOMILL_MAX_FILE_SIZE": "5"}

    digest = run("digest", path, "--max-file-size", "1K", **variables).stdout.decode()

    assert re.findall(r"^FILE: (.*)$", digest, flags=re.MULTILINE) == ["a.md", "b.md"]


def test_a_bad_pattern_is_a_matter_of_usage(host, run, commit):
    ended = run("digest", host.url("owner/name"), "--exclude", "!")

    assert (ended.code, host.requests) == (2, [])
    assert "'!' is no gitignore pattern" in ended.stderr


def test_a_commit_without_files_has_a_digest(host, run, root):
    write_repository(root / "owner" / "bare.git", {})

    ended = run("digest", host.url("owner/bare"))

    assert ended.code == 0
    assert b"Files analyzed: 0\n" in ended.stdout
    assert b"FILE:" not in ended.stdout


def test_a_reader_that_leaves_early_sees_no_traceback(run, root, tmp_path):
    write_repository(tmp_path / "name.git", {"file": b"a line\n" * 50_000})

    with run.start("digest", tmp_path / "name.git") as process:
        assert process.stdout
        assert process.stdout.readline() == b"Repository: name\n"
        process.stdout.close()
        assert process.stderr
        stderr = process.stderr.read()

    assert b"Traceback" not in stderr
    assert b"Broken pipe" not in stderr
    assert process.returncode == 1


def test_a_full_disk_behind_stdout_is_named(run, root, tmp_path):
    write_repository(tmp_path / "name.git", {"file": b"text"})
    shell = Command(
        program=["sh", "-c", '"$0" "$@" > /dev/full', *run.program],
        home=run.home,
        scratch=run.scratch,
        folder=run.folder,
    )

    ended = shell("digest", tmp_path / "name.git")

    assert ended.code == 1
    assert "Traceback" not in ended.stderr
    assert "No space left on device" in ended.stderr


def held(host: GitHost, root: Path, behaviour: Behaviour) -> str:
    """Serve a repository whose pack does not come to its end, and return its URL."""
    noise = random.Random(0).randbytes(200_000)
    write_repository(root / "owner" / "held.git", {"noise": noise})
    references_arrive_whole = Stall(after_bytes=100_000)
    host.script("owner/held", references_arrive_whole, on="git-upload-pack", times=1)
    host.script("owner/held", behaviour, on="git-upload-pack")
    return host.url("owner/held")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (signal.SIGTERM, 143),
        pytest.param(
            signal.SIGINT,
            130,
            marks=pytest.mark.skipif(
                signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
                reason="whoever started the tests has this signal ignored, by children too",
            ),
        ),
    ],
)
def test_an_interrupted_fetch_leaves_nothing(host, run, root, sent, code):
    with run.start("digest", held(host, root, Delay(60))) as process:
        host.wait_for_requests(3, answered=False, timeout_seconds=PATIENCE_SECONDS)
        processes = family(process.pid)
        assert any(b"git-remote-https" in one.arguments for one in processes)
        assert list(run.scratch.iterdir())
        with outlived(processes):
            process.send_signal(sent)
            stopped = end_of(process)

    assert stopped.code == code
    assert stopped.stdout == b""
    assert "Traceback" not in stopped.stderr
    assert not list(run.scratch.iterdir())


def test_a_fetch_that_takes_too_long_leaves_nothing(host, run, root):
    with run.start("digest", held(host, root, Stall(100_000)), "--timeout", "3") as process:
        host.wait_for_requests(3)
        with outlived(family(process.pid)):
            stopped = end_of(process)

    assert stopped.code == 1
    timeout, failed = map(facts, stopped.log[-2:])
    assert timeout["message"] == "Timeout"
    assert timeout["timeout_seconds"] == 3
    assert failed["message"] == "Processing failed"
    assert failed["error_class"] == "timeout"
    assert not list(run.scratch.iterdir())


@dataclass(frozen=True, kw_only=True)
class Trap:
    """A repository that configures every program git may run to leave a trace."""

    path: Path
    traces: Path

    def sprung(self) -> list[str]:
        return sorted(trace.name for trace in self.traces.iterdir())


@pytest.fixture
def trap(root: Path, tmp_path: Path) -> Trap:
    attributes = b"* filter=trap diff=trap merge=trap\n"
    write_repository(root / "owner" / "trap.git", {".gitattributes": attributes, "file": b"text"})
    trap = Trap(
        path=work_tree(root / "owner" / "trap.git", tmp_path / "trap", origin="file:///nowhere"),
        traces=tmp_path / "traces",
    )
    trap.traces.mkdir()
    for key in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "core.askPass"),
        *("core.gitProxy", "core.alternateRefsCommand", "credential.helper", "gpg.program"),
        *("alias.clone", "alias.fetch", "alias.cat-file", "alias.ls-tree", "pager.ls-tree"),
        *("filter.trap.clean", "filter.trap.smudge", "filter.trap.process"),
        *("diff.trap.textconv", "diff.trap.command", "diff.external", "merge.trap.driver"),
        *("uploadpack.packObjectsHook", "remote.origin.uploadpack", "sequence.editor"),
    ):
        git(trap.path, "config", key, f"!touch {trap.traces}/{key} && cat")
        if not key.startswith(("alias.", "credential.")):
            git(trap.path, "config", key, f"touch {trap.traces}/{key} && cat")
    hooks = trap.path / ".git" / "hooks"
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {trap.traces}/{hook}\n")
        (hooks / hook).chmod(0o755)
    return trap


def test_nothing_that_a_local_repository_configures_is_run(run, trap):
    run_by_git = subprocess.run(
        ["git", "-C", str(trap.path), "diff", "HEAD"], check=False, capture_output=True
    )
    assert trap.sprung(), run_by_git
    for trace in trap.traces.iterdir():
        trace.unlink()

    assert run("digest", ".", cwd=trap.path).code == 0

    assert trap.sprung() == []


def test_nothing_in_the_current_folder_changes_a_fetch(host, run, commit, trap):
    git(trap.path, "config", "url.https://192.0.2.1/.insteadOf", host.url(""))
    git(trap.path, "config", "http.proxy", "http://192.0.2.1")

    ended = run("digest", host.url("owner/name"), cwd=trap.path)

    assert ended.stdout.decode().endswith(BLOCKS)
    assert trap.sprung() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_digested(run, trap):
    shutil.chown(trap.path, NOBODY, NOBODY)
    for file in trap.path.rglob("*"):
        os.lchown(file, NOBODY, NOBODY)

    ended = run("digest", trap.path)

    assert ended.code == 0
    assert b"FILE: file\n" in ended.stdout
    assert trap.sprung() == []
