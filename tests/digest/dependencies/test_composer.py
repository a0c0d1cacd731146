import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import composer
from repomill.digest.dependencies.base import ManifestError
from tests.digest.dependencies.commit import files

MANIFEST = {
    "name": "gov/lpa",
    "require": {
        "php": "^8.2",
        "ext-mbstring": "*",
        "Laminas/laminas-diactoros": "^3.0",
        "gov/pinned": "1.4.0",
    },
    "require-dev": {"phpunit/phpunit": "^10.5 || ^11"},
}
LOCK = {
    "packages": [
        {"name": "laminas/laminas-diactoros", "version": "3.3.0"},
        {"name": "gov/branch", "version": "dev-main"},
        {"name": "gov/odd", "version": 3},
        {"name": "gov/odd", "version": "1 0"},
        "odd",
    ],
    "packages-dev": [{"name": "phpunit/phpunit", "version": "v10.5.9"}],
}


def read(**contents):
    names = {"manifest": "app/composer.json", "lock": "app/composer.lock"}
    texts = {
        names[name]: text if isinstance(text, str) else json.dumps(text)
        for name, text in contents.items()
    }
    return composer.read("app/composer.json", files(texts))


def purls(contents):
    return sorted((one.scope.value, one.purl) for one in contents.dependencies)


def test_requirements_with_their_scope_and_range():
    found = read(manifest=MANIFEST).dependencies
    assert sorted((one.scope.value, one.name, one.requirement) for one in found) == [
        ("development", "phpunit/phpunit", "^10.5 || ^11"),
        ("runtime", "ext-mbstring", "*"),
        ("runtime", "gov/pinned", "1.4.0"),
        ("runtime", "laminas/laminas-diactoros", "^3.0"),
        ("runtime", "php", "^8.2"),
    ]


def test_php_and_its_extensions_are_no_packages_of_packagist():
    assert purls(read(manifest=MANIFEST)) == [
        ("development", "pkg:composer/phpunit/phpunit"),
        ("runtime", "pkg:composer/gov/pinned@1.4.0"),
        ("runtime", "pkg:composer/laminas/laminas-diactoros"),
        ("runtime", "pkg:generic/ext-mbstring"),
        ("runtime", "pkg:generic/php"),
    ]


def test_the_lock_file_settles_versions():
    contents = read(manifest=MANIFEST, lock=LOCK)
    assert contents.locked_by == "app/composer.lock"
    assert ("development", "pkg:composer/phpunit/phpunit@v10.5.9") in purls(contents)
    assert ("runtime", "pkg:composer/laminas/laminas-diactoros@3.3.0") in purls(contents)


def test_a_branch_is_the_version_that_is_locked():
    contents = read(manifest={"require": {"gov/branch": "dev-main", "gov/odd": "3"}}, lock=LOCK)
    assert {one.name: one.resolved for one in contents.dependencies} == {
        "gov/branch": "dev-main",
        "gov/odd": None,
    }


@pytest.mark.parametrize(
    ("requirement", "version"),
    [("1.2.3", "1.2.3"), ("=v1.2.3-beta.1", "v1.2.3-beta.1"), ("1.2", None), ("1.2.*", None)],
)
def test_one_exact_version_is_settled_by_the_manifest(requirement, version):
    (dependency,) = read(manifest={"require": {"gov/ui": requirement}}).dependencies
    assert dependency.resolved == version


def test_a_lock_file_that_cannot_be_read_costs_only_the_versions():
    contents = read(manifest=MANIFEST, lock="{")
    assert contents.locked_by is None
    assert contents.problems[0].startswith("composer.lock: no JSON: line 1")
    assert len(list(contents.dependencies)) == 5


def test_what_is_no_requirement_is_a_problem():
    contents = read(manifest={"require": {"gov/ui": 1, "no name": "*"}, "require-dev": "phpunit"})
    assert list(contents.dependencies) == []
    assert list(contents.problems) == [
        "require: no name and range: gov/ui and 1 more",
        "require-dev: no object",
    ]


def test_an_empty_list_stands_for_no_requirements():
    contents = read(manifest={"require": []})
    assert (list(contents.dependencies), list(contents.problems)) == ([], [])


def test_a_damaged_manifest_says_where():
    with pytest.raises(ManifestError, match="no JSON: line 2"):
        read(manifest='{\n"require" {}}')


ANY = st.recursive(
    st.none() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "version", "a/b", "php"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SECTIONS = st.sampled_from(["require", "require-dev", "packages"])
ANY_FILE = st.text(max_size=9) | st.dictionaries(
    SECTIONS, ANY | st.dictionaries(st.text("a/.-", max_size=5), st.text(max_size=8))
).map(json.dumps)


@settings(max_examples=60, deadline=None)
@given(ANY_FILE, ANY_FILE)
def test_whatever_the_files_hold_nothing_else_is_raised(manifest, lock):
    texts = {
        "composer.json": manifest.encode(errors="replace"),
        "composer.lock": lock.encode(errors="replace"),
    }
    try:
        dependencies = list(composer.read("composer.json", files(texts)).dependencies)
    except (ManifestError, ValueError):
        return
    assert all(one.purl.startswith(("pkg:composer/", "pkg:generic/")) for one in dependencies)
