"""The image is built once; then its programs run in it, for a user that it does not know."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from repomill.demo.githost import GitHost
from tests.e2e.command import Ended, end_of
from tests.image import engine
from tests.image.engine import PROJECT, Engine, Image, Mount, Run, Running
from tests.s3.seaweedfs import SeaweedFS

TAG = "localhost/repomill:test"
ANY_USER = "12345:0"
CA_FILE = "/mnt/ca.pem"
BUILT = pytest.StashKey[str]()


@dataclass(frozen=True, kw_only=True)
class Program:
    """Runs the programs of the image."""

    engine: Engine
    run: Run
    words: Sequence[str] = ()
    """What each of them begins with."""

    def __call__(self, *arguments: str, **variables: str) -> Ended:
        """Run one to its end, with further environment *variables*."""
        with self.start(*arguments, **variables) as running:
            return end_of(running.process)

    def start(self, *arguments: str, **variables: str) -> AbstractContextManager[Running]:
        """Start one; it is gone on leaving."""
        variables = {**self.run.variables, **variables}
        run = replace(self.run, arguments=[*self.words, *arguments], variables=variables)
        return engine.started(self.engine, TAG, run)

    def with_mounts(self, *mounts: Mount) -> "Program":
        """Return the same with further mounts."""
        return replace(self, run=replace(self.run, mounts=[*self.run.mounts, *mounts]))


@pytest.fixture(scope="session")
def builder() -> Engine:
    """What builds and runs images here."""
    return engine.find()


@pytest.fixture(scope="session")
def image(builder: Engine, pytestconfig: pytest.Config) -> Iterator[Image]:
    """The image, made from this project, by a user whose environment holds secrets."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("GITHUB_TOKEN", "REPOMILL_TOKENS", "R2_ACCESS_KEY", "R2_SECRET_KEY"):
            environment.setenv(name, "canary")
        begun = time.monotonic()
        built = builder.build(TAG, PROJECT)
        seconds = time.monotonic() - begun
    assert built.returncode == 0, built.stdout + built.stderr
    found = builder.inspect(TAG)
    pytestconfig.stash[BUILT] = (
        f"{found.size_bytes / 1e6:.0f} MB, built in {seconds:.0f} s by {type(builder).__name__}"
    )
    yield found
    builder.remove(TAG)


@pytest.fixture
def program(builder: Engine, image: Image, host: GitHost) -> Program:
    """The programs of the image, for a user who trusts `host`."""
    variables = {"GIT_SSL_CAINFO": CA_FILE, "REPOMILL_ALLOW_HOST": host.authority}
    mounts = [Mount(host.ca_file, CA_FILE)]
    run = Run(arguments=(), variables=variables, mounts=mounts, user=ANY_USER)
    return Program(engine=builder, run=run)


@pytest.fixture
def ingest(program: Program, seaweedfs: SeaweedFS, bucket: str) -> Program:
    """`python ingest.py`, for the same user, who has a bucket too."""
    variables = {**program.run.variables, **seaweedfs.variables(bucket)}
    run = replace(program.run, variables=variables)
    return replace(program, run=run, words=("python", "ingest.py"))


@pytest.fixture
def everybodys(tmp_path: Path) -> Path:
    """A folder in which everybody may write."""
    folder = tmp_path / "everybody's"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how large the image is, and how long it took."""
    if built := config.stash.get(BUILT, None):
        terminalreporter.write_line(f"Image: {built}")
