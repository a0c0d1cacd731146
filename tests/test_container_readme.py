"""The container's README stays true: it names what there is, and nothing that there is not."""

import re
from pathlib import Path

import click

from repomill.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, cli
from repomill.errors import EmptyError, RepoError
from repomill.run import TOO_MANY_FAILURES
from repomill.stores.bucket import R2_VARIABLES

README = Path(__file__).parents[1].joinpath("container", "README.md").read_text()
NO_OPTIONS = {"REPOMILL_FEED", "REPOMILL_SHARDS", "REPOMILL_TOKENS"}


def test_it_names_every_variable():
    known = {
        str(parameter.envvar)
        for parameter in cli.commands["run"].params
        if isinstance(parameter, click.Option)
    }

    assert set(re.findall(r"\bREPOMILL_[A-Z_]+[A-Z]\b", README)) == known | NO_OPTIONS
    assert set(re.findall(r"\bR2_[A-Z_]+[A-Z]\b", README)) == set(R2_VARIABLES)


def test_it_names_every_class_of_errors():
    troubles = README.partition("## Troubleshooting")[2]

    known = {kind.error_class for kind in RepoError.__subclasses__()} - {EmptyError.error_class}
    assert set(re.findall(r"^\| `(\w+)` \|", troubles, re.MULTILINE)) == known


def test_it_names_every_exit_code():
    codes = README.partition("## Exit codes")[2].partition("\n## ")[0]

    ours = {0, EXIT_FAILED, EXIT_USAGE, TOO_MANY_FAILURES, EXIT_INTERRUPTED}
    said = re.findall(r"^\| (\d[\d, ]*) \|", codes, re.MULTILINE)
    assert {int(code) for codes in said for code in codes.split(",")} == ours | {137, 143}
