"""Manifests of one odd text: what takes it apart, or copies it, takes no longer than for others."""

import json
import time

import pytest

from repomill.digest.dependencies import Manifest, read_all
from repomill.digest.dependencies.origins import without_credentials
from tests.digest.dependencies.commit import all_source, files

pytestmark = pytest.mark.no_cover  # it takes most of their time, and they are about time

_MAX_SECONDS = 15
"""Of CPU: many times what it takes, and less than without the bounds."""


def first(tree):
    """Return the first manifest of the commit *tree*, read in a bounded time."""
    commit = files(tree)
    started = time.process_time()
    read = next(iter(read_all(commit, all_source)), Manifest(path="", ecosystem=""))
    assert time.process_time() - started < _MAX_SECONDS
    return read


WHEEL = "https://example.org/a-1-" + "-".join(
    ".".join(f"{kind}{number}" for number in range(150)) for kind in "abc"
)


@pytest.mark.parametrize("line", [f"{WHEEL}.whl", f"a @ {WHEEL}.whl"])
def test_what_a_wheel_is_built_for_is_not_written_out(line):
    first({"requirements.txt": line})


def test_a_wheel_for_several_platforms_tells_its_version():
    line = "https://example.org/a_b-1.0-2-py2.py3-none-linux_x86_64.manylinux1_x86_64.whl"
    (dependency,) = first({"requirements.txt": line}).dependencies
    assert (dependency.name, dependency.resolved) == ("a-b", "1.0")


def test_a_string_of_toml_may_have_many_quotes_in_it():
    text = 'package.name = "a"\ndependencies.b = "1"\na = "' + '\\"' * 60_000 + '"'
    assert [one.name for one in first({"Cargo.toml": text}).dependencies] == ["b"]


DIRECTIVES = "".join(f"%TAG !{number}! a\n" for number in range(70_000)) + "--- image"


@pytest.mark.parametrize("path", ["compose.yaml", ".github/workflows/a.yml"])
def test_more_directives_of_yaml_than_anyone_has_are_refused(path):
    (problem,) = first({path: DIRECTIVES}).problems
    assert "directives" in problem


def test_credentials_are_looked_for_in_linear_time():
    started = time.process_time()
    for _ in range(10_000):
        without_credentials(":/" * 140 + " ?#@=")
    assert time.process_time() - started < _MAX_SECONDS


def test_a_message_is_no_longer_than_can_be_shown():
    text = "[project.optional-dependencies]\n"
    text += "\n".join(f'"{number}{":" * 40_000}" = ["!"]' for number in range(5))
    problems = first({"pyproject.toml": text}).problems
    assert max(map(len, problems)) < 1_100


def numbered(text, count, between="\n"):
    return between.join(text.format(number) for number in range(count))


PROPERTY = "<PropertyGroup><x>" + "1" * 100_000 + "</x></PropertyGroup>"
REFERENCES = numbered('<PackageReference Include="a{}" Version="' + "$(x)" * 200 + '"/>', 500)
POM = "<project><groupId>g</groupId><artifactId>{}</artifactId><version>1</version>{}</project>"
PARENT = "<parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent>"
LONG = {
    "catalog of Gradle": {
        "build.gradle": "dependencies {\n" + "api libs.x\n" * 2_000 + "}",
        "gradle/libs.versions.toml": '[libraries]\nx = "a:' + "b" * 250_000 + '"',
    },
    "catalog of pnpm": {
        "package.json": json.dumps({"dependencies": {f"a{n}": "catalog:" for n in range(1_000)}}),
        "pnpm-workspace.yaml": "catalog:\n  b: &b "
        + "1" * 150_000
        + "\n"
        + numbered("  a{}: *b", 1_000),
    },
    "module of Go": {
        "go.mod": "module m\nreplace a => b/"
        + "c" * 150_000
        + " v1\nrequire (\n"
        # a version each, as if of one module
        + numbered("a v{}", 5_000)
        + "\n)"
    },
    "property of MSBuild": {
        "a.csproj": f"<Project>{PROPERTY}<ItemGroup>{REFERENCES}</ItemGroup></Project>"
    },
}


@pytest.mark.parametrize("tree", LONG.values(), ids=LONG)
def test_a_long_text_that_many_share_is_not_copied_for_each(tree):
    first(tree)


IMPORT = "<dependency><groupId>z</groupId><artifactId>q{}</artifactId><version>1</version>"
IMPORT += "<type>pom</type><scope>import</scope></dependency>"
LONG_NAME = f"<artifactId>{'${{n}}' * 249}</artifactId><type>{'${{n}}' * 249}{{}}</type>"
SHARED = {
    "imports": "<dependencyManagement><dependencies>"
    + numbered(IMPORT, 6_000)
    + "</dependencies></dependencyManagement>",
    "expressions": "<dependencies>"
    + numbered(f"<dependency>{LONG_NAME}</dependency>", 400)
    + "</dependencies>",
}


@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
def test_what_a_parent_has_for_each_of_its_children_is_bounded(shared):
    children = {f"d{n}/pom.xml": POM.format(f"c{n}", PARENT) for n in range(300)}
    commit = files({"pom.xml": POM.format("p", shared), **children})
    read = read_all(commit, all_source)
    assert "declarations are looked at" in read[-1].problems[0]
