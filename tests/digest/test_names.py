"""Names as they are shown: on one line, without deceit, and readable back."""

import os
import re
import subprocess
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repomill.digest import names

LETTERS = dict(zip("abtnvfr", "\a\b\t\n\v\f\r", strict=True))
BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

NAMES = st.binary(max_size=20) | st.text(
    st.sampled_from('ab/"\\\n\t\a\x1b\x7f\x85\u2028é\U0001f600' + BIDIRECTIONAL)
).map(str.encode)


def unquoted(shown: str) -> bytes:
    """Read a name as git's unquote_c_style does; a name that begins with no quote stands as is."""
    if not shown.startswith('"'):
        return shown.encode()

    def read(escape: re.Match[str]) -> str:
        letter, octal = escape.groups()
        return chr(int(octal, 8)) if octal else LETTERS.get(letter, letter)

    octets = shown[1:-1].encode().decode("latin-1")
    return re.sub(r"\\(?:([abtnvfr\"\\])|([0-3][0-7]{2}))", read, octets).encode("latin-1")


@settings(deadline=None)
@given(NAMES)
def test_a_name_is_shown_on_one_line_and_deceives_nobody(name):
    shown = names.quote(names.decode(name))

    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set(BIDIRECTIONAL)


@settings(deadline=None)
@given(NAMES)
@example(b'back\\slash and "quotes"\n')
def test_what_is_shown_can_be_read_back(name):
    if not name.startswith(b'"'):
        assert unquoted(names.quote(names.decode(name))) == name


@pytest.mark.parametrize(
    "name", ["README.md", "näme", "two words", "\U0001f600", "a+b", "~", "-rf", "zero\u200bwidth"]
)
def test_a_plain_name_is_shown_as_it_is(name):
    assert names.quote(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"caf\xe9", r'"caf\351"'),
        ("\u202egpj.exe".encode(), r'"\342\200\256gpj.exe"'),
        ("c1\x85".encode(), r'"c1\302\205"'),
        ("line\u2028".encode(), r'"line\342\200\250"'),
        ("é\n".encode(), r'"é\n"'),
    ],
)
def test_what_git_lets_through_is_quoted_in_its_way(name, shown):
    assert names.quote(names.decode(name)) == shown


def test_a_control_is_quoted_as_git_quotes_it(tmp_path):
    controls = [bytes([code]) for code in (*range(1, 0x20), 0x7F) if code != ord("/")]
    hostile = [b'"\\' + control + "é".encode() for control in controls]
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull}

    def git(*arguments: str, given: bytes = b"") -> bytes:
        command = ["git", "-C", tmp_path, "-c", "core.quotePath=false", *arguments]
        return subprocess.run(
            command, env=environment, input=given, stdout=subprocess.PIPE, timeout=100, check=True
        ).stdout

    git("init", "--quiet")
    lines = [b"100644 " + b"1" * 40 + b"\t" + name + b"\0" for name in hostile]
    git("update-index", "-z", "--index-info", given=b"".join(lines))

    shown = git("ls-files").decode().splitlines()
    assert shown == [names.quote(names.decode(name)) for name in sorted(hostile)]
