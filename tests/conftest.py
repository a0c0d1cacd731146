"""What the tests of the whole command share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from repomill.demo.githost import GitHost
from tests.e2e.command import Command, trusting


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
    """The real `repomill`, for a user who trusts `host`; it must leave no file behind."""
    command = Command(
        home=tmp_path / "home",
        scratch=tmp_path / "scratch",
        folder=tmp_path / "folder",
        variables=trusting(host),
    )
    for folder in (command.home, command.scratch, command.folder):
        folder.mkdir()
    yield command
    assert not list(command.scratch.iterdir())
    assert not list(command.home.iterdir())
