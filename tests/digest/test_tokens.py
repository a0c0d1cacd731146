"""Counted tokens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest import tokens


# https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tiktoken is great!", 6),
        ("antidisestablishmentarianism", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 8),
        ("", 0),
        ("hello world", 2),
    ],
)
def test_tokens_are_those_of_tiktoken(text, expected):
    assert tokens.count(text) == expected


@pytest.mark.parametrize("name", ["endoftext", "endofprompt"])
def test_a_special_token_is_plain_text(name):
    special = f"<|{name}|>"

    assert tokens.count(special) > 1
    assert tokens.count(special * 100) >= 100 * 5


def test_a_long_run_takes_no_longer_than_it_is():
    assert tokens.count("a" * 1_000_000) == 125_000


@settings(deadline=None)
@given(st.text())
def test_any_text_is_counted(text):
    assert (tokens.count(text) == 0) == (text == "")
    assert tokens.count(text) <= len(text.encode())


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0k"),
        (118_243, "118.2k"),
        (999_999, "1000.0k"),
        (1_000_000, "1.0M"),
        (12_345_678, "12.3M"),
    ],
)
def test_a_count_is_written_as_gitingest_writes_it(count, shown):
    assert tokens.human(count) == shown
