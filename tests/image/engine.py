"""Build the image and run it: by Docker where an engine answers, else by buildah and the kernel."""

import json
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.e2e.processes import family

PROJECT = Path(__file__).parents[2]
DOCKERFILE = PROJECT / "container" / "Dockerfile"
BASE = "docker.io/library/python:3.11-slim-bookworm"
SCRATCH = "/tmp"  # noqa: S108 the image's, and the one place there that can be written


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this machine, shown in the container."""

    source: Path
    target: str
    writable: bool = False

    @property
    def mode(self) -> str:
        """As mount(8) and Docker write it."""
        return "rw" if self.writable else "ro"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is run in an image: with no arguments, what the image has for that."""

    arguments: Sequence[str]
    variables: Mapping[str, str]
    mounts: Sequence[Mount]
    user: str

    @property
    def has_scratch(self) -> bool:
        """Whether a mount takes the place of the tmpfs."""
        return any(mount.target == SCRATCH for mount in self.mounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What an engine knows of an image."""

    size_bytes: int
    config: dict[str, Any]
    told: str
    """All of it, the history included."""


@dataclass(frozen=True, slots=True)
class Running:
    """A container, and the process that has its output and ends as it does."""

    name: str
    process: subprocess.Popen[bytes]


class Engine(Protocol):
    """Builds the image, and runs it: read-only but for a tmpfs, in the network of this machine."""

    def build(self, tag: str, context: Path) -> subprocess.CompletedProcess[str]:
        """Build *context*, and return how that ended."""

    def inspect(self, tag: str) -> Image:
        """Return what is known of an image."""

    def command(self, name: str, tag: str, run: Run) -> list[str]:
        """Return the command that runs a container called *name*."""

    def pid(self, running: Running) -> int:
        """Return the PID that the first process of a container has on this machine."""

    def kill(self, running: Running, number: signal.Signals) -> None:
        """Send a signal to the first process of a container; raises if there is none."""

    def remove(self, tag: str) -> None:
        """Remove an image."""


class Docker:
    """Docker does all that by itself."""

    def build(self, tag: str, context: Path) -> subprocess.CompletedProcess[str]:
        return _run("docker", "build", "--tag", tag, "--file", DOCKERFILE, context)

    def inspect(self, tag: str) -> Image:
        told = _output("docker", "image", "inspect", tag)
        history = _output("docker", "history", "--no-trunc", tag)
        [found] = json.loads(told)
        return Image(size_bytes=found["Size"], config=found["Config"], told=told + history)

    def command(self, name: str, tag: str, run: Run) -> list[str]:
        command = ["docker", "run", "--rm", "--name", name, "--network", "host", "--read-only"]
        command += ["--security-opt", "no-new-privileges", "--user", run.user]
        command += [] if run.has_scratch else ["--tmpfs", SCRATCH]
        for mount in run.mounts:
            command += ["--volume", f"{mount.source}:{mount.target}:{mount.mode}"]
        for key, value in run.variables.items():
            command += ["--env", f"{key}={value}"]
        return [*command, tag, *run.arguments]

    def pid(self, running: Running) -> int:
        return int(_output("docker", "inspect", "--format", "{{.State.Pid}}", running.name))

    def kill(self, running: Running, number: signal.Signals) -> None:
        _output("docker", "kill", "--signal", number.name, running.name)

    def remove(self, tag: str) -> None:
        _output("docker", "rmi", tag)


class Buildah:
    """buildah builds and mounts the image; what a runtime does then, the kernel is asked for here.

    buildah's own `run` cannot make the root filesystem read-only, and without a runtime it gives
    no PID namespace either. Needs root.
    """

    def __init__(self) -> None:
        self._containers: dict[str, str] = {}

    def build(self, tag: str, context: Path) -> subprocess.CompletedProcess[str]:
        pull = ["--pull-never"] if _run("buildah", "images", BASE).returncode == 0 else []
        build = ["buildah", "bud", "--isolation", "chroot", *pull]
        return _run(*build, "--tag", tag, "--file", DOCKERFILE, context)

    def inspect(self, tag: str) -> Image:
        told = _output("buildah", "inspect", "--type", "image", tag)
        found = json.loads(told)
        layers = json.loads(found["Manifest"])["layers"]
        size = sum(layer["size"] for layer in layers)
        return Image(size_bytes=size, config=found["OCIv1"]["config"], told=told)

    def command(self, name: str, tag: str, run: Run) -> list[str]:
        config = self.inspect(tag).config
        root = self._root(tag)
        mounts = [*run.mounts, *(Mount(Path(file), file) for file in _OF_THE_MACHINE)]
        for mount in mounts:
            _make_mount_point(mount, Path(f"{root}{mount.target}"))
        scratch = "" if run.has_scratch else SCRATCH
        enter = ["unshare", "--mount", "--pid", "--ipc", "--fork", "sh", "-c", _ENTER, name]
        enter += [root, run.user, config["WorkingDir"], scratch]
        enter += [
            word for mount in mounts for word in (str(mount.source), mount.target, mount.mode)
        ]
        variables = [*config["Env"], *(f"{key}={value}" for key, value in run.variables.items())]
        program = [*config.get("Entrypoint", []), *(run.arguments or config["Cmd"])]
        return [*enter, "--", *variables, *program]

    def pid(self, running: Running) -> int:
        return family(running.process.pid)[1].pid  # unshare's one child

    def kill(self, running: Running, number: signal.Signals) -> None:
        os.kill(self.pid(running), number)

    def remove(self, tag: str) -> None:
        _output("buildah", "rm", self._containers.pop(tag))
        _output("buildah", "rmi", tag)

    def _root(self, tag: str) -> str:
        if tag not in self._containers:
            self._containers[tag] = _output("buildah", "from", "--pull-never", tag).strip()
        return _output("buildah", "mount", self._containers[tag]).strip()


_OF_THE_MACHINE = ("/etc/hosts", "/etc/resolv.conf")
_ENTER = """
set -eu
root=$1 user=$2 folder=$3 scratch=$4; shift 4
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
for writable in /dev/shm $scratch; do
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root$writable"
done
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    mount -o "remount,bind,$3" "$root$2"
    shift 3
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec "$user" --groups= "$root" \
    /usr/bin/env --ignore-environment --chdir="$folder" "$@"
"""
"""Each command but the last has ended when the next begins, and the last one is this process."""


def find() -> Engine:
    """Return the engine that this machine has."""
    if shutil.which("docker") and _run("docker", "info").returncode == 0:
        return Docker()
    assert shutil.which("buildah"), "install Docker or buildah: there is no engine that answers"
    assert os.geteuid() == 0, "no Docker engine answers, and what is done without one needs root"
    return Buildah()


@contextmanager
def started(engine: Engine, tag: str, run: Run) -> Iterator[Running]:
    """Start a container; whatever happens then, it is gone on leaving."""
    name = f"repomill-test-{uuid.uuid4().hex}"
    process = subprocess.Popen(
        engine.command(name, tag, run),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    running = Running(name, process)
    with process:
        try:
            yield running
        finally:
            if process.poll() is None:
                engine.kill(running, signal.SIGKILL)


def _make_mount_point(mount: Mount, place: Path) -> None:
    if mount.source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        # Buildah's default, overlayfs, cannot be had everywhere.
        env={"STORAGE_DRIVER": "vfs", **os.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _output(*command: str | Path) -> str:
    ended = _run(*command)
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout
