"""One git command: what it may know, what it may say, and how it ends."""

import fcntl
import os
import select
import subprocess
import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from repomill.deadline import Deadline
from repomill.errors import DeadlineError, UnsupportedError
from repomill.git import command
from repomill.git.command import Completed

CANARY = "canary"
SECRETS = dict.fromkeys(
    [
        *("GITHUB_TOKEN", "REPOMILL_TOKENS", "R2_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
        *("GIT_DIR", "GIT_EXEC_PATH", "GIT_CONFIG_PARAMETERS", "GIT_SSH_COMMAND", "GIT_TRACE"),
        *("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0", "GIT_SSL_NO_VERIFY"),
        *("HOME", "XDG_CONFIG_HOME", "LD_PRELOAD", "PYTHONPATH", "SSH_AUTH_SOCK", "http_proxy"),
        *("https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("GIT_ASKPASS", "GIT_ALLOW_PROTOCOL", "GIT_TEMPLATE_DIR", "LC_ALL", "LANG", "USER"),
    ],
    CANARY,
)
ALLOWED = {"TMPDIR": "/scratch"}


@dataclass(frozen=True)
class FakeGit:
    """A `git` that does what a shell script says, first on PATH."""

    folder: Path

    def run(
        self,
        script: str,
        *,
        seconds: float = 30.0,
        parent: Mapping[str, str] | None = None,
        config: tuple[tuple[str, str], ...] = (),
    ) -> Completed:
        program = self.folder / "git"
        program.write_text(f"#!/bin/sh\ncd '{self.folder}'\n{script}\n")
        program.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        env = command.environment(
            {**(parent or {}), "PATH": path}, config, ca_file=None, proxy=None
        )
        return command.run(["clone", "a b", "--"], env, Deadline(seconds))

    def wrote(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def process_has_ended(self, name: str) -> bool:
        """Whether the process whose id the script wrote ends now, or has."""
        try:
            process = os.pidfd_open(int(self.wrote(name)))
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([process], [], [], 10)[0])
        finally:
            os.close(process)


@pytest.fixture
def git(tmp_path) -> FakeGit:
    folder = tmp_path / "bin"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    return FakeGit(folder)


def real_git(*arguments: str, parent: Mapping[str, str], config=(), ca_file=None) -> Completed:
    env = command.environment(
        {**parent, "PATH": os.environ["PATH"]}, config, ca_file=ca_file, proxy=None
    )
    return command.run(arguments, env, Deadline(30))


def test_git_knows_nothing_but_what_it_may(git):
    git.run("cat /proc/$$/environ > environ", parent=SECRETS | ALLOWED)
    lines = git.wrote("environ").decode().split("\0")[:-1]
    environ = dict(line.partition("=")[::2] for line in lines)

    assert CANARY not in environ.values()
    assert environ.items() >= ALLOWED.items()
    known = {name for name in environ if not name.startswith("GIT_")}
    assert known == {*ALLOWED, "PATH", "HOME", "LC_ALL", "no_proxy"}


def test_git_is_given_its_words_no_input_and_no_open_file(git):
    with Path(os.devnull).open() as file:
        unrelated = fcntl.fcntl(file, fcntl.F_DUPFD, 100)  # inherited, unless it is seen to
    try:
        git.run('printf "%s\\n" "$@" > words; cat > input; ls /proc/$$/fd > descriptors')
    finally:
        os.close(unrelated)

    assert git.wrote("words") == b"clone\na b\n--\n"
    assert git.wrote("input") == b""
    assert str(unrelated) not in git.wrote("descriptors").decode().split()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("http.followRedirects", "false"),
        ("transfer.fsckObjects", "true"),
        ("core.hooksPath", "/dev/null"),
        ("credential.helper", ""),
        ("our.own", "value"),
    ],
)
def test_the_real_git_reads_the_configuration(tmp_path, key, value):
    arguments = ["-C", str(tmp_path), "config", "--fixed-value", "--get", key, value]

    assert real_git(*arguments, parent={}, config=[("our.own", "value")]).code == 0


