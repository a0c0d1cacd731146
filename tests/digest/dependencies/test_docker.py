import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import docker
from repomill.digest.dependencies.base import ManifestError, Scope
from tests.digest.dependencies.commit import files

RUNTIME, BUILD, DEVELOPMENT = Scope.RUNTIME, Scope.BUILD, Scope.DEVELOPMENT
PIECES = [
    *("FROM ", "ARG ", "COPY --from=", "RUN --mount=from=", "a:1", "$A", "${A:-b}", "${", "}"),
    *(" AS x", "\n", "\\\n", "<<E", "E\n", "# escape=`\n", "`\n", *"\"'#@\t"),
]
DIGEST = "sha256:" + "0f" * 32


def contents(text, path="Dockerfile"):
    return docker.read(path, files({path: text}))


def images(text, path="Dockerfile"):
    return {(each.scope, each.name, each.requirement) for each in contents(text, path).dependencies}


def purl(text):
    [found] = contents(text).dependencies
    return found.purl


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Dockerfile", True),
        ("dockerfile", True),
        ("Dockerfile.dev", True),
        ("Dockerfile-nginx", True),
        ("app.Dockerfile", True),
        ("build.dockerfile", True),
        ("Containerfile", True),
        ("docker-compose.yml", True),
        ("docker-compose.override.yaml", True),
        ("compose.yaml", True),
        ("local/postgres-compose.yaml", True),
        ("compose.dev.yml", True),
        ("Dockerfile.dockerignore", False),
        ("Dockerfile.tt", False),
        ("Dockerfile.md", False),
        ("composer.yml", False),
        ("test_dockerfile.py", False),
    ],
)
def test_manifests_are_known_by_their_names(name, is_one):
    matches = re.fullmatch(docker.FILE_NAMES, name, re.DOTALL) is not None
    assert (matches and docker.claims(f"app/{name}")) is is_one


def test_the_last_stage_stands_on_what_is_needed_at_run_time():
    text = """
FROM --platform=$BUILDPLATFORM node:22 AS assets
RUN npm ci
FROM ruby:3.3-slim AS base
FROM base AS builder
FROM Base
COPY --from=assets /app /app
COPY --chown=app --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/uv
COPY --from=0 /a /b
RUN --mount=type=cache,target=/c --mount=type=bind,from=busybox,source=/bin,target=/b true
"""
    assert images(text) == {
        (RUNTIME, "ruby", "3.3-slim"),
        (BUILD, "node", "22"),
        (BUILD, "ghcr.io/astral-sh/uv", "0.5"),
        (BUILD, "busybox", ""),
    }


def test_an_image_that_is_both_counts_for_run_time():
    assert images("FROM ruby:3 AS a\nFROM ruby:3\n") == {(RUNTIME, "ruby", "3")}
    assert images("FROM ruby:3\nCOPY --from=ruby:3 a b\n") == {(RUNTIME, "ruby", "3")}


def test_scratch_is_no_image():
    assert images("FROM golang:1.23 AS b\nFROM scratch\nCOPY --from=b /a /a\n") == {
        (BUILD, "golang", "1.23")
    }


def test_a_stage_may_be_called_as_its_image():
    assert images("FROM python:3 AS python\nFROM python\n") == {(RUNTIME, "python", "3")}


@pytest.mark.parametrize(
    ("text", "name", "requirement"),
    [
        ("ARG V=3.3\nFROM ruby:$V", "ruby", "3.3"),
        ("ARG V=3.3\nFROM ruby:${V}-slim", "ruby", "3.3-slim"),
        ("FROM ruby:${V:-3.4}", "ruby", "3.4"),
        ("FROM ruby:${V-3.4}", "ruby", "3.4"),
        ("ARG V=3\nFROM ruby:${V:+set}", "ruby", "set"),
        ("ARG V=3\nFROM ruby:${V:?needed}", "ruby", "3"),
        ("FROM ruby${V:+-set}:1", "ruby", "1"),
        ("ARG R=ghcr.io A=app\nARG I=${R}/org/$A\nFROM $I:1", "ghcr.io/org/app", "1"),
        ('ARG I="ruby"\nARG T=\'3\'\nFROM "$I":"$T"', "ruby", "3"),
        ("FROM ruby:${A:-${B:-3}}", "ruby", "3"),
        ("FROM app-$TARGETARCH:1", "app-amd64", "1"),
        ("ARG V\nFROM ruby:$V", "ruby", "$V"),
        ("ARG V\nFROM ruby:${V}-slim", "ruby", "${V}-slim"),
        ("FROM ruby:${V#v}", "ruby", "${V#v}"),
        ("FROM ruby:${V", "ruby", "${V"),
        ("from ruby:3 as x", "ruby", "3"),
    ],
)
def test_arguments_before_the_first_stage_are_filled_in(text, name, requirement):
    assert images(text) == {(RUNTIME, name, requirement)}


def test_an_argument_of_a_stage_is_none_of_the_next():
    text = "ARG V=1\nFROM a:$V\nARG V=2\nFROM b:$V\n"
    assert images(text) == {(BUILD, "a", "1"), (RUNTIME, "b", "1")}


