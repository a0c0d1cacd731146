"""Small manifests that ask for much: of themselves, of what lies beside, of what others share.

At the size that limits allow, each took ten seconds and more, or gigabytes, before what it
multiplies was bounded. They are smaller here, where that still shows.
"""

import json
import time

import pytest

from repomill.digest.dependencies import MAX_BYTES, MAX_DEPENDENCIES, read_all
from repomill.digest.dependencies.base import Files, ManifestError
from repomill.digest.dependencies.origins import without_credentials
from repomill.digest.dependencies.sbt.names import Budget
from tests.digest.dependencies.commit import all_source, files

pytestmark = pytest.mark.no_cover  # it takes most of their time, and they are about time

_MAX_SECONDS = 15
"""Of CPU: many times what it takes, and less than without the bounds."""


def lines(*texts):
    return "\n".join(texts)


def numbered(text, count, between="\n"):
    return between.join(text.format(number) for number in range(count))


def alike(text, path, count=2_000):
    return {path.format(number): text for number in range(count)}


def told(tree):
    """Return the problems of the first manifest of the commit *tree*, read in a bounded time."""
    commit = files(tree)
    started = time.process_time()
    first = next(iter(read_all(commit, all_source)), None)
    assert time.process_time() - started < _MAX_SECONDS
    return " ".join(first.problems) if first else ""


MODULES = "val a = Seq(" + numbered('"g" % "n{}" % "1"', 1_500, ", ") + ")\n"
ADDS = "\nlibraryDependencies ++= "
SBT = {
    "parameters": "def f("
    + numbered("p{}: T", 3_000, ", ")
    + ") = {"
    + "libraryDependencies += x;" * 300
    + "}\n"
    + "f(1);" * 1_000,
    "names": MODULES + ADDS + "Seq(" + "a, " * 5_000 + ")",
    "selections": MODULES + ADDS + "Seq(" + "a.b, " * 4_000 + ")",
    "product": "val a = Seq(" + numbered('"a{}"', 4_000, ", ") + ")" + ADDS + "a % a",
    "bound": MODULES + "def f(x: T) = { val b = 1; Seq(" + "b, " * 5_000 + ") }" + ADDS + "f(a)",
}


@pytest.mark.parametrize("text", SBT.values(), ids=SBT)
def test_an_sbt_build_that_takes_too_many_steps_is_refused(text):
    assert "too intricate" in told({"build.sbt": text})


def test_objects_of_sbt_that_hold_each_other_are_told_apart_at_once():
    nested = (f"def f{n}(x: T, y: T) = {{ object o {{}}; f{n + 1}(o, o) }}" for n in range(30))
    told({"build.sbt": lines(*nested, "libraryDependencies ++= f0(1, 2)")})


def test_all_sbt_builds_together_are_bounded():
    with pytest.raises(ManifestError, match="too intricate"):
        Budget(steps=10, together=Budget(steps=1)).spend(2)


def script(inside, before=""):
    return {"build.gradle": before + "\ndependencies {\n" + inside + "\n}"}


GRADLE = {
    "each": script("a " + "each " * 30_000),
    "lists": script("api x\n" * 6_000, "def x = [name: 1, " + "1, " * 8_000 + "]"),
    "sums": script("api x\n" * 6_000, "def x = 'a'" + "+ b" * 8_000),
    "loops": script('[1].each { api "a:b:$y" }\n' * 1_500, "def y = 'a'" + "+ b" * 8_000),
    "keys": script(
        "", "def x = ['" + "k" * 500_000 + "': [" + numbered("a{}: 1", 8_000, ", ") + "]]"
    ),
    "bundles": {
        **script("api libs.bundles.x\n" * 3_000),
        "gradle/libs.versions.toml": '[libraries]\na = "a:b"\n[bundles]\nx = ['
        + "'a'," * 30_000
        + "]",
    },
    "locks": {
        **script("api 'a:b'\n" * 3_000),
        "gradle.lockfile": numbered("a:b:{}=c", 50_000),
    },
    "names": script(
        numbered("a{} 'x:y:1'", 3_000),
        "x" * 300_000 + ".extendsFrom " + numbered("a{}", 3_000, ", "),
    ),
    "below": alike("allprojects { dependencies { odd 'a:b:1' } }", "a{}.gradle", 500),
}


