"""`repomill inspect SOURCE`: what would be in a digest, and why."""

import json
import os
import subprocess

import jsonschema
import pytest

from repomill.demo.repositories import write_repository
from tests.digest.test_metadata_schema import SCHEMA

FILES = {
    "README.md": b"# What it is for\n\nSee src/main.py.\n",
    "package.json": b'{"name": "name"}\n',
    "src/main.py": b"print()\n" * 30,
    "src/big.py": b"value = 1\n" * 900,
    "tests/test_main.py": b"assert True\n" * 200,
    "x.log": b"1\n",
}


@pytest.fixture
def url(root, host) -> str:
    write_repository(root / "owner" / "name.git", FILES)
    address: str = host.url("owner/name")
    return address


def test_files_come_ranked_with_the_rules_that_gave_their_scores(run, url):
    ended = run("inspect", url, "--max-size", "4KiB")

    assert ended.code == 0, ended.stderr
    shown = json.loads(ended.stdout)
    jsonschema.validate(shown, SCHEMA)
    paths = [file["path"] for file in shown["files"]]
    assert paths[:3] == ["README.md", "package.json", "src/main.py"]
    assert paths[-1] == "x.log"
    assert [file.get("rank") for file in shown["files"]] == [1, 2, 3, 4, 5, None]
    for file in shown["files"][:-1]:
        assert file["points"] + sum(file["adjustments"].values()) == file["score"]
    assert shown["files"][2]["adjustments"]["pointed at"] > 0
    states = {file["path"]: file["state"] for file in shown["files"]}
    assert (states["README.md"], states["src/big.py"]) == ("included", "cut")


def test_it_tells_of_the_digest_that_would_be_made(run, url, tmp_path):
    metadata = tmp_path / "metadata.json"
    run("digest", url, "--max-size", "4KiB", "--metadata", metadata)

    shown = json.loads(run("inspect", url, "--max-size", "4KiB").stdout)

    known = ("rank", "score", "rule", "why", "points", "adjustments")
    files = [{k: v for k, v in file.items() if k not in known} for file in shown.pop("files")]
    made = json.loads(metadata.read_bytes())
    assert sorted(files, key=lambda file: str(file["path"])) == made.pop("files")
    assert shown == made


def test_people_see_a_tree(run, url):
    ended = run("inspect", url, "--max-size", "4KiB", "--format", "tree", COLUMNS="100")

    assert ended.code == 0, ended.stderr
    text = ended.stdout.decode()
    assert "owner/name at " in text
    assert "manifest 900" in text
    assert "└── " in text
    assert "big.py  cut, source" in text
    assert "x.log  left out, pattern" in text


def test_a_terminal_gets_the_tree_in_colour(run, url):
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        with subprocess.Popen(
            [*run.program, "inspect", url],
            cwd=run.folder,
            env={**run.environment(), "TERM": "xterm-256color"},
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        ) as process:
            os.close(theirs)
            shown = read_to_end(terminal)
        assert process.returncode == 0
    assert "owner/name at " in shown
    assert "\x1b[32m" in shown, "green"


def read_to_end(terminal) -> str:
    pieces = []
    while piece := read_some(terminal):
        pieces.append(piece)
    return b"".join(pieces).decode()


def read_some(terminal) -> bytes:
    try:
        piece: bytes = terminal.read(4096)
    except OSError:  # Linux's word for the end of a terminal
        return b""
    return piece


def test_what_cannot_be_inspected_is_said(run, host):
    ended = run("inspect", host.url("owner/none"))

    assert ended.code == 1
    assert ended.stdout == b""


@pytest.mark.parametrize("size", ["4095", "1KiB", "0", "much", "nan"])
def test_a_size_that_is_none_or_too_small_is_refused(run, url, size):
    ended = run("digest", url, "--max-size", size)

    assert ended.code == 2
    assert "--max-size" in ended.stderr
    assert size in ended.stderr
