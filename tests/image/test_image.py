"""The container image: what is in it, and its programs in it, as an orchestrator runs them."""

import json
import re
import signal
from pathlib import Path

import pytest

from repomill import __version__
from repomill.demo.behaviours import Stall
from repomill.demo.repositories import write_repository
from tests.e2e.command import PATIENCE_SECONDS, end_of
from tests.e2e.processes import family, outlived
from tests.image.engine import DOCKERFILE, PROJECT, SCRATCH, Mount

pytestmark = pytest.mark.image

TOOLS = ("cc", "c++", "gcc", "g++", "clang", "ld", "make", "pip", "pip3", "hatchling", "wheel")
MODULES = ("ensurepip", "hatchling", "pip", "setuptools", "wheel")
FIND_MODULES = f"""
import importlib.util
print([name for name in {MODULES} if importlib.util.find_spec(name)])
"""


def test_a_bucket_gets_the_digest(ingest, host, root, seaweedfs, bucket):
    commit = write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})

    ended = ingest(host.url("owner/name"))

    assert ended.code == 0, ended.stderr
    assert ended.outcome["success"] is True
    assert ended.outcome["commit"] == commit
    key = ended.outcome["key"]
    assert key == "gitingest/owner/name/summary.txt"
    stored = seaweedfs.objects(bucket)
    assert list(stored) == [key, "metadata/owner/name.json"]
    assert stored[key].body.startswith(b"Repository: owner/name\n")
    assert stored[key].content_type == "text/plain; charset=utf-8"
    assert stored[key].metadata["url"] == host.url("owner/name")
    assert stored[key].metadata["commit"] == commit
    assert json.loads(stored["metadata/owner/name.json"].body)["commit"] == commit
    assert seaweedfs.secret_key not in ended.stderr


def test_the_parts_of_a_feed_make_it_whole(ingest, host, root, seaweedfs, bucket, tmp_path):
    names = [f"owner/name{number}" for number in range(5)]
    for name in names:
        write_repository(root / f"{name}.git", {"README.md": name.encode()})
    feed = tmp_path / "feed.txt"
    feed.write_text("\n".join(map(host.url, names)))
    part = ingest.with_mounts(Mount(feed, "/mnt/feed.txt"))

    ended = [
        part("--batch-size", "2", "--offset", offset, REPOMILL_FEED="/mnt/feed.txt")
        for offset in ("0", "1")
    ]

    assert [one.code for one in ended] == [0, 0], [one.stderr for one in ended]
    assert sum(one.stdout.count(b"\n") for one in ended) == len(names)
    stored = [key for key in seaweedfs.keys(bucket) if key.startswith("gitingest/")]
    assert stored == [f"gitingest/{name}/summary.txt" for name in names]


def test_without_a_bucket_the_digests_folder_takes_it(program, host, root, everybodys):
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})

    mounted = program.with_mounts(Mount(everybodys, "/app/digests", writable=True))
    ended = mounted("python", "ingest.py", host.url("owner/name"))

    assert ended.code == 0, ended.stderr
    digest = everybodys / ended.outcome["key"]
    assert digest.read_text().startswith("Repository: owner/name\n")


def test_a_digest_can_be_had_on_stdout(program, host, root):
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})

    ended = program("repomill", "digest", host.url("owner/name"))

    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith(b"Repository: owner/name\n")


def test_a_missing_repository_fails(ingest, host):
    ended = ingest(host.url("owner/missing"))

    assert ended.code == 1
    assert ended.outcome["error_class"] == "not_found"


def test_half_a_bucket_is_a_matter_of_usage(ingest, host, seaweedfs):
    ended = ingest(host.url("owner/name"), R2_ENDPOINT="", R2_SECRET_KEY="")

    assert (ended.code, ended.stdout) == (2, b"")
    named = re.findall(r"R2_[A-Z_]+", ended.stderr)
    assert sorted(set(named)) == ["R2_ENDPOINT", "R2_SECRET_KEY"]
    assert seaweedfs.access_key not in ended.stderr
    assert host.requests == []


