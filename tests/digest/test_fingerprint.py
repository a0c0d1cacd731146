"""What tells one digest from another of the same commit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repomill.digest.fingerprint import fingerprint, of_facts, of_repository
from repomill.digest.select import SelectOptions

BASE = "0123456789abcdef"
FACTS = {"license": "MIT", "description": "Runs elections"}
LONG = "x" * 300


def test_it_is_the_same_on_every_machine():
    assert of_repository(BASE, **FACTS) == BASE + "6fb0bc51b0fb2053"
    assert of_repository(BASE, license=None, description=None) == BASE + "7daed43814b63395"


def test_it_has_the_length_that_a_digests_fingerprint_always_had():
    own = of_repository(fingerprint(SelectOptions()), **FACTS)

    assert re.fullmatch("[0-9a-f]{32}", own)


@pytest.mark.parametrize(
    "other",
    [
        {"license": "Apache-2.0"},
        {"license": None},
        {"description": "Counts votes"},
        {"description": None},
        {"license": "Runs elections", "description": "MIT"},
        {"license": "MIT Runs", "description": "elections"},
        {"license": None, "description": "MITRuns elections"},
    ],
)
def test_other_facts_have_another_second_half(other):
    own, others = of_repository(BASE, **FACTS), of_repository(BASE, **{**FACTS, **other})

    assert own != others
    assert own[:16] == others[:16] == BASE


def test_other_options_have_another_first_half():
    one, other = (fingerprint(SelectOptions(max_file_size_bytes=size)) for size in (1, 2))

    assert of_repository(one, **FACTS)[:16] != of_repository(other, **FACTS)[:16]
    assert of_repository(one, **FACTS)[16:] == of_repository(other, **FACTS)[16:]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LONG + "a", LONG + "b", True),
        (LONG, LONG + "b", False),
        ("", None, True),
    ],
)
def test_only_what_is_printed_of_a_description_counts(one, other, same):
    assert (of_facts(None, one) == of_facts(None, other)) is same


@given(license=st.text(), description=st.text())
def test_any_text_has_one(license, description):  # noqa: A002 as Repo has it
    assert re.fullmatch("[0-9a-f]{16}", of_facts(license, description))


def test_half_a_pair_of_surrogates_has_one():
    assert of_facts("\ud800", "\udfff") != of_facts("\ud800", "\udffe")
