import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import npm, read_all
from repomill.digest.dependencies.base import MAX_LOCK_BYTES, ManifestError, Scope
from tests.digest.dependencies.commit import all_source, files


def read(contents, path="package.json"):
    texts = {
        name: text if isinstance(text, (str, bytes)) else json.dumps(text)
        for name, text in contents.items()
    }
    return npm.read(path, files(texts))


def of(contents, path="package.json"):
    return sorted(
        (dependency.scope.value, dependency.name, dependency.requirement)
        for dependency in read(contents, path).dependencies
    )


def versions(contents, path="package.json"):
    return {one.name: one.resolved for one in read(contents, path).dependencies}


def only(requirement, name="ui"):
    (dependency,) = read({"package.json": {"dependencies": {name: requirement}}}).dependencies
    return dependency


WANTED = {"dependencies": {"ms": "^2.1.1", "@types/node": "*"}}


def test_each_section_has_its_scope():
    manifest = {
        "name": "forms",
        "dependencies": {"express": "^4.18.0"},
        "devDependencies": {"jest": "29.x"},
        "optionalDependencies": {"fsevents": "~2.3"},
        "peerDependencies": {"react": ">=17", "vue": "3"},
        "peerDependenciesMeta": {"vue": {"optional": True}, "svelte": {"optional": True}},
        "bundleDependencies": ["express"],
        "engines": {"node": ">=20"},
        "overrides": {"left-pad": "1.0.0"},
    }
    assert of({"package.json": manifest}) == [
        ("development", "jest", "29.x"),
        ("optional", "fsevents", "~2.3"),
        ("optional", "vue", "3"),
        ("runtime", "express", "^4.18.0"),
        ("runtime", "react", ">=17"),
    ]


def test_a_package_in_several_sections_counts_as_npm_counts_it():
    manifest = {
        "dependencies": {"a": "1", "b": "1", "c": "1"},
        "optionalDependencies": {"a": "2"},
        "peerDependencies": {"a": "3", "b": "3", "d": "3"},
        "devDependencies": {"c": "4", "d": "4"},
    }
    assert of({"package.json": manifest}) == [
        ("development", "c", "4"),
        ("development", "d", "4"),
        ("optional", "a", "2"),
        ("runtime", "b", "1"),
        ("runtime", "c", "1"),
        ("runtime", "d", "3"),
    ]


def test_a_package_that_needs_nothing_has_no_dependencies():
    assert of({"package.json": {"name": "fixture", "dependencies": []}}) == []


def test_a_byte_order_mark_is_no_error():
    assert of({"package.json": "\ufeff" + json.dumps(WANTED)})


@pytest.mark.parametrize(
    ("requirement", "purl"),
    [
        ("^1.2.0", "pkg:npm/ui"),
        ("1.2.3", "pkg:npm/ui@1.2.3"),
        ("=1.2.3-rc.1 ", "pkg:npm/ui@1.2.3-rc.1"),
        ("1.2", "pkg:npm/ui"),
        ("latest", "pkg:npm/ui"),
        ("workspace:*", "pkg:npm/ui"),
        ("file:../ui", "pkg:npm/ui"),
        ("./ui", "pkg:npm/ui"),
        ("npm:@gov/ui@2.0.0", "pkg:npm/%40gov/ui@2.0.0"),
        ("npm:real", "pkg:npm/real"),
        ("npm:1.0.0", "pkg:npm/ui@1.0.0"),
        ("workspace:^", "pkg:npm/ui"),
        ("workspace:real@*", "pkg:npm/real"),
        ("gov/ui", "pkg:npm/ui?vcs_url=git%2Bhttps://github.com/gov/ui.git"),
        ("gitlab:gov/ui#v1", "pkg:npm/ui?vcs_url=git%2Bhttps://gitlab.com/gov/ui.git%40v1"),
        ("gov/ui#semver:^1", "pkg:npm/ui?vcs_url=git%2Bhttps://github.com/gov/ui.git"),
        ("gov/ui#v1&x=y", "pkg:npm/ui?vcs_url=git%2Bhttps://github.com/gov/ui.git%40v1"),
        ("gov/ui#x=y", "pkg:npm/ui?vcs_url=git%2Bhttps://github.com/gov/ui.git"),
        (
            "git@git.example:a/ui.git#x=y",
            "pkg:npm/ui?vcs_url=git%2Bssh://git%40git.example/a/ui.git",
        ),
        ("git@git.example:a/ui.git", "pkg:npm/ui?vcs_url=git%2Bssh://git%40git.example/a/ui.git"),
        ("git+ssh://git@a.example/ui", "pkg:npm/ui?vcs_url=git%2Bssh://git%40a.example/ui"),
        ("https://github.com/gov/ui", "pkg:npm/ui?vcs_url=git%2Bhttps://github.com/gov/ui"),
        ("https://a.example/ui.tgz", "pkg:npm/ui?download_url=https://a.example/ui.tgz"),
        ("gov/ui#" + "a" * 3000, "pkg:npm/ui"),
    ],
)
def test_the_package_url_says_where_a_package_comes_from(requirement, purl):
    assert only(requirement).purl == purl


