import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import github_actions
from repomill.digest.dependencies.base import ManifestError, Scope
from tests.digest.dependencies.commit import files

CI = """
name: CI
on: [push]
x-steps: &checkout
  uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
jobs:
  test:
    runs-on: ubuntu-latest
    container: ghcr.io/alphagov/base:3.3
    services:
      db:
        image: postgres:${{ matrix.postgres }}
      cache:
        image: redis
    steps:
      - *checkout
      - uses: "github/codeql-action/init@v3"
      - uses: ./.github/actions/setup
      - uses: $/.github/actions/setup
      - uses: docker://alpine:3.8
      - run: |
          uses: not/this@v1
  browsers:
    container:
      image: docker://node:22
    steps:
      - *checkout
  deploy:
    uses: alphagov/govuk-infrastructure/.github/workflows/deploy.yml@main
  mine:
    uses: ./.github/workflows/mine.yml
"""


def used(text, path=".github/workflows/ci.yml"):
    return list(github_actions.read(path, files({path: text})).dependencies)


def test_only_workflows_and_actions_are_manifests():
    claimed = [
        path
        for path in (
            ".github/workflows/ci.yml",
            ".github/workflows/old/ci.yml",
            "docs/.github/workflows/ci.yml",
            ".github/actions/setup/action.yaml",
            "action.yml",
            "transaction.yml",
        )
        if github_actions.claims(path)
    ]
    assert claimed == [
        ".github/workflows/ci.yml",
        ".github/actions/setup/action.yaml",
        "action.yml",
    ]


def test_a_workflow_uses_actions_workflows_and_images():
    assert {(each.name, each.requirement) for each in used(CI)} == {
        ("actions/checkout", "11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"),
        ("github/codeql-action/init", "v3"),
        ("alphagov/govuk-infrastructure/.github/workflows/deploy.yml", "main"),
        ("ghcr.io/alphagov/base", "3.3"),
        ("postgres", "${{ matrix.postgres }}"),
        ("redis", ""),
        ("alpine", "3.8"),
        ("node", "22"),
    }


def test_what_is_used_is_needed_to_build():
    assert {each.scope for each in used(CI)} == {Scope.BUILD}


def test_the_release_that_a_comment_names_is_told_behind_a_commit():
    sha = "11bd71901bbe5b1630ceea73d27597364c9af683"
    text = f"jobs: {{a: {{steps: [\n{{uses: a/b@{sha}}}, # v4.2.2\n{{uses: c/d@v1}}]}}}} # v3\n"
    assert [one.requirement for one in used(text)] == [sha, "v1"]
    checkout = next(one for one in used(CI) if one.name == "actions/checkout")
    assert (checkout.requirement, checkout.resolved) == (f"{sha} # v4.2.2", sha)


def test_package_urls_have_the_ref_and_the_path():
    assert {each.purl for each in used(CI) if each.package.type == "github"} == {
        "pkg:github/actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
        "pkg:github/github/codeql-action@v3#init",
        "pkg:github/alphagov/govuk-infrastructure@main#.github/workflows/deploy.yml",
    }


def test_an_action_uses_what_its_steps_use():
    text = "runs:\n  using: composite\n  steps:\n    - uses: actions/setup-node@v4\n"
    assert [each.name for each in used(text, "setup/action.yml")] == ["actions/setup-node"]


@pytest.mark.parametrize(
    ("image", "names"), [("docker://debian:12", ["debian"]), ("Dockerfile", [])]
)
def test_an_action_in_a_container_uses_its_image(image, names):
    text = f"runs:\n  using: docker\n  image: {image}\n"
    assert [each.name for each in used(text, "action.yml")] == names


@pytest.mark.parametrize(
    "written", ["actions/checkout", "${{ matrix.action }}", "a/b@" + "c" * 2000]
)
def test_what_names_no_action_is_a_problem(written):
    path = ".github/workflows/ci.yml"
    text = f"jobs: {{a: {{steps: [{{uses: '{written}'}}]}}}}"
    contents = github_actions.read(path, files({path: text}))
    assert list(contents.dependencies) == []
    [problem] = contents.problems
    assert len(problem) < 150


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jobs",
        "jobs: []",
        "jobs: {a: [], b: 1, c: {steps: x, container: [], services: 3}}",
        "jobs: {a: {steps: [[], x, {uses: []}]}}",
        "jobs: &a {b: *a}",
    ],
)
def test_odd_shapes_name_nothing(text):
    assert used(text) == []


def test_steps_that_many_jobs_share_are_read_once():
    steps = "x: &s\n" + " - uses: a/b@c\n" * 3_000
    jobs = "jobs:\n" + "".join(f" j{number}: {{steps: *s}}\n" for number in range(3_000))
    assert [each.name for each in used(steps + jobs)] == ["a/b"]


@given(
    st.recursive(
        st.sampled_from(["a/b@c", "./x", "docker://a", "${{ x }}", "é", ""]) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["jobs", "steps", "uses", "container", "image", "runs", "a"]), inner
            )
        ),
    ),
    st.sampled_from([".github/workflows/a.yml", "action.yml"]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_it_is_given_it_answers_or_refuses(tree, path):
    try:
        found = used(repr(tree).encode("utf-8", "replace"), path)
    except (ManifestError, ValueError):
        return
    assert all(each.name and each.purl for each in found)