def test_told_to_end_it_does_so_itself_and_leaves_nothing(
    builder, ingest, host, root, seaweedfs, bucket, everybodys
):
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})
    host.script("owner/name", Stall())
    mounted = ingest.with_mounts(Mount(everybodys, SCRATCH, writable=True))

    with mounted.start(host.url("owner/name")) as running:
        host.wait_for_requests(1, timeout_seconds=PATIENCE_SECONDS)
        first = builder.pid(running)
        assert number_in_its_namespace(first) == 1
        assert list(everybodys.iterdir())
        with outlived(family(first)):
            builder.kill(running, signal.SIGTERM)
            stopped = end_of(running.process)

    assert stopped.code == 143
    assert "Traceback" not in stopped.stderr
    assert list(everybodys.iterdir()) == []
    assert seaweedfs.objects(bucket) == {}


def test_the_version_is_this_one(program):
    ended = program("repomill", "--version")

    assert ended.code == 0
    assert ended.stdout.decode().strip().endswith(__version__)


@pytest.mark.parametrize("arguments", [(), ("repomill", "--help")], ids=["nothing", "help"])
def test_it_tells_how_it_is_used(program, arguments):
    ended = program(*arguments)

    assert ended.code == 0
    assert b"Usage: repomill" in ended.stdout


def test_the_first_process_is_the_program_and_not_root_s(program):
    ended = program("python", "-c", "import os; print(os.getpid(), os.getuid())")

    assert ended.stdout.split() == [b"1", b"12345"]


def test_a_user_is_named_by_a_number_that_is_not_root_s(image):
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.config["User"])


@pytest.mark.parametrize("place", ["/app/digests", "/var/tmp"])  # noqa: S108
def test_where_everybody_may_write_nothing_can_be_written(program, place):
    ended = program("sh", "-c", f"echo > {place}/new")

    assert ended.code != 0
    assert "Read-only file system" in ended.stderr


def test_no_tool_that_builds_is_left(program):
    ended = program("sh", "-c", f"for tool in {' '.join(TOOLS)}; do command -v $tool; done; true")

    assert (ended.code, ended.stdout) == (0, b"")


@pytest.mark.parametrize("python", ["/opt/repomill/bin/python", "/usr/local/bin/python"])
def test_no_module_that_builds_is_left(program, python):
    ended = program(python, "-c", FIND_MODULES)

    assert (ended.code, ended.stdout) == (0, b"[]\n")


def test_of_the_project_only_what_runs_is_in_it(program):
    unwanted = r"find / -xdev \( -name .git -o -name .venv -o -name 'test_ingest*' \) 2>&-; true"

    assert program("ls", "-A", "/app").stdout.split() == [b"digests", b"ingest.py"]
    assert program("sh", "-c", unwanted).stdout == b""


def test_nothing_is_compiled_when_it_starts(program):
    ended = program("python", "-v", "-c", "import repomill.cli, repomill.stores.s3")

    assert ended.code == 0
    assert re.search(r"^# code object from '/.*\.pyc'$", ended.stderr, re.MULTILINE)
    assert not re.findall(r"^# code object from (/.*\.py)$", ended.stderr, re.MULTILINE)


def test_no_secret_of_who_built_it_is_in_it(image):
    assert "canary" not in image.told


def test_a_wrong_context_is_told_what_to_run(builder):
    ended = builder.build("localhost/repomill:wrong", PROJECT / "container")

    assert ended.returncode != 0
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if line.endswith(advice())]
    assert len(said) == 1


def advice() -> str:
    """Return what the Dockerfile says of a wrong context."""
    words = re.search(r'echo "(.*)" >&2', DOCKERFILE.read_text())
    assert words
    assert words[1].endswith("docker build -t repomill -f container/Dockerfile .")
    return words[1]


def number_in_its_namespace(pid: int) -> int:
    """Return the PID that a process has in the innermost of its namespaces."""
    [numbers] = re.findall(
        r"^NSpid:\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
    )
    return int(numbers.split()[-1])