def test_a_scoped_package_has_its_scope_for_a_namespace():
    assert only("^20", "@types/node").purl == "pkg:npm/%40types/node"


@pytest.mark.parametrize(
    "requirement",
    [
        "git+https://me:hunter2@git.example/ui.git",
        "https://hunter2@git.example/ui.tgz",
        "github:me:hunter2@gov/ui#main",
        "me:hunter2@github.com:gov/ui.git",
        "git+ssh://git:hunter2@git.example/ui.git",
        "https://me:p@hunter2@git.example/ui.tgz",
        "git+https://github.com/o/ui.git#access_token=hunter2",
        "git+https://github.com/o/ui.git#v1&access_token=hunter2",
        "https://me:hunter2#hunter2@git.example/ui.tgz",
        "https://me:hunter2?hunter2@git.example/ui.tgz",
        "https://me:hunter2/1#hunter2@git.example/ui.tgz",
        "gov/ui#access_token=hunter2",
        "git@git.example:gov/ui.git#v1&token=hunter2",
        "me:hunter2@git.example/ui",
        "me:hunter2@intranet/ui",
    ],
)
def test_credentials_in_a_url_are_not_shown(requirement):
    dependency = only(requirement)
    assert "hunter2" not in dependency.requirement + dependency.purl
    assert "ui" in dependency.requirement


@pytest.mark.parametrize(
    "requirement",
    [
        "git+ssh://git@git.example/ui",
        "npm:@gov/ui@^1",
        "https://a.example/@gov/ui",
        "file:a@b/ui.tgz",
        "gov/ui#workspace=ui&commit=1f",
        "git+https://a.example/ui.git#@gov/ui@1.0.0",
    ],
)
def test_a_range_without_credentials_stays_as_written(requirement):
    assert only(requirement).requirement == requirement


def test_what_is_no_name_or_range_is_a_problem_and_the_rest_is_read():
    manifest = {
        "dependencies": {"ms": "1", "{{ name }}": "1", "a b": "1", "debug": 4},
        "devDependencies": ["jest"],
    }
    contents = read({"package.json": manifest})
    assert [dependency.name for dependency in contents.dependencies] == ["ms"]
    assert list(contents.problems) == [
        "dependencies: no name and range: {{ name }} and 2 more",
        "devDependencies: no object",
    ]


def test_a_section_without_end_is_cut_and_that_is_told():
    contents = read({"package.json": {"dependencies": {f"p{i}": "1" for i in range(5001)}}})
    assert len(list(contents.dependencies)) == 5000
    assert "only the first 5000 of 5001" in contents.problems[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n  "name": "x",\n}', "no JSON: line 3"),
        ("[]", "no JSON object"),
        ('{"a": NaN}', "NaN is no value"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "limit"),
    ],
)
def test_a_damaged_manifest_says_what_and_where(text, message):
    with pytest.raises(ManifestError, match=re.escape(message)):
        read({"package.json": text})


def test_a_lone_surrogate_is_no_text():
    assert only("\ud800").requirement == "?"