@pytest.mark.parametrize("tree", GRADLE.values(), ids=GRADLE)
def test_a_gradle_script_is_read_in_bounded_time(tree):
    told(tree)


DOUBLED = "x=[f()]\n" + "x+=x\n" * 16
PYTHON = {
    "sources": {
        "requirements.txt": "a\n# via\n" + numbered("#  -r a{}.txt", 2_000),
        **alike(numbered("p{}", 3_000) + "\n# via a", "a{}.txt"),
    },
    "comments": {
        "requirements.txt": numbered("-r c{}.txt", 60),
        **alike("a\n# via " + "x," * 200_000, "c{}.txt", 60),
    },
    "addresses": {"requirements.txt": "https" + "://a:b" * 30_000},
    "address": {"pyproject.toml": 'tool.poetry.dependencies.a.url = "h' + "://a:b" * 30_000 + '"'},
    "files": {
        "setup.cfg": "[options]\ninstall_requires = file: " + "a.in," * 40_000,
        "a.in": numbered("-r e{}.in", 49),
        **alike("", "e{}.in", 49),
    },
    "calls": {"setup.py": DOUBLED + "setup(install_requires=x)\n" * 1_000},
    "extras": {
        "setup.py": DOUBLED + "setup(extras_require={" + numbered("'{}':x", 1_000, ",") + "})"
    },
}


@pytest.mark.parametrize("tree", PYTHON.values(), ids=PYTHON)
def test_a_manifest_of_python_is_read_in_bounded_time(tree):
    told(tree)


def test_a_short_program_takes_few_steps():
    text = DOUBLED + "setup(install_requires=['a'])"
    assert "too long to work out" in told({"setup.py": text})
    assert "too long to work out" not in told({"setup.py": text + "#" * 20_000})


def test_a_text_that_is_taken_apart_again_and_again_takes_steps():
    text = "x='" + "a " * 15_000 + "'\nsetup(install_requires=[" + "x.split()," * 200 + "])"
    assert "too long to work out" in told({"setup.py": text})


def test_a_password_with_slashes_is_taken_out_as_before():
    told_without = without_credentials("x://u:p/w@h/a@b y://h:80/c@1 z://u:1/2@h")
    assert told_without == "x://b y://h:80/c@1 z://u:1/2@h"


ELSEWHERE = {
    "declarations": {"pom.xml": "<project><dependencies><dependency/></dependencies></project>"},
    "lines of requirements": {"setup.cfg": "[options]\ninstall_requires=file: a.in", "a.in": "a"},
    "central packages": {
        "a.csproj": '<Project><ItemGroup><PackageReference Include="a"/></ItemGroup></Project>',
        "Directory.Packages.props": '<Project><ItemGroup><A Include="a"/></ItemGroup></Project>',
    },
    "characters of setup.py": {"setup.py": ""},
    "characters of requirements": {"requirements.txt": "a"},
    "steps of Ruby": {"Gemfile": "gem 'a'"},
    "gems of Gemfiles": {"Gemfile": "gemspec", "a.gemspec": "s.add_dependency 'a'"},
    "bytes of Gradle's scripts": {"build.gradle": "dependencies { }"},
    "arguments in Gradle's scripts": {"build.gradle": "dependencies { api 'a:b:1' }"},
}


@pytest.mark.parametrize(("what", "tree"), ELSEWHERE.items(), ids=ELSEWHERE)
def test_what_lies_elsewhere_is_looked_at_no_more_when_too_much_was(what, tree):
    commit = files(tree)
    commit.spend(what, 50 << 20, 50 << 20)

    (first, *_) = read_all(commit, all_source)

    assert f"{what} are looked at for one repository" in first.problems[0]


