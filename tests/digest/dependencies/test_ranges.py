"""Whether a lock file contradicts a manifest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies.ranges import contradicts


@pytest.mark.parametrize(
    ("requirement", "version"),
    [
        ("1.75.0", "1.65.0-rc.5"),
        ("v17.13.3", "17.6.0"),
        ("^1.2.3", "2.0.0"),
        ("~> 4.1", "4.0.9"),
        ("> 6.9.0", "6.9"),
        (">= 1, < 2", "2.0"),
        ("<=1.9", "1.9.1"),
        ("== 8.1.3", "8.1.8"),
        ("= 1.0", "1.0.1"),
    ],
)
def test_a_version_outside_the_range_contradicts(requirement, version):
    assert contradicts(requirement, version)


@pytest.mark.parametrize(
    ("requirement", "version"),
    [
        ("", "1"),
        ("*", "1"),
        ("^1.2.3", "1.9.0"),
        ("^0.2", "0.3.0"),  # npm says so, others do not
        ("~1.2", "1.9"),
        ("^1 || ^2", "3.0.0"),
        (">=1 <2", "3"),
        ("!=1.0", "1.0"),
        ("==1.0", "1.0.0"),
        ("= 1.14.0", "1.14.0-x86_64-linux"),
        ("1.2.3", "1.9.9"),
        ("[1.0,2.0)", "3.0"),
        ("workspace:*", "0.0.0"),
        ("^1.0", "git"),
        ("1" * 300, "2"),
    ],
)
def test_what_may_be_meant_or_is_not_understood_does_not(requirement, version):
    assert not contradicts(requirement, version)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_texts_can_be_asked_for(requirement, version):
    assert contradicts(requirement, version) in {True, False}
