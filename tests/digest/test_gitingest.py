"""gitingest over a view: as over a checkout, and without its hold on the process."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from repomill.digest import gitingest, view
from repomill.digest.gitingest import DEFAULT_PATTERNS
from repomill.digest.view import Folder
from repomill.errors import CorruptError, DigestError
from repomill.model import Entry, Kind

# Imports repomill's gitingest where a program has set up logging for itself.
IMPORT = """
import logging, os, sys, threading, time
stream = logging.StreamHandler(sys.stdout)
root, other = logging.getLogger(), logging.getLogger("other")
root.addHandler(stream)
root.setLevel(logging.ERROR)
other.addHandler(own := logging.NullHandler())
other.propagate = False
logging.getLogger("other.place.holder")

import repomill.digest.gitingest
from gitingest.utils.logging_config import get_logger

assert root.handlers == [stream], root.handlers
assert root.level == logging.ERROR, root.level
assert other.handlers == [own], other.handlers
assert not other.propagate
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
# What has ended is still listed for a moment.
end = time.monotonic() + 30
while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < end:
    os.sched_yield()
assert len(os.listdir("/proc/self/task")) == 1
get_logger("a").critical("gitingest speaks")
root.error("the program speaks")
"""

# The unchanged gitingest over a checkout; without its count of tokens, which needs the network.
CHECKOUT = """
import json, sys
from gitingest import ingestion, output_formatter
from types import SimpleNamespace
from pathlib import Path
output_formatter._format_token_count = lambda text: None
path = Path(sys.argv[1])
query = SimpleNamespace(
    local_path=path, subpath="/", slug=path.name, type=None, user_name=None, branch=None, tag=None,
    commit=None, max_file_size=10**6, ignore_patterns=None, include_patterns=None,
)
print(json.dumps(ingestion.ingest_query(query)[1:]))
"""

NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["# Title"]},
            {
                "cell_type": "code",
                "source": ["print(1)\n", "print(2)"],
                "outputs": [{"output_type": "stream", "text": ["1\n", "2\n"]}],
            },
        ]
    }
)
ORDINARY: Mapping[str, bytes] = {
    ".hidden": b"hidden\n",
    ".github/workflow.yml": b"on: push\n",
    "README.md": b"# Title\n",
    "Zebra.txt": b"upper case\n",
    "apple.txt": b"lower case",
    "data.bin": b"\x89PNG\r\n\x1a\n\0\xff",
    "docs/deep/er/a.txt": "é".encode() * 3,
    "docs/readme": b"not at the top\n",
    "dos.txt": b"one\r\ntwo\r\n",
    "empty.txt": b"",
    "long.txt": b"0123456789abcdef" * 200,
    "notebook.ipynb": NOTEBOOK.encode(),
    "nul.txt": b"a\0b\n",
}


def python(program: str, *arguments: str | Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={"LC_ALL": "C.UTF-8", **variables},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Ingested:
    tree: str
    blocks: list[bytes]

    @property
    def content(self) -> str:
        return gitingest.BETWEEN_BLOCKS.join(self.blocks).decode()


def ingest_view(root: Folder) -> Ingested:
    structure = gitingest.structure(root)
    return Ingested(structure.tree, [gitingest.block(leaf) for leaf in structure.leaves])


def ingest(contents: Mapping[str, bytes], links: Mapping[str, bytes] | None = None) -> Ingested:
    everything = {**contents, **(links or {})}
    entries = [
        Entry(
            path.encode(),
            Kind.FILE if path in contents else Kind.LINK,
            "1" * 40,
            len(everything[path]),
        )
        for path in sorted(everything)
    ]
    return ingest_view(view.build("root", entries, lambda entry: everything[entry.path.decode()]))


@pytest.mark.parametrize("variables", [{}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}], ids=len)
def test_importing_it_leaves_logging_and_threads_alone(variables):
    assert python(IMPORT, **variables) == "the program speaks\n"


def test_a_view_gives_what_a_checkout_gives(tmp_path):
    checkout = tmp_path / "root"
    links = {"link": b"docs/deep", "docs/up": b"../README.md"}
    for path, content in ORDINARY.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes(content)
    for path, target in links.items():
        (checkout / path).symlink_to(target.decode())

    tree, content = json.loads(python(CHECKOUT, checkout).splitlines()[-1])
    ingested = ingest(ORDINARY, links)

    assert ingested.tree == tree
    assert ingested.content == content


def test_a_block_is_that_of_its_entry():
    root = view.build("root", [Entry(b"b", Kind.FILE, "1" * 40, 1)], lambda _entry: b"text")

    (leaf,) = gitingest.structure(root).leaves

    assert leaf.entry.path == b"b"
    assert gitingest.block(leaf) == b"\n".join([b"=" * 48, b"FILE: b", b"=" * 48, b"text\n\n"])


def test_two_views_do_not_share_their_leaves():
    assert [len(ingest({"a": b"1"}).blocks), len(ingest({"b": b"2", "c": b"3"}).blocks)] == [1, 2]


def test_what_is_not_shown_of_a_folder_is_said_in_its_last_line():
    entries = [Entry(path, Kind.FILE, "1" * 40, 0) for path in (b".a/b", b"z")]
    root = view.build("root", entries, lambda _entry: b"", {"": "… 2 more files", "c": "… 1 more"})

    ingested = ingest_view(root)

    assert ingested.tree.splitlines()[2:] == [
        "    ├── z",
        "    ├── c/",
        "    │   └── … 1 more",
        "    ├── .a/",
        "    │   └── b",
        "    └── … 2 more files",
    ]
    assert len(ingested.blocks) == 2


def test_nothing_gives_an_empty_tree():
    assert ingest({}) == Ingested("Directory structure:\n└── root/\n", [])


def test_a_character_on_the_border_of_its_first_look_is_no_sign_of_a_binary():
    text = "x" * 1023 + "é"

    assert text in ingest({"a": text.encode()}).content


def test_its_own_limits_are_lifted():
    files = {f"{number:05}": b"" for number in range(10_001)}
    deep = "/".join("d" * 30) + "/file"

    ingested = ingest({**files, deep: b"found"})

    assert len(ingested.blocks) == 10_002
    assert "found" in ingested.content


def test_a_link_is_shown_with_the_last_name_of_its_target():
    tree = ingest({}, {"a": b"../../etc/passwd", "b": b"x/two\nlines", "c": b""}).tree

    assert [line[4:] for line in tree.splitlines()[2:]] == [
        "├── a -> passwd",
        '├── b -> "two\\nlines"',
        "└── c -> ",
    ]


@pytest.mark.parametrize("path", ["file.txt", "notebook.ipynb", "link"])
def test_what_cannot_be_read_is_no_text_in_a_digest(path):
    def failing(entry: Entry) -> bytes:
        raise CorruptError(f"object {entry.oid} cannot be read")

    kind = Kind.LINK if path == "link" else Kind.FILE
    root = view.build("root", [Entry(path.encode(), kind, "1" * 40, 1)], failing)

    with pytest.raises(CorruptError):
        ingest_view(root)


def test_a_defect_of_gitingest_is_told_as_one():
    def failing(_entry: Entry) -> bytes:
        raise ValueError("an assumption that does not hold")

    root = view.build("root", [Entry(b"file.txt", Kind.FILE, "1" * 40, 1)], failing)

    with pytest.raises(DigestError, match="gitingest failed: an assumption that does not hold"):
        ingest_view(root)
    assert ingest({"a": b"works again"}).blocks


def test_a_lone_surrogate_is_written_out():
    notebook = r'{"cells": [{"cell_type": "code", "source": ["\ud800"]}]}'

    assert b"\n\\ud800\n" in ingest({"a.ipynb": notebook.encode()}).blocks[0]
    assert gitingest.encode("é") == "é".encode()


def test_its_default_patterns_come_in_one_order_and_negate_nothing():
    assert list(DEFAULT_PATTERNS) == sorted(set(DEFAULT_PATTERNS))
    assert "node_modules" in DEFAULT_PATTERNS
    assert not [pattern for pattern in DEFAULT_PATTERNS if pattern.startswith("!")]
