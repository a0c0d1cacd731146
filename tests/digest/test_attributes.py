"""What .gitattributes say to linguist, against the real git, and with hostile ones."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repomill.digest.attributes import (
    MAX_FILE_BYTES,
    MAX_PATTERN_LENGTH,
    MAX_RULES,
    UNMARKED,
    Attributes,
    Marks,
)


def marks(text: str, path: str, at: str = ".gitattributes") -> Marks:
    return Attributes([(at, text.encode())]).marks(path)


def git_says_vendored(folder: Path, path: str) -> bool:
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "HOME": "/nonexistent"}
    done = subprocess.run(
        ["git", "-C", folder, "check-attr", "-z", "linguist-vendored", "--", path],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=100,
        check=True,
    )
    return done.stdout.split(b"\0")[2] == b"set"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attributes")
    subprocess.run(["git", "init", "-q", folder], timeout=100, check=True)
    return folder


# Git itself reads the stars of a**/ as those of **/, against its manual: it strips a plain prefix.
PATTERNS = (
    st.lists(
        st.sampled_from(
            ["a", "b", "*", "**", "?", "/", "/**/", "**/", "[ab]", "[!a]", r"\*", ".", "[*]"]
        ),
        min_size=1,
        max_size=7,
    )
    .map("".join)
    .filter(lambda pattern: not re.search(r"[^/*]\*\*", pattern))
)
PATHS = st.lists(st.text("ab*.", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@settings(max_examples=150, deadline=None)
@example("**/a/**/b", "x/a/y/a/b")
@example("*a*b", "aXbYb")
@example("a/**", "a/b/c")
@example("/a", "b/a")
@example("/**", "a/a")
@example("***/a", "a")
@example("a**/a", "a/a")
@example("a/**/b", "a/b")
@example("**/a*/*b/**/b", "ab/aa/ab/b")
@given(PATTERNS, PATHS)
def test_patterns_match_what_git_matches(repository, pattern, path):
    repository.joinpath(".gitattributes").write_text(f"{pattern} linguist-vendored\n")
    if any(part in {".", ".."} for part in path.split("/")):
        return  # no path of a commit
    assert (marks(f"{pattern} linguist-vendored", path).vendored is True) is git_says_vendored(
        repository, path
    )


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("linguist-vendored", Marks(vendored=True)),
        ("linguist-vendored=true", Marks(vendored=True)),
        ("-linguist-vendored", Marks(vendored=False)),
        ("linguist-vendored=false", Marks(vendored=False)),
        ("!linguist-vendored", UNMARKED),
        ("text linguist-generated -diff", Marks(generated=True)),
        ("linguist-documentation=false", Marks(documentation=False)),
        ("-linguist-detectable", Marks(detectable=False)),
        ("linguist-language=Java linguist-detectable", Marks(language="Java", detectable=True)),
        ("-linguist-language", UNMARKED),
        ("!linguist-language", UNMARKED),
        ("linguist-unheard-of !linguist-unheard-of", UNMARKED),
    ],
)
def test_an_attribute_is_set_unset_or_given_a_value(attribute, said):
    assert marks(f"*.rb {attribute}", "lib/a.rb") == said


def test_the_last_line_and_the_nearest_file_win():
    attributes = Attributes(
        [
            ("a/.gitattributes", b"*.rb -linguist-vendored\n"),
            (".gitattributes", b"*.rb linguist-vendored=false\n*.rb linguist-vendored\n"),
        ]
    )
    assert attributes.marks("z.rb").vendored is True
    assert attributes.marks("a/b/z.rb").vendored is False
    assert attributes.marks("ab/z.rb").vendored is True


def test_a_pattern_with_a_slash_counts_from_its_folder():
    said = "gen/*.rb linguist-generated"
    assert marks(said, "lib/gen/a.rb", at="lib/.gitattributes").generated is True
    assert marks(said, "gen/a.rb", at="lib/.gitattributes") == UNMARKED


@pytest.mark.parametrize(
    "line",
    [
        "# *.rb linguist-vendored",
        "!*.rb linguist-vendored",
        "[attr]mine linguist-vendored",
        "lib/ linguist-vendored",
        "[[:alpha:]]* linguist-vendored",
        "[z-a]* linguist-vendored",
        "linguist-vendored",
        f"{'*' * MAX_PATTERN_LENGTH}a.rb linguist-vendored",
        f"*.rb {' ' * 2048} linguist-vendored",
        "*.rb vendored",
    ],
)
def test_what_is_no_pattern_for_a_file_says_nothing(line):
    assert marks(line, "lib/a.rb") == UNMARKED


def test_a_quoted_pattern_may_hold_spaces():
    assert marks('"my \\"lib\\"/*" linguist-vendored', 'my "lib"/a.rb').vendored is True


def test_a_file_that_does_not_speak_to_linguist_is_not_read():
    assert marks("*.rb text eol=lf", "a.rb") is UNMARKED


def test_a_huge_file_says_nothing():
    assert marks("*.rb linguist-vendored\n" + " " * MAX_FILE_BYTES, "a.rb") == UNMARKED


def test_rules_past_the_limit_are_not_followed():
    text = "*.rb linguist-vendored\n" * MAX_RULES + "*.rb -linguist-vendored\n"
    assert marks(text, "a.rb").vendored is True


@pytest.mark.parametrize(
    "pattern",
    [
        "/".join(["**", *["*a*a"] * 40, "**", "*b"]),
        "**/*a" * 40 + "/b",
        "*a" * 120 + "b",
        "**/a/" * 40 + "b",
        "*/" * 120 + "b",
    ],
)
def test_a_pattern_made_to_take_forever_takes_a_moment(pattern):
    path = "/".join(["a" * 13] * 290)
    started = time.process_time()
    assert marks(f"x/y linguist-vendored\n{pattern} linguist-vendored", path) == UNMARKED
    assert time.process_time() - started < 1


def test_lines_that_are_no_patterns_count_as_well():
    content = b"x[z-a] linguist-vendored\n" * MAX_RULES + b"*.rb linguist-vendored\n"

    assert Attributes([(".gitattributes", content)]).marks("a.rb") == UNMARKED
