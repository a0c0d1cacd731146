"""What counts as text, and how it is decoded."""

import codecs
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest import text

WORDS = "Grüße, señor: naïve façade, 20 € “déjà vu”. " * 5


@settings(deadline=None)
@given(st.text())
def test_utf8_is_read_as_it_is(content):
    assert text.decode(content.encode()) == content


def test_no_border_cuts_a_character():
    content = "x" * 1023 + "é" * 5000

    assert text.decode(content.encode()) == content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(encoding):
    decoded = text.decode(WORDS.encode(encoding))

    assert decoded is not None
    assert decoded.removeprefix("\ufeff") == WORDS


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be")],
)
def test_a_byte_order_mark_tells_the_order(mark, encoding):
    assert text.decode(mark + WORDS.encode(encoding)) == WORDS


def test_western_text_is_read_as_windows_does():
    assert text.decode(WORDS.encode("cp1252")) == WORDS
    assert text.decode("naïve façade\r\n".encode("latin-1")) == "naïve façade\r\n"


def test_a_stray_byte_costs_one_character():
    data = WORDS.encode() + b"\xff" + WORDS.encode()

    assert text.decode(data) == f"{WORDS}�{WORDS}"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\xff",
        zlib.compress(WORDS.encode()),
        bytes(range(256)),
        WORDS.encode("utf-16-le"),  # without its mark
        "Привет, мир".encode("cp1251"),
        "こんにちは".encode("shift-jis"),
        b"plain but for \x81, which Windows-1252 does not have",
        codecs.BOM_UTF16_LE + b"a",
        codecs.BOM_UTF16_LE + "null \0".encode("utf-16-le"),
        codecs.BOM_UTF32_LE + b"\xff" * 4,
    ],
    ids=lambda data: ascii(data[:12]),
)
def test_what_is_no_text_is_binary(data):
    assert text.decode(data) is None


@settings(deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=50).map(codecs.BOM_UTF16_LE.__add__))
def test_no_bytes_do_worse(data):
    decoded = text.decode(data)

    assert decoded is None or decoded.encode().decode() == decoded
