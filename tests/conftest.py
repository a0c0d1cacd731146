"""What the tests of the whole command share."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import trustme

from repomill.demo.githost import GitHost
from tests.e2e.command import Command, trusting
from tests.s3.seaweedfs import SeaweedFS


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """The certificate authority that the user of `run` trusts."""
    return trustme.CA()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder whose repositories `host` serves."""
    root = tmp_path / "repositories"
    root.mkdir()
    return root


@pytest.fixture
def host(root: Path, ca: trustme.CA) -> Iterator[GitHost]:
    """A git host of the test's own, so that no script or request of another is in it."""
    with GitHost(root, ca=ca) as host:
        yield host


@pytest.fixture
def run(tmp_path: Path, host: GitHost) -> Iterator[Command]:
    """The real `repomill`, for a user who trusts `host`; it must leave no file but in the cache."""
    command = Command(
        home=tmp_path / "home",
        scratch=tmp_path / "scratch",
        folder=tmp_path / "folder",
        variables={**trusting(host), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    for folder in (command.home, command.scratch, command.folder):
        folder.mkdir()
    yield command
    assert not list(command.scratch.iterdir())
    assert not list(command.home.iterdir())


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[SeaweedFS]:
    """An S3 server that many tests share: each has a `bucket` of its own, and none kills it."""
    with SeaweedFS() as server:
        yield server


@pytest.fixture
def bucket(seaweedfs: SeaweedFS) -> str:
    """The name of an empty bucket in `seaweedfs`."""
    return seaweedfs.make_bucket(f"bucket-{uuid4().hex}")
