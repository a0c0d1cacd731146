"""Sizes as people write them."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repomill import sizes
from repomill.errors import UsageError

FACTORS = {"": 1, "B": 1, "K": 1024, "KB": 1000, "KiB": 1024, "M": 1 << 20, "MB": 10**6}
FACTORS |= {"MiB": 1 << 20, "G": 1 << 30, "GB": 10**9, "GiB": 1 << 30, "T": 1 << 40}
FACTORS |= {"TB": 10**12, "TiB": 1 << 40}


@settings(deadline=None)
@given(st.integers(0, 10**15 - 1), st.sampled_from(sorted(FACTORS)), st.sampled_from(["", " "]))
def test_a_number_counts_its_unit(number, unit, space):
    expected = number * FACTORS[unit]

    for spelling in (unit, unit.lower(), unit.upper()):
        assert sizes.parse(f" {number}{space}{spelling}\n") == expected


@pytest.mark.parametrize(
    "text", ["", " ", "K", "none", "-1", "+1", "1.5GiB", "1e3", "1_000", "0x10", "1 0", "1KK", "²"]
)
def test_anything_else_is_told_so(text):
    with pytest.raises(UsageError, match="is no size; write 512KiB, 10MB or a number of bytes"):
        sizes.parse(text)


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789 kKmMgGtTiIbB.\u212a\u0131\u0660"), max_size=20))
@example("9" * 16)
def test_no_text_does_worse(text):
    with suppress(UsageError):
        assert sizes.parse(text) >= 0
