"""How the dependencies of a repository are printed."""

import json
from dataclasses import replace

from repomill import inventory
from repomill.show_dependencies import as_json, as_table
from tests.making_metadata import COMMIT, dependency, manifest, metadata

FOUND = inventory.read(
    metadata(
        [
            manifest(
                "package.json",
                dependency("pkg:npm/express", "^4.18.0", "4.19.2"),
                dependency("pkg:npm/jest", "[red]29[/red]", scope="development"),
                locked_by="package-lock.json",
            ),
            manifest("empty/package.json"),
            manifest("bad/package.json", problems=("no JSON: \x1b[2J line 7",)),
        ]
    )
)


def test_the_json_is_what_the_metadata_tell():
    shown = json.loads(as_json(FOUND))

    told = json.loads(metadata())
    assert list(shown) == ["repository", "url", "commit", "manifests", "dependencies"]
    assert {name: shown[name] for name in ("repository", "url", "commit")} == {
        name: told[name] for name in ("repository", "url", "commit")
    }
    assert shown["manifests"][0] == {
        "path": "package.json",
        "ecosystem": "npm",
        "locked_by": "package-lock.json",
        "problems": [],
    }
    assert shown["dependencies"][0] == {
        "manifest": "package.json",
        "purl": "pkg:npm/express@4.19.2",
        "name": "express",
        "range": "^4.18.0",
        "resolved": "4.19.2",
        "scope": "runtime",
    }


def test_people_get_a_table_for_each_manifest_that_says_anything(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")  # how people say it to every program

    lines = as_table(FOUND, coloured=False).decode().splitlines()

    assert lines == [
        f"owner/name at {COMMIT[:12]}",
        "2 direct dependencies in 3 manifests",
        "",
        "package.json (npm, locked by package-lock.json)",
        "Scope        Dependency  Range          Resolved",
        "runtime      express     ^4.18.0        4.19.2",
        "development  jest        [red]29[/red]",
        "",
        "bad/package.json (npm)",
        r'problem: "no JSON: \033[2J line 7"',
    ]


def test_a_table_in_a_file_folds_no_name(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    long = replace(FOUND.dependencies[0], name="long-" * 60, range="^1" * 60)

    lines = as_table(replace(FOUND, dependencies=(long,)), coloured=False).decode().splitlines()

    assert f"runtime  {long.name}  {long.range}  4.19.2" in lines


def test_colours_are_only_for_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")

    assert b"\x1b[32m" in as_table(FOUND, coloured=True)
    assert b"\x1b" not in as_table(FOUND, coloured=False)


def test_a_repository_without_manifests_says_so():
    table = as_table(inventory.read(metadata()), coloured=False)

    assert table.splitlines()[1:] == [b"no manifest that is read"]
