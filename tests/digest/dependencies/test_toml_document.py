"""TOML that strangers wrote."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.formats import toml_document


def test_what_people_write_is_read():
    assert toml_document.parse('[a."b.c"]\nd.e = "1.2.3"') == {"a": {"b.c": {"d": {"e": "1.2.3"}}}}


def test_damage_is_told():
    with pytest.raises(ManifestError, match="line 1"):
        toml_document.parse("a\n")


@pytest.mark.parametrize("part", ["a", " a\t", '"a"', "'a'", '"\\""', '"b\\\\"', "ä"])
@pytest.mark.parametrize("frame", ["{} = 1", "[{}]", "b = {{ {} = 1 }}"])
def test_long_keys_are_refused(part, frame):
    text = "x = 1\n" + frame.format(".".join([part] * 30_000))

    with pytest.raises(ManifestError, match="line 2 has more than 16 words"):
        toml_document.parse(text)


@settings(max_examples=60, deadline=None)
@given(st.text() | st.text(alphabet="a.\"'=[]{}\\ \n", max_size=80))
def test_no_text_does_anything_else_than_parse_or_be_refused(text):
    with contextlib.suppress(ManifestError, ValueError):
        toml_document.parse(text)