@pytest.mark.parametrize("image", ["$BASE", "${REGISTRY}/app:1", "UPPER", "<%= image %>", "\\$A"])
def test_an_image_that_is_not_certain_is_a_problem(image):
    found = contents(f"FROM alpine AS a\n\nFROM {image}\n")
    assert [each.name for each in found.dependencies] == ["alpine"]
    assert found.problems == [f"line 3: the image {image.split()[0]} is not certain"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("python:3.11", "pkg:docker/python@3.11"),
        ("library/python", "pkg:docker/python"),
        ("docker.io/library/python:3", "pkg:docker/python@3"),
        ("bitnami/redis:7", "pkg:docker/bitnami/redis@7"),
        ("ghcr.io/a/b/c:1", "pkg:docker/a/b/c@1?repository_url=ghcr.io"),
        ("localhost:5000/app", "pkg:docker/app?repository_url=localhost:5000"),
        (f"python@{DIGEST}", f"pkg:docker/python@{DIGEST}"),
        (f"python:3.11@{DIGEST}", f"pkg:docker/python@{DIGEST}"),
    ],
)
def test_package_urls_have_the_registry_and_the_digest_or_the_tag(image, expected):
    assert purl(f"FROM {image}\n").replace("%3A", ":") == expected


def test_a_digest_is_part_of_the_requirement():
    assert images(f"FROM python:3.11@{DIGEST}") == {(RUNTIME, "python", f"3.11@{DIGEST}")}


def test_instructions_go_on_over_lines():
    text = "FROM \\\n  # a comment\n\n  ruby:3 \\  \n  AS x\r\nRUN echo \\\n FROM a\n"
    assert images(text) == {(RUNTIME, "ruby", "3")}


def test_another_escape_character_may_be_set():
    text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n windows:1\nRUN dir c:\\\nFROM b:2\n"
    assert images(text) == {(BUILD, "windows", "1"), (RUNTIME, "b", "2")}
    assert images("# escape=x\nFROM a:1\n") == {(RUNTIME, "a", "1")}


def test_what_stands_in_a_heredoc_is_no_instruction():
    text = """FROM a:1
RUN <<EOF cat && echo "<<NOT"
FROM b:1
EOF
COPY <<-"ONE" <<'TWO' /files/
FROM c:1
\tONE
FROM d:1
TWO
RUN echo $((1 << 2)) <<<word
FROM e:1
"""
    assert images(text) == {(BUILD, "a", "1"), (RUNTIME, "e", "1")}


def test_a_heredoc_without_an_end_covers_the_rest():
    assert images("FROM a:1\nRUN <<E\nFROM b:1\n") == {(RUNTIME, "a", "1")}


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "# syntax=a", "RUN make\nCOPY a b\n", "FROM\n", "ARG A=1\n"]
)
def test_a_file_without_stages_is_refused(text):
    with pytest.raises(ManifestError, match="no FROM"):
        contents(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("FROM a\n" * 1_001, "1000 stages"), ("FROM a\n" + "COPY --from=b c d\n" * 10_001, "images")],
)
def test_too_much_is_refused(text, reason):
    with pytest.raises(ManifestError, match=reason):
        contents(text)


def test_compose_files_start_images_for_development():
    text = """
x-app: &app
  image: ghcr.io/org/base:1
services:
  db:
    image: postgres:${PG_VERSION:-16}
  app:
    <<: *app
  built:
    build: .
    image: org/app
  worker:
    image: org/app
  search:
    image: elasticsearch:${TAG}
  other:
    image: ${IMAGE}
  odd: [image]
"""
    assert images(text, "compose.yml") == {
        (DEVELOPMENT, "ghcr.io/org/base", "1"),
        (DEVELOPMENT, "postgres", "16"),
        (DEVELOPMENT, "elasticsearch", "${TAG}"),
    }
    assert contents(text, "compose.yml").problems == ["the image ${IMAGE} is not certain"]


@pytest.mark.parametrize("text", ["services: {}", "image: a", "services: image", "- image", ""])
def test_a_compose_file_without_images_names_none(text):
    assert images(text, "docker-compose.yml") == set()


@pytest.mark.parametrize(
    "text",
    [
        "ARG A0=xxxxxxxx\n"
        + "".join(f"ARG A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 3_000))
        + "FROM $A2999",
        "FROM " + "${a:-" * 50_000,
        "FROM a\nRUN <<" + "\"'" * 60_000,
        "FROM a\nRUN " + "a \\\n" * 30_000,
        "FROM " + "a-" * 60_000,
    ],
    ids=["doubling", "defaults", "quotes", "lines", "name"],
)
def test_hostile_text_takes_no_time(text):
    started = time.process_time()
    contents(text)
    assert time.process_time() - started < 1


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5)),
    st.sampled_from(["Dockerfile", "compose.yml"]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_it_is_given_it_answers_or_refuses(pieces, path):
    try:
        found = contents("".join(pieces).encode("utf-8", "replace"), path).dependencies
    except (ManifestError, ValueError):
        return
    assert all(each.name and each.purl for each in found)
