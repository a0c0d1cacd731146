"""The dependencies of a repository, as its metadata object tells them."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill import inventory
from repomill.digest import dependencies
from repomill.errors import NoInventoryError
from repomill.inventory import Dependency, Manifest
from tests.making_metadata import COMMIT, dependency, manifest, metadata

MANIFESTS = (
    manifest(
        "package.json",
        dependency("pkg:npm/express", "^4.18.0", "4.19.2"),
        dependency("pkg:npm/%40types/node", "*", scope="development"),
        locked_by="package-lock.json",
    ),
    manifest("odd\n/package.json", problems=("no JSON\x1b[2J",)),
)
WHOLE = metadata(MANIFESTS)


def test_all_that_is_told_is_read():
    found = inventory.read(WHOLE)

    assert (found.repository, found.url) == ("owner/name", "https://github.com/owner/name")
    assert (found.commit, found.committed) == (COMMIT, "2026-11-01T12:00:00Z")
    assert found.manifests == [
        Manifest(path="package.json", ecosystem="npm", locked_by="package-lock.json", problems=[]),
        Manifest(
            path=r'"odd\n/package.json"',
            ecosystem="npm",
            locked_by=None,
            problems=[r'"no JSON\033[2J"'],
        ),
    ]
    assert found.dependencies == [
        Dependency(
            manifest="package.json",
            purl="pkg:npm/express@4.19.2",
            name="express",
            range="^4.18.0",
            resolved="4.19.2",
            scope="runtime",
        ),
        Dependency(
            manifest="package.json",
            purl="pkg:npm/%40types/node",
            name="@types/node",
            range="*",
            resolved=None,
            scope="development",
        ),
    ]


def test_a_repository_may_have_no_manifests_and_a_local_one_has_no_url():
    found = inventory.read(metadata(url=None, committed=None))

    assert (found.manifests, found.dependencies) == ([], [])
    assert (found.url, found.committed) == (None, None)


def test_the_list_of_files_is_not_needed():
    most = WHOLE.index(b'"files": [')

    assert inventory.read(WHOLE[:most]) == inventory.read(WHOLE)


def test_the_bounds_are_those_of_what_is_written():
    assert inventory.MAX_DEPENDENCIES == dependencies.MAX_DEPENDENCIES
    most = len(dependencies.ECOSYSTEMS) * (dependencies.MAX_MANIFESTS + 1)
    assert most <= inventory.MAX_MANIFESTS


def test_as_many_dependencies_as_are_read_of_a_repository_have_room():
    some = [dependency("pkg:npm/package-of-them", "^4.18.0", "4.19.2")] * 1000
    body = metadata([manifest("services/name/package.json", *some)], files=0)

    assert len(body) * inventory.MAX_DEPENDENCIES // 1000 < inventory.MAX_BYTES


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"manifests"', b'"papers"', "an older repomill"),
        (b'"dependencies": [', b'"d": [', "end before their dependencies"),
        (b'"repository": "owner/name"', b'"repository": 7', "'repository'"),
        (b'"commit": "c0', b'"commit": "--', "'commit'"),
        (b'"https://github', b'"javascript:', "'url'"),
        (b'"committed": "2026', b'"committed": "now', "'committed'"),
        (b'"npm"', b"null", "'ecosystem'"),
        (b'"problems": []', b'"problems": [[]]', "'problems'"),
        (b'"scope": "runtime"', b'"scope": {}', "'scope'"),
        (b'"resolved": "4.19.2"', b'"resolved": 4', "'resolved'"),
        (b'"manifest": "package.json"', b'"manifest": "elsewhere"', "of no manifest"),
        (b'{"manifest"', b"[" * 100_000, "no JSON"),
        (b'{"manifest"', b'\xff{"manifest"', "no JSON"),
        (b'{"manifest": "package.json"', b"7, {", "no JSON"),
        (b'  {"path": "package.json"', b'  ["path"],\n  {"path": "package.json"', "no object"),
        (b'"name": "express"', b'"name": "' + b"x" * (1 << 20) + b'"', "1024 KiB"),
        (b'"npm"', b'"' + b"x" * (1 << 20) + b'"', "1024 KiB"),
        (b'"description": null', b'"description": "' + b"x" * (1 << 20) + b'"', "1024 KiB"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(old, new, reason):
    assert old in WHOLE

    with pytest.raises(NoInventoryError, match=reason) as raised:
        inventory.read(WHOLE.replace(old, new, 1))

    assert len(str(raised.value)) < 200


def test_more_than_there_can_be_is_refused():
    begin, line, end = WHOLE.partition(b'\n  {"path": "package.json"')
    many = b"".join(
        b'\n  {"path": "p", "ecosystem": "e", "problems": []},'
        for _ in range(inventory.MAX_MANIFESTS)
    )
    with pytest.raises(NoInventoryError, match="more than 70000 manifests"):
        inventory.read(begin + many + line + end)


@pytest.mark.parametrize("size", range(0, len(WHOLE), 97))
def test_a_beginning_is_all_or_refused(size):
    try:
        found = inventory.read(WHOLE[:size])
    except NoInventoryError:
        return
    assert found == inventory.read(WHOLE)


def test_texts_cannot_harm_a_line():
    harm = WHOLE.replace(b'"^4.18.0"', b'"\\u202e\\n\\ud800"', 1)

    assert inventory.read(harm).dependencies[0].range == r'"\342\200\256\n\355\240\200"'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b'"4.19.2"', b'"npm"', b"[]", b'"owner/name"', b'"runtime"']),
    json_values.map(lambda value: json.dumps(value).encode()) | st.binary(),
)
def test_nothing_but_its_own_error_comes_of_anything(old, new):
    with suppress(NoInventoryError):
        inventory.read(WHOLE.replace(old, new))
