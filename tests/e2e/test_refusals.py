"""Sources that cannot be digested: what is said of each, and that nothing else happens."""

import os
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from repomill.demo.behaviours import (
    Behaviour,
    Corrupt,
    Cut,
    Delay,
    Garbage,
    Part,
    Redirect,
    Stall,
    Status,
)
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from tests.e2e.command import Ended, trusting

ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="git"'}
CANARY = "canary"
"""Stands where a secret may stand: it must not be repeated."""
UNSPEAKABLE_HOST = "a" * 64 + ".example"
"""No resolver is asked for a name with so long a label (RFC 1035, 2.3.4)."""

NO_URLS = {
    "": "use https://HOST/OWNER/NAME",
    "git@example.org:owner/name.git": "use https://HOST/OWNER/NAME",
    "ssh://git@example.org/owner/name": "only https:// is fetched",
    "http://example.org/owner/name": "only https:// is fetched",
    "file:///etc": "only https:// is fetched",
    f"https://user:{CANARY}@example.org/owner/name": "use REPOMILL_TOKENS",
    "https://example.org/owner": "owner and name are missing",
    f"https://example.org/owner/name?token={CANARY}": "take out the query",
    "https://example.org/owner/na\nme": "cannot be in it",
    "https://example.org/owner/..": "'..' cannot be part",
    "https://example.org:99999/owner/name": "host or port cannot be read",
    "https://github.com/owner/name/issues": "on GitHub only",
    "https://example.org/owner/name/tree/--upload-pack=x": "no branch, tag or full commit SHA",
    "--upload-pack=x": "No such option",
    "/there/is/no/such/folder": "there is no such folder",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What a host does to a repository that is there, and what is to be said of it."""

    behaviour: Behaviour
    error_class: str
    advice: str
    on: Part = "any"
    options: tuple[str, ...] = ()


SOON = ("--timeout", "3")
FAULTS = {
    "missing": Fault(Status(404), "not_found", "check the URL"),
    "gone": Fault(Status(410), "not_found", "check the URL"),
    "private": Fault(Status(401, CHALLENGE), "auth", "set REPOMILL_TOKENS"),
    "private, no challenge": Fault(Status(401), "auth", "set REPOMILL_TOKENS"),
    "forbidden": Fault(Status(403), "auth", "check that the token may read"),
    "rate limited": Fault(Status(429, {"Retry-After": "7"}), "rate_limited", "try later"),
    "taken down": Fault(Status(451), "blocked", "the host has closed this repository"),
    "defective": Fault(Status(500), "network", "try again later"),
    "overloaded": Fault(Status(503), "network", "try again later"),
    "page": Fault(Garbage(b"<html>Log in"), "corrupt", "check the URL in a browser"),
    "garbage": Fault(
        Garbage(b"\0\xff" * 99, ADVERTISEMENT), "corrupt", "check the URL in a browser"
    ),
    "nothing": Fault(Garbage(b"", ADVERTISEMENT), "network", "try again later"),
    "silence": Fault(Delay(60), "timeout", "give it longer with --timeout", options=SOON),
    "cut references": Fault(Cut(10), "network", "try again later"),
    "page for pack": Fault(
        Garbage(b"<html>"), "corrupt", "check the URL in a browser", on="git-upload-pack"
    ),
    "damaged pack": Fault(Corrupt(), "corrupt", "run git fsck", on="git-upload-pack"),
    "cut pack": Fault(Cut(1000), "network", "try again later", on="git-upload-pack"),
    "stalled pack": Fault(
        Stall(1000), "timeout", "give it longer with --timeout", "git-upload-pack", SOON
    ),
}

REDIRECTS = {
    "OTHER/owner/name{rest}": ("blocked", "name it with --allow-host"),
    "https://169.254.169.254/owner/name{rest}": ("blocked", "no public address"),
    "http://example.org/owner/name{rest}": ("blocked", "only https is followed"),
    "file:///etc/passwd": ("blocked", "only https is followed"),
    "HOST/test/redirect{rest}": ("blocked", "use the final URL"),
    "HOST/users/sign_in": ("not_found", "give a token"),
    f"https://user:{CANARY}@example.org/owner/name{{rest}}": ("not_found", "check the URL"),
}

PRIVATE = ("127.1", "[::ffff:169.254.169.254]")


def assert_refused(ended: Ended, error_class: str, advice: str) -> None:
    """See that the repository failed for this reason, and that the user learns what to do."""
    assert ended.code == 1
    assert ended.stdout == b""
    assert [line["message"] for line in ended.log][:1] == ["Processing repository"]
    assert ended.last["message"] == "Processing failed"
    assert ended.last["level"] == "error"
    assert ended.last["error_class"] == error_class
    assert advice in ended.last["error"]
    assert "Traceback" not in ended.stderr
    assert CANARY not in ended.stderr


def write_noise(root: Path) -> None:
    """Write `owner/name`, whose pack is more than pipes and sockets hold."""
    noise = random.Random(0).randbytes(300_000)
    write_repository(root / "owner" / "name.git", {"noise": noise})


def git(*arguments: object, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Demo", "-c", "user.email=demo@example.org", *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        input=stdin,
        env={"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.strip()


def write_loose(path: Path, *options: str) -> None:
    """Write a repository whose objects are a file each."""
    git("init", "--bare", "--quiet", "--initial-branch=main", *options, path)
    blob = git("-C", path, "hash-object", "-w", "--stdin", stdin="text")
    tree = git("-C", path, "mktree", stdin=f"100644 blob {blob}\tfile\n")
    commit = git("-C", path, "commit-tree", "-m", "Add file", tree)
    git("-C", path, "update-ref", "refs/heads/main", commit)


@pytest.mark.parametrize(("source", "advice"), NO_URLS.items(), ids=ascii)
def test_what_is_no_url_is_a_matter_of_usage(run, source, advice):
    ended = run("digest", source)

    assert ended.code == 2
    assert ended.stdout == b""
    last = ended.stderr.splitlines()[-1]
    assert re.match("Error: .", last)
    assert advice in last
    assert "Traceback" not in ended.stderr
    assert CANARY not in ended.stderr


@pytest.mark.parametrize("source", ["~nobody-of-this-name/name", "a" * 300])
def test_what_cannot_be_a_path_is_a_matter_of_usage(run, source):
    ended = run("digest", source)

    assert ended.code == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_a_host_does_is_explained(host, run, root, fault):
    write_noise(root)
    host.script("owner/name", fault.behaviour, on=fault.on)

    ended = run("digest", host.url("owner/name"), *fault.options, REPOMILL_ATTEMPTS="1")

    assert_refused(ended, fault.error_class, fault.advice)


@pytest.mark.parametrize("location", REDIRECTS)
def test_a_redirect_is_followed_only_where_a_url_may_lead(host, run, root, ca, location):
    error_class, advice = REDIRECTS[location]
    write_noise(root)
    with GitHost(root, ca=ca) as other:
        there = location.replace("HOST/", host.url("")).replace("OTHER/", other.url(""))
        host.script("test/redirect", Redirect(there))

        ended = run("digest", host.url("test/redirect"))

        assert other.requests == []
    assert_refused(ended, error_class, advice)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_in_every_spelling(run, address):
    ended = run("digest", f"https://{address}/owner/name")

    assert_refused(
        ended, "blocked", f"if you trust it, name it with --allow-host {address.strip('[]')}"
    )


def test_allowing_a_host_with_a_port_allows_no_other_port(host, run, root, ca):
    with GitHost(root, ca=ca) as other:
        ended = run("digest", other.url("owner/name"))

        assert other.requests == []
    assert_refused(ended, "blocked", "name it with --allow-host")


def test_an_unknown_host_is_named(run):
    ended = run("digest", f"https://{UNSPEAKABLE_HOST}/owner/name")

    assert_refused(ended, "network", f"{UNSPEAKABLE_HOST} has no address; check the spelling")


def test_a_host_that_is_down_may_come_back(root, run, ca):
    with GitHost(root, ca=ca) as closed:
        url, variables = closed.url("owner/name"), trusting(closed)

    assert_refused(run("digest", url, **variables), "network", "")


@pytest.mark.parametrize("what", ["name", "authority"])
def test_a_certificate_that_proves_nothing_is_refused(host, run, root, ca, what):
    names = ["other.example"] if what == "name" else ["localhost"]
    authority = ca if what == "name" else trustme.CA()
    write_noise(root)
    with GitHost(root, names=names, ca=authority) as impostor:
        ended = run("digest", impostor.url("owner/name"), **trusting(host, impostor))

        assert impostor.requests == []
    assert_refused(ended, "network", "check the host's certificate")


@pytest.mark.parametrize("ref", ["no-such-name", "f" * 40])
def test_a_missing_branch_tag_or_commit_is_not_found(host, run, root, ref):
    write_noise(root)

    ended = run("digest", f"{host.url('owner/name')}/tree/{ref}")

    assert_refused(ended, "not_found", "check what follows /tree/")


@pytest.mark.parametrize("local", [False, True])
def test_an_empty_repository_has_a_status_and_no_error_class(host, run, root, local):
    path = root / "owner" / "empty.git"
    git("init", "--bare", "--quiet", path)

    ended = run("digest", path if local else host.url("owner/empty"))

    assert (ended.code, ended.stdout) == (1, b"")
    assert ended.last["message"] == "Repository is empty"
    assert ended.last["level"] == "warning"
    assert ended.last["status"] == "empty"
    assert "error_class" not in ended.last
    assert "the repository holds no commit" in ended.last["error"]


@pytest.mark.parametrize("local", [False, True])
def test_sha_256_objects_are_unsupported(host, run, root, local):
    path = root / "owner" / "sha256.git"
    write_loose(path, "--object-format=sha256")

    ended = run("digest", path if local else host.url("owner/sha256"))

    assert_refused(ended, "unsupported", "SHA-256 objects")


def test_a_folder_that_is_no_repository_is_not_found(run, tmp_path):
    ended = run("digest", tmp_path)

    assert_refused(ended, "not_found", "name its top folder or its .git folder")


@pytest.mark.parametrize(
    "what",
    [
        "HEAD:file",
        "HEAD",
    ],
)
def test_a_damaged_local_repository_is_corrupt(run, root, what):
    path = root / "owner" / "name.git"
    write_loose(path)
    sha = git("-C", path, "rev-parse", what)
    damaged = path / "objects" / sha[:2] / sha[2:]
    damaged.chmod(0o600)
    damaged.write_bytes(b"damaged")

    ended = run("digest", path)

    assert_refused(ended, "corrupt", "run git fsck")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REPOMILL_TOKENS", CANARY),
        ("GITHUB_TOKEN", f"{CANARY} {CANARY}"),
        ("REPOMILL_ALLOW_HOST", "https://example.org"),
        ("REPOMILL_MAX_FILE_SIZE", "much"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(host, run, variable, value):
    ended = run("digest", host.url("owner/name"), **{variable: value})

    assert ended.code == 2
    assert variable.removeprefix("REPOMILL_").replace("_", "-") in ended.stderr.upper().replace(
        "_", "-"
    )
    assert "Traceback" not in ended.stderr
    assert CANARY not in ended.stderr
    assert host.requests == []