# Lock files of npm.


def test_a_lock_file_of_version_1_settles_its_own_folder_alone():
    lock = {
        "lockfileVersion": 1,
        "dependencies": {
            "ms": {"version": "2.1.3", "dependencies": {"@types/node": {"version": "1.0.0"}}},
            "@types/node": {"version": "20.1.0"},
            "alias": {"version": "npm:@gov/real@3.0.0"},
            "ui": {"version": "git+ssh://git@a.example/ui.git#abc"},
            "odd": [],
        },
    }
    wanted = {"dependencies": {"ms": "2", "@types/node": "*", "alias": "npm:@gov/real", "ui": "x"}}
    contents = {"package.json": wanted, "sub/package.json": wanted, "package-lock.json": lock}
    assert versions(contents) == {
        "ms": "2.1.3",
        "@types/node": "20.1.0",
        "alias": "3.0.0",
        "ui": None,
    }
    assert read(contents).locked_by == "package-lock.json"
    assert read(contents, "sub/package.json").locked_by is None


LOCK_3 = {
    "lockfileVersion": 3,
    "packages": {
        "": {"workspaces": ["packages/*"]},
        "packages/api": {"version": "1.0.0"},
        "packages/api/node_modules/ms": {"version": "1.0.0"},
        "node_modules/ms": {"version": "2.1.3"},
        "node_modules/@types/node": {"version": "20.1.0"},
        "node_modules/api": {"resolved": "packages/api", "link": True},
    },
}


def test_a_member_of_a_workspace_is_locked_by_the_root():
    contents = {
        "package.json": WANTED,
        "packages/api/package.json": WANTED,
        "examples/package.json": WANTED,
        "package-lock.json": LOCK_3,
    }
    assert versions(contents) == {"ms": "2.1.3", "@types/node": "20.1.0"}
    member = read(contents, "packages/api/package.json")
    assert {one.name: one.resolved for one in member.dependencies} == {
        "ms": "1.0.0",
        "@types/node": "20.1.0",
    }
    assert member.locked_by == "package-lock.json"
    assert read(contents, "examples/package.json").locked_by is None


def test_a_link_into_the_repository_has_no_version():
    manifest = {"dependencies": {"api": "*"}}
    assert versions({"package.json": manifest, "package-lock.json": LOCK_3}) == {"api": None}


def test_a_shrinkwrap_goes_before_a_lock_file():
    shrinkwrap = {"dependencies": {"ms": {"version": "2.0.0"}}}
    contents = {
        "package.json": WANTED,
        "package-lock.json": LOCK_3,
        "npm-shrinkwrap.json": shrinkwrap,
    }
    assert versions(contents)["ms"] == "2.0.0"


def test_a_lock_file_that_cannot_be_read_costs_only_the_versions():
    contents = read({"package.json": WANTED, "package-lock.json": "<<<<<<< HEAD"})
    assert contents.locked_by is None
    assert list(contents.problems) == ["package-lock.json: no JSON: line 1: Expecting value"]
    assert len(list(contents.dependencies)) == 2


def test_a_lock_file_that_is_too_large_is_named():
    contents = read({"package.json": WANTED, "package-lock.json": " " * (MAX_LOCK_BYTES + 1)})
    assert list(contents.problems) == [
        "package-lock.json: package-lock.json is larger than 4096 KiB"
    ]


def test_the_package_manager_chooses_among_lock_files():
    contents = {
        "package.json": {**WANTED, "packageManager": "yarn@1.22.22"},
        "package-lock.json": LOCK_3,
        "yarn.lock": 'ms@^2.1.1:\n  version "2.1.2"\n',
    }
    assert versions(contents) == {"ms": "2.1.2", "@types/node": None}


# Lock files of Yarn.

