"""Which manifests of a commit are read, in which order, and how many."""

import pytest

from repomill.digest import dependencies
from repomill.digest.dependencies import (
    MAX_DEPENDENCIES,
    MAX_FOLDERS,
    MAX_MANIFESTS,
    find,
    is_read,
    read_all,
)
from repomill.digest.linguist import Nature, nature
from tests.digest.dependencies.commit import all_source, files


def test_what_is_built_comes_before_what_it_runs_on_and_the_root_first():
    paths = [
        *(".github/workflows/a.yml", "Dockerfile", "a/b/package.json", "go.mod", "main.tf"),
        *("a/requirements-dev.txt", "a/requirements.txt", "package.json"),
    ]

    found = [path for path, _ecosystem in find(sorted(paths), all_source)]

    assert found == [
        *("go.mod", "package.json", "a/requirements.txt", "a/requirements-dev.txt"),
        *("a/b/package.json", "Dockerfile", "main.tf", ".github/workflows/a.yml"),
    ]


def test_what_others_wrote_is_not_read():
    commit = files(dict.fromkeys(PACKAGES, '{"dependencies": {"a": "1"}}'))

    assert [one.path for one in read_all(commit, nature)] == ["app/package.json"]


PACKAGES = ("app/package.json", "node_modules/a/package.json", "dist/package.json")


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("src/main/resources/package.json", True),
        ("src/test/package.json", True),
        ("src/integrationTest/resources/a/package.json", False),
        ("src/sbt-test/a/b/package.json", False),
        ("e2e/fixtures/package.json", False),
        ("a/__fixtures__/package.json", False),
        ("{{cookiecutter.project}}/package.json", False),
    ],
)
def test_what_tests_read_and_templates_are_no_manifests(path, is_one):
    assert is_read(path, nature) is is_one


def test_no_more_than_so_many_of_an_ecosystem_are_read_and_the_rest_is_counted():
    modules = {f"m{number}/go.mod": "module m\n" for number in range(MAX_MANIFESTS + 2)}
    commit = files({**modules, "Dockerfile": "FROM a:1\n"})

    docker, go = read_all(commit, all_source)

    assert (docker.ecosystem, go.ecosystem) == ("Docker", "Go")
    assert go.problems == (
        "not read, like 1 more: too many or too large together, or too deep in folders",
    )


def test_a_manifest_in_too_many_folders_is_named_and_not_read():
    package = '{"dependencies": {"a": "1"}}'
    deep = "a/" * (MAX_FOLDERS + 1) + "package.json"
    told = read_all(files({"a/package.json": package, deep: package}), all_source)

    assert [(one.path, len(one.dependencies)) for one in told] == [("a/package.json", 1), (deep, 0)]
    assert told[1].problems[0].startswith("not read")


def test_no_more_dependencies_than_so_many_are_told():
    asked = {f"name{number}": "1" for number in range(4_000)}
    text = str({"dependencies": asked}).replace("'", '"')
    commit = files({f"p{number:02}/package.json": f"{text} " for number in range(27)})

    told = read_all(commit, all_source)

    assert sum(len(one.dependencies) for one in told) == MAX_DEPENDENCIES
    assert told[-1].problems == (
        "not read, like 1 more: too many or too large together, or too deep in folders",
    )


def test_lock_files_are_read_unless_they_are_somebody_elses():
    assert is_read("a/yarn.lock", nature)
    assert is_read("a/package.json", nature)
    assert not is_read("node_modules/a/yarn.lock", nature)
    assert not is_read("a/video.bin", nature)


def test_every_ecosystem_has_a_name_of_its_own():
    names = [ecosystem.NAME for ecosystem in dependencies.ECOSYSTEMS]

    assert len(set(names)) == len(names)
    assert nature("a.go") is Nature.SOURCE