def test_the_real_git_reads_no_other_configuration(tmp_path):
    (tmp_path / ".gitconfig").write_text("[canary]\n\tkey = value\n")
    parent = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": str(tmp_path / ".gitconfig"),
        "GIT_CONFIG_SYSTEM": str(tmp_path / ".gitconfig"),
        "GIT_CONFIG_PARAMETERS": "'canary.key=value'",
    }
    reading = ["git", "-C", str(tmp_path), "config", "--get", "canary.key"]
    inherited = {**parent, "PATH": os.environ["PATH"]}

    assert subprocess.run(reading, env=inherited, check=True, stdout=subprocess.PIPE).stdout
    assert real_git(*reading[1:], parent=parent).code == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/o/n", "ext::true", "file:///", "git://[::1]/"])
def test_the_real_git_speaks_https_alone(tmp_path, url):
    completed = real_git("clone", "--", url, str(tmp_path / "clone"), parent={})

    assert completed.code == 128
    assert "not allowed" in completed.stderr


def test_git_goes_by_the_proxy_it_is_given_or_by_none():
    proxied = command.environment({}, [], ca_file=None, proxy="http://proxy.example:3128")

    assert proxied["https_proxy"] == "http://proxy.example:3128"
    assert "no_proxy" not in proxied
    assert command.environment({}, [], ca_file=None, proxy=None)["no_proxy"] == "*"


def test_certificates_to_trust_are_passed_on():
    assert command.environment({}, [], ca_file="ca.pem", proxy=None)["GIT_SSL_CAINFO"] == "ca.pem"
    assert "GIT_SSL_CAINFO" not in command.environment({}, [], ca_file=None, proxy=None)


def test_how_git_ended_is_told(git):
    assert git.run("echo no luck >&2; exit 3") == Completed(3, "no luck\n")
    assert git.run("exit 0") == Completed(0, "")
    assert git.run("kill -9 $$") == Completed(-9, "")


def test_what_is_no_utf8_can_be_told_too(git):
    assert git.run(r"printf 'caf\351' >&2").stderr == "caf�"


def test_a_flood_of_words_is_held_to_its_end(git):
    tracemalloc.start()
    try:
        completed = git.run("yes flood | head -c 50000000 >&2; echo the end >&2")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(completed.stderr) == 1 << 16
    assert completed.stderr.endswith("flood\nflthe end\n")
    assert peak_bytes < 2_000_000


# Nobody ever writes to the fifo. What a shell ignores, its children ignore too.
WAIT = "read line < fifo"
STUBBORN = f"""
trap '' TERM INT HUP
sh -c 'echo $$ > child; {WAIT}' &
echo $$ > parent
{WAIT}
"""


def test_the_deadline_ends_a_git_that_will_not_and_its_children(git):
    with pytest.raises(DeadlineError, match="not done within 1 s; give it longer with --timeout"):
        git.run(STUBBORN, seconds=1)

    assert git.process_has_ended("parent")
    assert git.process_has_ended("child")


def test_the_deadline_ends_a_git_that_never_stops_talking(git):
    with pytest.raises(DeadlineError):
        git.run("echo $$ > parent; exec yes >&2", seconds=1)

    assert git.process_has_ended("parent")


def test_the_deadline_ends_a_git_that_closed_its_stderr(git):
    with pytest.raises(DeadlineError):
        git.run(f"echo $$ > parent; exec 2>&-; {WAIT}", seconds=1)

    assert git.process_has_ended("parent")


def test_a_git_that_is_done_leaves_no_child(git):
    child = f"sh -c 'echo $$ > child; echo > started; {WAIT}' 2> /dev/null &"

    completed = git.run(f"mkfifo started; {child} read line < started")

    assert completed.code == 0
    assert git.process_has_ended("child")


def test_git_is_not_started_too_late(git):
    with pytest.raises(DeadlineError):
        git.run("echo > started", seconds=0)

    assert not (git.folder / "started").exists()


def test_a_missing_git_is_told_clearly(tmp_path):
    env = command.environment({"PATH": str(tmp_path)}, [], ca_file=None, proxy=None)

    with pytest.raises(UnsupportedError, match="git is not installed, or not on the PATH"):
        command.run(["version"], env, Deadline(30))