YARN_1 = """# yarn lockfile v1


"@types/node@*", "@types/node@>= 8":
  version "20.1.0"
  resolved "https://registry.yarnpkg.com/@types/node/-/node-20.1.0.tgz#abc"

"alias@npm:@gov/real@^3":
  name "@gov/real"
  version "3.0.1"

ms@2.0.0, ms@^2.1.1:
  version "2.1.3"
  dependencies:
    version "^9.9.9"
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_yarn_1(ends):
    manifest = {
        "dependencies": {"ms": "^2.1.1", "@types/node": ">= 8", "alias": "npm:@gov/real@^3"}
    }
    found = versions({"package.json": manifest, "yarn.lock": YARN_1.replace("\n", ends)})
    assert found == {"ms": "2.1.3", "@types/node": "20.1.0", "alias": "3.0.1"}


@pytest.mark.parametrize(
    ("workspaces", "is_member"),
    [
        (["packages/*"], True),
        (["./packages/**/"], True),
        ({"packages": ["packages/api", 1]}, True),
        (["packages/api/**"], True),
        (["packages/{web,api}"], True),
        (["{libs,packages/{a*,web}}"], True),
        (["packages/{web,app}"], False),
        (["packages/{api}", "packages/{api,"], False),
        (["{a,b}" * 60, "packages/*"], False),
        (["packages"], False),
        (["*"], False),
        (["packages/" + "*" * 400], False),
        (None, False),
    ],
)
def test_yarn_1_locks_the_members_that_the_root_names(workspaces, is_member):
    contents = {
        "package.json": {"workspaces": workspaces},
        "packages/api/package.json": WANTED,
        "yarn.lock": YARN_1,
    }
    found = read(contents, "packages/api/package.json")
    assert found.locked_by == ("yarn.lock" if is_member else None)


def test_yarn_1_without_a_manifest_beside_it_locks_nothing():
    assert read({"a/package.json": WANTED, "yarn.lock": YARN_1}, "a/package.json").locked_by is None


YARN_BERRY = """__metadata:
  version: 8

"@types/node@npm:*, @types/node@npm:>= 8":
  version: 20.1.0
  resolution: "@types/node@npm:20.1.0"
  languageName: node

? "long@npm:^1, long@npm:^1.1"
:
  version: 1.2.0

"alias@npm:@gov/real@^3":
  version: 3.0.1

"ms@npm:^2.1.1":
  version: 2.1.3

"api@workspace:*, api@workspace:packages/api":
  version: 0.0.0-use.local
  resolution: "api@workspace:packages/api"

"root@workspace:.":
  version: 0.0.0-use.local
"""


def test_yarn_berry():
    wanted = {"ms": "^2.1.1", "@types/node": ">= 8", "alias": "npm:@gov/real@^3", "long": "^1.1"}
    contents = {
        "package.json": {"dependencies": {**wanted, "api": "workspace:*"}},
        "packages/api/package.json": WANTED,
        "examples/package.json": WANTED,
        "yarn.lock": YARN_BERRY,
    }
    assert versions(contents) == {
        "ms": "2.1.3",
        "@types/node": "20.1.0",
        "alias": "3.0.1",
        "long": "1.2.0",
        "api": None,
    }
    assert versions(contents, "packages/api/package.json")["ms"] == "2.1.3"
    assert read(contents, "examples/package.json").locked_by is None


def test_a_resolution_of_yarn_counts_instead_of_the_range():
    contents = {
        "package.json": {
            "dependencies": {"ms": "1.0.0", "debug": "^4", "ui": "^1", "old": "^2", "left": "^3"},
            "peerDependencies": {"react": ">=17"},
            "resolutions": {
                "ms": "^2.1.1",
                "debug@npm:^4": "4.3.1",
                "ui": "patch:ui@npm%3A2.0.0#./ui.patch",
                "**/old": "2.5.0",
                "left/ms": "9.9.9",
                "left@^2": "9.9.9",
                "react": "18.2.0",
                "far": 1,
            },
        },
        "packages/api/package.json": {"devDependencies": {"ms": "^2.0.0"}},
        "yarn.lock": """__metadata:
  version: 8

"debug@npm:4.3.1":
  version: 4.3.1

"left@npm:^3":
  version: 3.0.1

"ms@npm:^2.1.1":
  version: 2.1.3

"old@npm:2.5.0":
  version: 2.5.0

