"""The dependencies of a repository as a CycloneDX bill of materials."""

import json
from uuid import NAMESPACE_URL, uuid5

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from repomill import inventory
from repomill.cyclonedx import as_bom
from tests.making_metadata import COMMIT, dependency, manifest, metadata

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def bom(*manifests, **values):
    body = as_bom(inventory.read(metadata(manifests, **values)))
    assert VALIDATOR.validate_str(body.decode()) is None
    return json.loads(body)


def by_reference(made):
    return {one["bom-ref"]: one for one in made["components"]}


def test_the_repository_is_what_it_is_the_bill_of():
    made = bom(manifest("package.json", dependency("pkg:npm/express", "^4", "4.19.2")))

    assert made["metadata"]["component"] == {
        "type": "application",
        "bom-ref": f"owner/name@{COMMIT}",
        "name": "owner/name",
        "version": COMMIT,
        "externalReferences": [{"type": "vcs", "url": "https://github.com/owner/name"}],
    }
    source = f"https://github.com/owner/name@{COMMIT}"
    assert made["serialNumber"] == f"urn:uuid:{uuid5(NAMESPACE_URL, source)}"
    assert made["metadata"]["timestamp"] == "2026-11-01T12:00:00+00:00"
    assert [tool["name"] for tool in made["metadata"]["tools"]["components"]] == ["repomill"]


def test_a_dependency_is_a_component():
    made = bom(manifest("package.json", dependency("pkg:npm/%40types/node", "^20", "20.1.0")))

    assert made["components"] == [
        {
            "type": "library",
            "bom-ref": "pkg:npm/%40types/node@20.1.0",
            "group": "@types",
            "name": "node",
            "version": "20.1.0",
            "purl": "pkg:npm/%40types/node@20.1.0",
            "scope": "required",
            "properties": [
                {"name": "repomill:1:manifest", "value": "package.json"},
                {"name": "repomill:1:range", "value": "^20"},
                {"name": "repomill:1:scope", "value": "runtime"},
            ],
        }
    ]


def test_a_package_of_several_manifests_is_one_component():
    made = bom(
        manifest("a/package.json", dependency("pkg:npm/jest", "^29", scope="development")),
        manifest("b/package.json", dependency("pkg:npm/jest")),
    )

    (one,) = made["components"]
    assert "version" not in one
    assert one["scope"] == "required"
    assert {item["name"]: item["value"] for item in one["properties"]} == {
        "repomill:1:manifest": "a/package.json",
        "repomill:1:range": "^29",
        "repomill:1:scope": "development",
        "repomill:2:manifest": "b/package.json",
        "repomill:2:scope": "runtime",
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("runtime", "required"),
        ("optional", "optional"),
        ("build", "excluded"),
        ("development", "excluded"),
    ],
)
def test_scopes_are_told_as_the_specification_means_them(scope, expected):
    made = bom(manifest("package.json", dependency("pkg:npm/one", scope=scope)))

    assert made["components"][0]["scope"] == expected


def test_images_are_containers():
    made = bom(manifest("Dockerfile", dependency("pkg:docker/library/node", "20", "20")))

    assert made["components"][0]["type"] == "container"


def test_the_graph_leads_from_the_repository_to_each_component():
    made = bom(manifest("package.json", *(dependency(f"pkg:npm/{name}") for name in "cab")))

    graph = {one["ref"]: one.get("dependsOn", []) for one in made["dependencies"]}
    assert graph.pop(f"owner/name@{COMMIT}") == sorted(by_reference(made))
    assert graph == {"pkg:npm/a": [], "pkg:npm/b": [], "pkg:npm/c": []}


def test_a_local_repository_without_anything_has_a_bill_too():
    made = bom(url=None, committed=None)

    assert "components" not in made
    assert "externalReferences" not in made["metadata"]["component"]
    assert made["metadata"]["timestamp"] == "1970-01-01T00:00:00+00:00"


def test_a_time_that_is_none_is_not_told():
    whole = metadata().replace(b"2026-11-01T", b"2026-99-01T")

    assert b"1970-01-01" in as_bom(inventory.read(whole))


def test_the_same_commit_has_the_same_bill():
    manifests = [
        manifest(f"{at}/package.json", *(dependency(f"pkg:npm/{name}") for name in "dabc"))
        for at in range(3)
    ]
    found = inventory.read(metadata(manifests))

    assert as_bom(found) == as_bom(found)


def test_what_a_stranger_wrote_is_still_valid():
    whole = metadata([manifest("package.json", dependency("pkg:npm/one", "1"))])
    for purl in (b"pkg:", b"pkg:npm", b"nothing", b"pkg:npm/one@1?a=b#c", b"pkg:npm/\\u202e"):
        found = inventory.read(whole.replace(b"pkg:npm/one", purl))

        body = as_bom(found).decode()

        assert VALIDATOR.validate_str(body) is None
        assert json.loads(body)["components"][0]["name"]