def test_dependencies_without_names_count_among_those_that_are_read_of_a_repository():
    poms = "<dependency><artifactId>${{a{}}}</artifactId></dependency>"
    text = "<project><dependencies>" + numbered(poms, 4_000, "") + "</dependencies></project>"
    read = read_all(files(alike(text, "d{}/pom.xml", 30)), all_source)
    assert len(read) == 1 + MAX_DEPENDENCIES // 4_000
    assert "not read" in read[-1].problems[0]


def test_a_bom_is_found_by_its_version_or_where_a_variable_stands_for_it():
    bom = "<project><groupId>g</groupId><artifactId>b</artifactId><version>{}</version></project>"
    versions = ("1", "2", "${v}", "3")
    boms = {f"b{place}/pom.xml": bom.format(one) for place, one in enumerate(versions)}
    imported = "<groupId>g</groupId><artifactId>b</artifactId><type>pom</type><scope>import</scope>"
    manages = "".join(
        f"<dependency>{imported}<version>{one}</version></dependency>" for one in "29"
    )
    text = f"<dependencies>{manages}</dependencies>"
    manages = f"<project><dependencyManagement>{text}</dependencyManagement></project>"

    assert read_all(files({"pom.xml": manages, **boms}), all_source) == []
    del boms["b2/pom.xml"]
    (told_of,) = read_all(files({"pom.xml": manages, **boms}), all_source)
    assert [one.requirement for one in told_of.dependencies] == ["9"]


def reference(change, names, inner=""):
    return f'<PackageReference {change}="{names}">{inner}</PackageReference>'


def project(*items):
    return f"<Project><ItemGroup>{''.join(items)}</ItemGroup></Project>"


NUGET = {
    "updates": {
        "a.csproj": project(reference("Include", "a;" * 100), reference("Update", "a;" * 100_000))
    },
    "metadata": {
        "a.csproj": project(
            reference("Include", numbered("a{}", 15_000, ";"), numbered("<m{}/>", 3_000, "")),
            reference("Update", numbered("a{}", 6_000, ";")),
        )
    },
    "central": {
        "a.csproj": project(reference("Include", numbered("a{}", 250, ";")) * 100),
        "Directory.Packages.props": project(
            reference("Include", numbered("a{}", 250, ";")).replace("Reference", "Version") * 100
        ),
    },
}


@pytest.mark.parametrize("tree", NUGET.values(), ids=NUGET)
def test_more_changes_of_items_than_anyone_makes_are_refused(tree):
    assert "more than 20000 items" in told(tree)


def test_changes_of_all_projects_together_are_bounded():
    names = "<PropertyGroup><x>" + "a;" * 400 + "</x></PropertyGroup>"
    text = names + project(reference("Include", "$(x)") * 45).removeprefix("<Project>")
    read = read_all(files(alike("<Project>" + text, "d{}/a.csproj", 60)), all_source)
    assert "more than 1000000 items" in read[-1].problems


def test_workspaces_that_are_no_list_are_not_looked_at_for_each_member():
    root = json.dumps({"workspaces": dict.fromkeys(map(str, range(20_000)), 1)})
    roots = {"a/" * n + "package.json": root for n in range(20)}
    locks = {"a/" * n + "yarn.lock": "" for n in range(20)}
    told({**roots, **locks, **alike("{}", "a/" * 20 + "d{}/package.json", 300)})


def test_a_tool_of_many_folders_is_looked_for_among_the_modules_alone():
    told({"go.mod": "module x\ntool " + "a/" * 120_000 + "\nrequire a v1 // indirect\n"})


def test_modules_of_terraform_are_looked_at_in_bounded_number():
    text = 'provider "aws" {}\n' + numbered('module "m" {{\n source = "./{}"\n}}', 1_000)
    commit = files(alike(text, "d/f{}.tf", 400))
    assert "modules and providers of folders" in read_all(commit, all_source)[0].problems[0]