"react@npm:18.2.0":
  version: 18.2.0

"ui@npm:2.0.0":
  version: 2.0.0

"ui@patch:ui@npm%3A2.0.0#./ui.patch::locator=root%40workspace%3A.":
  version: 2.0.0

"api@workspace:packages/api":
  version: 0.0.0-use.local

"root@workspace:.":
  version: 0.0.0-use.local
""",
    }
    found = read(contents).dependencies
    assert {(one.name, one.requirement, one.resolved) for one in found} == {
        ("debug", "4.3.1", "4.3.1"),
        ("left", "^3", "3.0.1"),
        ("ms", "^2.1.1", "2.1.3"),
        ("old", "2.5.0", "2.5.0"),
        ("react", ">=17", None),
        ("ui", "patch:ui@npm%3A2.0.0#./ui.patch", "2.0.0"),
    }
    (member,) = read(contents, "packages/api/package.json").dependencies
    assert (member.requirement, member.resolved) == ("^2.1.1", "2.1.3")


def test_a_resolution_of_yarn_makes_no_lock_file_out_of_date():
    manifest = {"dependencies": {"ms": "^1.0.0"}, "resolutions": {"ms": "^2.1.1"}}
    lock = 'ms@^1.0.0, ms@^2.1.1:\n  version "2.1.3"\n'
    (told,) = read_all(files({"package.json": json.dumps(manifest), "yarn.lock": lock}), all_source)

    assert told.problems == ()
    assert [(one.requirement, one.resolved) for one in told.dependencies] == [("^2.1.1", "2.1.3")]


def test_npm_has_no_resolutions():
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/ms": {"version": "1.0.1"}}}
    manifest = {"dependencies": {"ms": "^1.0.0"}, "resolutions": {"ms": "^2.1.1"}}
    for contents in (
        {"package.json": manifest},
        {"package.json": manifest, "package-lock.json": lock},
    ):
        assert of(contents) == [("runtime", "ms", "^1.0.0")]


# Lock files of pnpm.

PNPM_5 = """lockfileVersion: 5.4

specifiers:
  ms: ^2.1.1

dependencies:
  '@types/node': 20.1.0_typescript@5.1.0
  alias: /@gov/real/3.0.1
  local: link:../local
  ms: 2.1.3

packages:

  /ms/2.1.3:
    dependencies:
      ms: 9.9.9
"""
PNPM_6 = """lockfileVersion: '6.0'

dependencies:
  alias:
    specifier: npm:@gov/real
    version: /@gov/real@3.0.1
  local:
    specifier: link:../local
    version: link:../local
  ms:
    specifier: ^2.1.1
    version: 2.1.3

devDependencies:
  '@types/node':
    specifier: '*'
    version: 20.1.0(typescript@5.1.0)
"""
PNPM_9 = """---
lockfileVersion: '9.0'

importers:

  .:
    packageManagerDependencies:
      pnpm:
        specifier: 11.0.0
        version: 11.0.0

packages: {}

---
lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      '@types/node':
        specifier: '*'
        version: 20.1.0(typescript@5.1.0)(x@1.0.0(y@2.0.0))
      alias:
        specifier: npm:@gov/real
        version: '@gov/real@3.0.1'
      local:
        specifier: workspace:*
        version: link:../local
    devDependencies:
      ms:
        specifier: ^2.1.1
        version: 2.1.3

  packages/api:
    dependencies:
      ms:
        specifier: ^2.1.1
        version: 2.0.0
    dependenciesMeta:
      ms:
        injected: true

  packages/none: {}

    - no entry

packages:

  ms@2.1.3:
    resolution: {integrity: sha512-abc}
