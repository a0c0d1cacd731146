"""No reader tells a credential that somebody left in a manifest."""

import json

import pytest

from repomill.digest.dependencies import read_all
from repomill.digest.dependencies.paragraph import paragraph
from tests.digest.dependencies.commit import all_source, files

ADDRESSES = (
    "https://me:SEKRET@e.example/a.git",
    "https://SEKRET@e.example/a.git",
    "git+https://me:SEKRET@e.example/a.git",
    "git://me:SEKRET@e.example/a.git?access_token=SEKRET",
    "https://e.example/a.git?private_token=SEKRET",
    "https://e.example/a.tgz?X-Amz-Signature=SEKRET&X-Amz-Credential=SEKRET",
    "https://e.example/a.tgz#token=SEKRET",
    "https://me:SEK/SEKRET@e.example/a.tgz",
    "https:/me:SEKRET@e.example/a.tgz",
    "https:\\\\me:SEKRET@e.example/a.tgz",
    "git+https://github.com/o/b.git?token=SEKRET#v1",
    "git+https://github.com/o/b.git#egg=b&access_token=SEKRET",
    "git+https://github.com/o/b.git#subdirectory=a&token=SEKRET",
    "git+ssh://git@SEKRET@e.example/a.git",
    "//me:SEKRET@e.example/a.git",
    "me:SEKRET@e.example/a/b.git",
    f"https://me:{'SEKRET' * 20}@e.example/a.git",
    f"https://me:{'SEKRET' * 60}@e.example/a.git",
    f"https://me:SEK/{'SEKRET' * 60}@e.example/a.tgz",
)


POM = """<project><dependencies><dependency>
    <groupId>g</groupId><artifactId>a</artifactId><version>{}</version>
</dependency></dependencies></project>"""
PROJECT = """<Project><ItemGroup>
    <PackageReference Include="a" Version="{}"/>
</ItemGroup></Project>"""


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"dependencies": {"a": %s}}'),
        ("composer.json", '{"require": {"v/a": %s}}'),
        ("Cargo.toml", '[package]\nname = "p"\n[dependencies]\na = {git = %s, tag = "v1"}\n'),
        ("Gemfile", 'gem "a", git: %s, branch: "main"\n'),
        ("pyproject.toml", "[tool.poetry.dependencies]\na = {git = %s}\n"),
        (
            "pyproject.toml",
            'project.dependencies = ["a"]\n[tool.uv.sources]\na = {git = %s, tag = "v1"}\n',
        ),
        ("pyproject.toml", 'project.dependencies = ["a"]\n[tool.uv.sources]\na = {url = %s}\n'),
        ("build.gradle", "dependencies { implementation 'g:a:' + %s }\n"),
        ("build.sbt", 'libraryDependencies += "g" %% "a" %% %s\n'),
        ("main.tf", 'module "a" {\n  source = %s\n}\n'),
        (".github/workflows/a.yml", "jobs: {a: {steps: [{uses: %s}]}}\n"),
        ("compose.yml", "services: {a: {image: %s}}\n"),
    ],
)
def test_an_address_loses_its_credentials(path, text, address):
    assert_kept(path, text % json.dumps(address))


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "a @ {}\n"),
        ("requirements.txt", "{}\nb\n"),
        ("Dockerfile", "FROM {}\nFROM me:SEKRET@e.example/img:1\n"),
        ("pom.xml", POM),
        ("a.csproj", PROJECT),
        ("go.mod", "module m\nrequire a.example/b v1.0.0\nreplace a.example/b => {} v1.0.0\n"),
        ("Gemfile", 'gem "a", github: "me:SEKRET@o/a"\ngem "b", git: "{}"\n'),
    ],
)
def test_an_address_without_quotes_loses_them_too(path, text, address):
    assert_kept(path, text.replace("{}", address.replace("&", "&amp;")))


@pytest.mark.parametrize("times", [20, 60, 200])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", "FROM me:{}@e.example/img:1"),
        ("compose.yml", "services: {a: {image: 'me:{}@e.example/img'}}"),
        (".github/workflows/a.yml", "jobs: {a: {steps: [{uses: 'docker://me:{}@e.example/i'}]}}"),
        ("main.tf", 'module "a" {\n  source = "o/a/b//https://me:{}@e.example/"\n}\n'),
    ],
)
def test_a_long_password_is_not_told_in_part(path, text, times):
    assert_kept(path, text.replace("{}", "SEKRET" * times))


def assert_kept(path: str, text: str) -> None:
    told = read_all(files({path: text}), all_source)
    purls = [dependency.purl for manifest in told for dependency in manifest.dependencies]
    assert "SEKRET" not in f"{told} {purls} {paragraph(told).decode()}"
