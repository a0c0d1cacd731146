from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import golang
from repomill.digest.dependencies.base import ManifestError
from tests.digest.dependencies.commit import files

ROUTER = """\
module github.com/alphagov/router

go 1.23.0

toolchain go1.24.1

require (
\tgithub.com/getsentry/sentry-go v0.31.1
\tgithub.com/prometheus/client_golang v1.21.1 // pinned: see the wiki
\tgolang.org/x/sys v0.30.0 // indirect
\tgopkg.in/yaml.v3 v3.0.1 // indirect; for the tests
)

require github.com/tsenart/vegeta/v12 v12.12.0
"""


def read(text):
    return list(golang.read("go.mod", files({"go.mod": text})).dependencies)


def purls(text):
    return [dependency.purl for dependency in read(text)]


def test_required_modules_are_dependencies_and_those_of_others_are_not():
    assert purls(ROUTER) == [
        "pkg:golang/github.com/getsentry/sentry-go@v0.31.1",
        "pkg:golang/github.com/prometheus/client_golang@v1.21.1",
        "pkg:golang/github.com/tsenart/vegeta/v12@v12.12.0",
    ]


def test_the_version_required_is_both_the_range_and_the_one_used():
    (dependency,) = read("require rsc.io/quote v1.5.2")
    assert (dependency.name, dependency.requirement, dependency.resolved) == (
        "rsc.io/quote",
        "v1.5.2",
        "v1.5.2",
    )


def test_a_replacement_is_what_is_used():
    text = """
require (
    a.example/fork v1.0.0
    a.example/pinned v1.1.0
    a.example/local v1.2.0
    a.example/other v1.3.0
)
replace a.example/fork => b.example/fork v2.0.0
replace (
    a.example/pinned v1.1.0 => a.example/pinned v1.1.1
    a.example/local => ../local
    a.example/other v9.9.9 => ../other
)
"""
    assert purls(text) == [
        "pkg:golang/b.example/fork@v2.0.0",
        "pkg:golang/a.example/pinned@v1.1.1",
        "pkg:golang/a.example/local",
        "pkg:golang/a.example/other@v1.3.0",
    ]
    assert read(text)[0].name == "a.example/fork"


def test_a_version_that_is_excluded_is_not_used():
    assert purls("require a.example/b v1.0.0\nexclude a.example/b v1.0.0") == [
        "pkg:golang/a.example/b"
    ]


def test_modules_that_hold_tools_are_for_development():
    text = """
tool golang.org/x/tools/cmd/stringer
tool (
    example.com/me/cmd/own
)
require golang.org/x/tools v0.29.0 // indirect
require golang.org/x/mod v0.1.0 // indirect
"""
    (dependency,) = read(text)
    assert (str(dependency.scope), dependency.name) == ("development", "golang.org/x/tools")


def test_quoted_words_blocks_and_directives_to_come_are_read():
    text = (
        'retract [v1.0.0, v1.1.0]\nretract ()\nrequire ()\nrequire "a.example/b" `v1.0.0`\nnew x\n'
    )
    assert purls(text) == ["pkg:golang/a.example/b@v1.0.0"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("require a", "line 1: require with 1 words"),
        ("\nrequire (\n  a v1\n", "the block of require does not end"),
        ('require "a v1', "line 1: a string does not end"),
        ("replace a b", "line 1: replace with 2 words"),
    ],
)
def test_what_go_refuses_is_refused(text, reason):
    with pytest.raises(ManifestError, match=reason):
        read(text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["require", "replace", "tool", "(", ")", "=>", "a/b", "/", "//", '"', "`", " ", "\n"]
        )
    )
    | st.lists(st.text())
)
def test_any_text_is_read_or_refused(pieces):
    with suppress(ManifestError, ValueError):
        read("".join(pieces))


def test_every_file_so_called_is_a_manifest():
    assert golang.claims("sub/go.mod")