"""


@pytest.mark.parametrize("lock", [PNPM_5, PNPM_6, PNPM_9])
def test_pnpm(lock):
    wanted = {"ms": "^2.1.1", "@types/node": "*", "alias": "npm:@gov/real", "local": "x", "no": "1"}
    contents = {"package.json": {"dependencies": wanted}, "pnpm-lock.yaml": lock}
    assert versions(contents) == {
        "ms": "2.1.3",
        "@types/node": "20.1.0",
        "alias": "3.0.1",
        "local": None,
        "no": None,
    }


def test_pnpm_names_the_members_of_a_workspace():
    contents = {
        "packages/api/package.json": WANTED,
        "packages/none/package.json": WANTED,
        "examples/package.json": WANTED,
        "pnpm-lock.yaml": PNPM_9,
    }
    assert versions(contents, "packages/api/package.json")["ms"] == "2.0.0"
    assert read(contents, "packages/none/package.json").locked_by == "pnpm-lock.yaml"
    assert read(contents, "examples/package.json").locked_by is None


OVERRIDDEN_5 = """lockfileVersion: 5.4

overrides:
  ms@<2: '>=2.1.1'
  debug>left: ^9.0.0

specifiers:
  debug: ^4.0.0
  ms: '>=2.1.1'

dependencies:
  debug: 4.3.1
  ms: 2.1.3
"""
OVERRIDDEN_9 = """lockfileVersion: '9.0'

overrides:
  'ms@<2': '>=2.1.1'
  'debug@4>@gov/left': ^9.0.0

importers:

  .:
    dependencies:
      debug:
        specifier: ^4.0.0
        version: 4.3.1
      ms:
        specifier: '>=2.1.1'
        version: 2.1.3
"""


@pytest.mark.parametrize("lock", [OVERRIDDEN_5, OVERRIDDEN_9])
def test_an_override_of_pnpm_counts_instead_of_the_range(lock):
    manifest = {"dependencies": {"ms": "^1.0.0", "debug": "^4.1.0"}}
    commit = files({"package.json": json.dumps(manifest), "pnpm-lock.yaml": lock})
    (told,) = read_all(commit, all_source)

    assert told.problems == ()
    assert [(one.name, one.requirement, one.resolved) for one in told.dependencies] == [
        ("debug", "^4.1.0", "4.3.1"),
        ("ms", ">=2.1.1", "2.1.3"),
    ]


def test_an_override_of_pnpm_may_be_about_a_name_that_begins_with_a_digit():
    lock = OVERRIDDEN_9.replace("ms", "7zip-bin")
    manifest = {"dependencies": {"7zip-bin": "^1.0.0"}}
    (found,) = read({"package.json": manifest, "pnpm-lock.yaml": lock}).dependencies

    assert (found.requirement, found.resolved) == (">=2.1.1", "2.1.3")


def test_a_folder_without_importers_is_none_of_pnpms():
    lock = "lockfileVersion: 5.1\noverrides:\n  ms: 2.0.0\nspecifiers:\n  ms: 2.0.0\n"
    assert read({"package.json": WANTED, "pnpm-lock.yaml": lock}).locked_by is None


# Catalogs.

CATALOGS = """packages: ["packages/*", {a: b}]
catalog:
  ms: &ms 2.10  # stays as written
  debug: *ms
  ? [complex]
  : key
catalogs:
  old:
    ms: ^1.0.0
