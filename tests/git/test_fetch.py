"""What is fetched afterwards, over real HTTP."""

import os
from dataclasses import replace
from random import Random

import pygit2
import pytest

from repomill import urls
from repomill.deadline import Deadline
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from repomill.errors import TooLargeError
from repomill.git import fetch
from repomill.git.fetch import Fetched, FetchOptions
from repomill.network import NetworkRules

LARGE = Random(0).randbytes(300_000)
PATIENCE_SECONDS = 60


@pytest.fixture
def options(host: GitHost) -> FetchOptions:
    return FetchOptions(
        blob_limit_bytes=1000,
        network=NetworkRules(allowed=frozenset({host.authority}), ca_file=str(host.ca_file)),
        environ={"PATH": os.environ["PATH"]},
    )


@pytest.fixture
def fetched(tmp_path, root, host, options) -> Fetched:
    write_repository(root / "owner" / "name.git", {"large": LARGE})
    repo = urls.parse(host.url("owner/name"))
    return fetch.fetch(repo, tmp_path / "repo.git", options, Deadline(PATIENCE_SECONDS))


def blobs(oids, fetched, options) -> bool:
    return fetch.fetch_blobs(fetched, oids, options, Deadline(PATIENCE_SECONDS))


@pytest.fixture
def large() -> str:
    return str(pygit2.hash(LARGE))


def test_a_blob_over_the_limit_comes_when_it_is_asked_for(fetched, options, large):
    assert large not in pygit2.Repository(fetched.path)

    assert blobs([large], fetched, options)

    assert pygit2.Repository(fetched.path)[large].read_raw() == LARGE


def test_a_blob_that_the_host_does_not_give_is_no_failure(fetched, options):
    assert not blobs(["0" * 39 + "1"], fetched, options)


def test_a_disk_that_is_full_is_no_reason_to_go_on_without(tmp_path, fetched, options, large):
    """Else the digest would depend on the machine."""
    program = tmp_path / "git"
    said = (
        "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output"
    )
    program.write_text(f"#!/bin/sh\necho '{said}' >&2; exit 128\n")
    program.chmod(0o755)
    full = replace(options, environ={"PATH": f"{tmp_path}:{os.environ['PATH']}"})

    with pytest.raises(TooLargeError, match="TMPDIR"):
        blobs([large], fetched, full)