@pytest.mark.parametrize(
    ("path", "text", "most"),
    [
        ("go.mod", "module x\nrequire (\n" + "a v1\n" * 15_001 + ")", "15000 requirements"),
        ("packages.config", "<packages>" + '<package id="a"/>' * 20_001 + "</packages>", "20000"),
        (
            "dotnet-tools.json",
            json.dumps({"tools": dict.fromkeys(map(str, range(20_001)))}),
            "20000",
        ),
    ],
)
def test_more_than_anyone_has_is_refused(path, text, most):
    assert f"more than {most}" in told({path: text})


def test_importers_without_end_are_refused():
    manifest, lock = '{"dependencies": {"a": "1"}}', "importers:\n" + "  a:\n" * 200_001
    assert "lines about importers" in told({"package.json": manifest, "pnpm-lock.yaml": lock})


def test_a_long_resolution_that_many_manifests_share_counts_for_none():
    root = {"workspaces": ["p/*"], "resolutions": {"a": "x" * 500_000}}
    tree = {"package.json": json.dumps(root), "yarn.lock": 'ms@1:\n  version "1.0.0"\n'}
    manifest = json.dumps({"dependencies": {"a": "1"}})
    started = time.process_time()
    read = read_all(files({**tree, **alike(manifest, "p/{}/package.json")}), all_source)

    assert time.process_time() - started < _MAX_SECONDS
    assert {one.requirement for manifest in read for one in manifest.dependencies} == {"1"}


def test_manifests_that_are_equal_count_each_towards_what_is_read_of_a_repository():
    text = '{"dependencies": {"a": "1"}}' + " " * (200 << 10)
    read = read_all(files(alike(text, "d{}/package.json", 130)), all_source)
    assert len(read) == 1 + MAX_BYTES // 2 // len(text)  # of npm's each byte counts as two
    assert "not read" in read[-1].problems[0]


def test_what_manifests_share_is_refused_past_its_bound():
    commit: Files = files({})
    commit.spend("lines", 10, 10)
    with pytest.raises(ManifestError, match="more than 10 lines"):
        commit.spend("lines", 1, 10)
    assert commit.size("nowhere") == 0


WORDS = "%w[a b c d e f g h i j].each {{ |{}| "
LOOPS = "".join(map(WORDS.format, "abc")) + "gem c; " * 7 + "}}}"


def test_a_short_file_of_ruby_takes_few_steps():
    assert "repeats itself too often" in told({"Gemfile": LOOPS})
    assert told({"Gemfile": LOOPS + "#" * 24_000}) == ""


def test_all_files_of_ruby_together_are_bounded():
    tree = {f"d{number}/Gemfile": f"{LOOPS}#{number}" for number in range(200)}
    read = read_all(files(tree), all_source)
    assert "steps of Ruby are looked at" in read[-1].problems[0]
    assert "repeats itself too often" in read[0].problems[0]


def test_what_takes_longer_to_read_counts_more_often():
    text = 'val a = "a"\n' + " " * (100 << 10)
    read = read_all(files(alike(text, "d{}/build.sbt", 11)), all_source)
    assert [one.problems[0].partition(":")[0] for one in read] == ["not read"]


def test_elements_without_text_are_refused():
    assert "more elements" in told({"pom.xml": "<project>" + "<a/>" * 4_000 + "</project>"})


def test_what_was_asked_for_longest_ago_is_forgotten_past_a_bound():
    commit, parsed = files({f"{n}": str(n).ljust(4 << 20) for n in range(4)}), []

    def parse(text):
        parsed.append(text[0])
        return text[0]

    for path in "0102" + "0" * 100 + "3" + "012":
        assert commit.parsed(path, parse, 5 << 20) == path

    assert "".join(parsed) == "012312"
