"""What a worker may be made to do by what it works on; called by name, in the sandbox."""

import ctypes
import os
import re
import resource
import signal
from pathlib import Path


def write(text):
    Path("out").write_text(text)


def fail(_):
    raise RuntimeError("on purpose")


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def wait(_):
    Path("started").touch()
    signal.pause()


def hang_in_c(_):
    re.match(r"(a+)+$", "a" * 64 + "b")


def hang_without_the_interpreter(_):
    ctypes.PyDLL(None).pause()


def eat_memory(_):
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


def fill_disk(_):
    with Path("file").open("wb") as file:
        while True:
            file.write(bytes(1 << 16))


def escape(_):
    """Leave the session twice, deaf to SIGTERM, with a child that is another program."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", "86400"])  # noqa: S606 no shell is the point
        signal.pause()
    signal.pause()


def fork_and_end(_):
    """Leave a process behind and end well."""
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "86400"])  # noqa: S606 no shell is the point


def show_environment(_):
    Path("environment").write_bytes(Path("/proc/self/environ").read_bytes())
    Path("own").write_text(repr(dict(os.environ)))


def show_limits(_):
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
    Path("limits").write_text(repr([resource.getrlimit(kind)[0] for kind in kinds]))


def show_memory(ending):
    """Look for what another call was told; of *ending* alone there is a copy here."""
    wanted = b"canary" + b"-" + ending.encode()
    with Path("/proc/self/maps").open() as maps, Path("/proc/self/mem").open("rb") as memory:
        for line in maps:
            first, last = (int(number, 16) for number in line.split()[0].split("-"))
            if " rw" not in line:
                continue
            memory.seek(first)
            try:
                found = memory.read(last - first).count(wanted)
            except OSError:
                continue
            if found > 1:  # one is the text that is looked for
                Path("found").touch()
                return
    Path("clean").touch()
