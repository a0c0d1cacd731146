"""The README stays true: its commands run, and its table names the options there are."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from repomill.cli import cli
from repomill.demo.repositories import write_repository

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text()
COMMANDS = re.findall(r"^\$ ((?:repomill|python container).*)$", README, re.MULTILINE)
MAKE = re.findall(r"^\$ make (\w+)", README, re.MULTILINE)


def test_the_commands_to_begin_with_are_make_s():
    assert MAKE == ["demo", "test"]
    makefile = (PROJECT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in MAKE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_does_what_it_says(line, run, root, host, tmp_path):
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})
    (run.folder / "repos.json").write_text(f'[{{"url": "{host.url("owner/name")}"}}]')
    ours = re.sub(
        r"https://\S+?(?=/-/tree| |$)|\balphagov/whitehall\b", host.url("owner/name"), line
    )
    ours = ours.replace("~/src/project", str(root / "owner" / "name.git"))
    ours = re.sub(r"^repomill", shlex.quote(run.program[0]), ours)
    ours = re.sub(
        r"^python container", f"{Path(run.program[0]).parent}/python {PROJECT}/container", ours
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", ours],
        cwd=run.folder,
        env=run.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_table_names_every_option_and_its_default():
    shown = set(re.findall(r"`(--[a-z-]+)", README))
    known = {
        option
        for name in ("digest", "inspect", "run", "status")
        for parameter in cli.commands[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--")
    }
    unsaid = {"--output", "--no-redact"}  # -o is; the other waits for what it rules
    assert known - shown - unsaid == set()
    assert shown - known - {"--batch-size", "--offset"} == set()  # those are of ingest.py