"""


@pytest.mark.parametrize(
    ("written", "requirement"),
    [
        ("catalog:", "2.10"),
        ("catalog:default", "2.10"),
        ("catalog:old", "^1.0.0"),
        ("catalog:new", "catalog:new"),
    ],
)
@pytest.mark.parametrize("settings_file", ["pnpm-workspace.yaml", ".yarnrc.yml"])
def test_a_catalog_has_the_range(written, requirement, settings_file):
    contents = {
        "packages/api/package.json": {"dependencies": {"ms": written}},
        settings_file: CATALOGS,
    }
    assert of(contents, "packages/api/package.json") == [("runtime", "ms", requirement)]


def test_an_anchor_in_a_catalog_is_followed():
    manifest = {"dependencies": {"debug": "catalog:"}}
    assert of({"package.json": manifest, "pnpm-workspace.yaml": CATALOGS})[0][2] == "2.10"


def test_what_a_catalog_has_the_range_of_is_locked_by_that():
    contents = {
        "package.json": {"dependencies": {"ms": "catalog:", "@types/node": "catalog:old"}},
        ".yarnrc.yml": "catalog: {ms: ^2.1.1}\ncatalogs: {old: {'@types/node': '>= 8'}}\n",
        "yarn.lock": YARN_BERRY,
    }
    assert versions(contents) == {"ms": "2.1.3", "@types/node": "20.1.0"}


def test_a_range_in_no_catalog_stays_as_written():
    assert only("catalog:").requirement == "catalog:"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("catalog: [", "no YAML"),
        ("catalog:\n" + "# \n" * 100_000, "larger than 256 KiB"),
    ],
)
def test_catalogs_that_cannot_be_read_cost_only_the_ranges(text, message):
    manifest = {"dependencies": {"ms": "catalog:"}}
    contents = read({"package.json": manifest, "pnpm-workspace.yaml": text})
    assert message in contents.problems[0]
    assert [one.requirement for one in contents.dependencies] == ["catalog:"]


def test_an_alias_bomb_in_catalogs_stays_small():
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 60)]
    manifest = {"dependencies": {"ms": "catalog:"}}
    contents = {"package.json": manifest, "pnpm-workspace.yaml": "\n".join(lines)}
    assert of(contents) == [("runtime", "ms", "catalog:")]


def test_a_repository_is_read_with_its_members_in_order():
    commit = files(
        {
            "packages/api/package.json": json.dumps(WANTED),
            "package.json": json.dumps(WANTED),
            "package-lock.json": json.dumps(LOCK_3),
        }
    )
    found = [one for one in read_all(commit, all_source) if one.ecosystem == "npm"]
    assert [manifest.path for manifest in found] == ["package.json", "packages/api/package.json"]
    assert found[0].dependencies[1].purl == "pkg:npm/ms@2.1.3"
    assert found[0].dependencies[0].scope is Scope.RUNTIME


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["", "version", "ms", "packages"]), inner, max_size=4)
    ),
    max_leaves=6,
)
SECTIONS = ["dependencies", "peerDependencies", "peerDependenciesMeta", "workspaces", "packages"]
RANGES = st.text(max_size=9) | st.text("@:/#+.git12^~ ", max_size=9)
ANY_MANIFEST = st.dictionaries(
    st.sampled_from(SECTIONS),
    JSON | st.dictionaries(st.text("@/a.$", max_size=5), RANGES, max_size=3),
)
LINES = st.lists(
    st.sampled_from(PNPM_9.splitlines() + YARN_1.splitlines() + YARN_BERRY.splitlines())
    | st.text(max_size=9),
    max_size=9,
).map("\n".join)


# Three lock files are much to make up for a machine that does other things, too.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ANY_MANIFEST.map(json.dumps) | st.text(max_size=9),
    JSON.map(json.dumps),
    LINES,
    LINES,
    st.text(max_size=9),
)
def test_whatever_the_files_hold_nothing_else_is_raised(manifest, lock, yarn, pnpm, settings_text):
    commit = files(
        {
            "a/package.json": manifest.encode(errors="replace"),
            "a/package-lock.json": lock.encode(errors="replace"),
            "package.json": manifest.encode(errors="replace"),
            "yarn.lock": yarn.encode(errors="replace"),
            "pnpm-lock.yaml": pnpm.encode(errors="replace"),
            "pnpm-workspace.yaml": settings_text.encode(errors="replace"),
        }
    )
    for path in ("a/package.json", "package.json"):
        try:
            dependencies = list(npm.read(path, commit).dependencies)
        except (ManifestError, ValueError):
            continue
        assert all(one.purl.startswith("pkg:npm/") for one in dependencies)


def test_a_lock_that_the_manifest_contradicts_settles_nothing():
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/joi": {"version": "17.6.0"}}}
    manifest = {"dependencies": {"joi": "17.13.3"}}
    commit = files({"package.json": json.dumps(manifest), "package-lock.json": json.dumps(lock)})

    (told,) = read_all(commit, all_source)

    assert [one.resolved for one in told.dependencies] == [None]
    assert told.problems == ("package-lock.json is out of date, it has joi 17.6.0",)
