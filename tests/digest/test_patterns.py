"""Patterns, against the real git and against pathspec as gitingest uses it."""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import pathspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from repomill.digest.gitingest import DEFAULT_PATTERNS
from repomill.digest.patterns import Patterns
from repomill.errors import UsageError


@dataclass(frozen=True)
class Git:
    """The real git, and an empty repository for it to ask about."""

    folder: Path

    def run(self, *arguments: str, given: str = "") -> str:
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            ["git", "-C", self.folder, *arguments],
            env=environment,
            input=given.encode(),
            stdout=subprocess.PIPE,
            timeout=100,
            check=False,
        )
        assert done.returncode in {0, 1}  # check-ignore: 1 where nothing is ignored
        return done.stdout.decode()

    def ignored(self, lines: list[str], paths: list[str]) -> set[str]:
        """Return those of *paths* that git ignores with *lines* in .gitignore."""
        (self.folder / ".gitignore").write_text("".join(f"{line}\n" for line in lines))
        given = "".join(f"{path}\0" for path in paths)
        shown = self.run("check-ignore", "--no-index", "-z", "--stdin", given=given)
        return set(shown.split("\0")[:-1])


@pytest.fixture(scope="module")
def git(tmp_path_factory) -> Git:
    git = Git(tmp_path_factory.mktemp("repository"))
    git.run("init", "--quiet")
    return git


def matched(lines: list[str], paths: list[str]) -> set[str]:
    patterns = Patterns(lines)
    return {path for path in paths if patterns.match(path)}


FILES = [
    *("README.md", "a.log", "keep.log", "build", "logs", ".env", "#file", "!file", "a b", "näme"),
    *("src/main.c", "src/a.log", "src/keep.log", "src/build/x.o", "src/build.c", "src/.env"),
    *("build/x.o", "build/keep.log", "docs/a/b/c.txt", "docs/c.txt", "docs/build", "a/docs/c.txt"),
    *(
        "a/b/c/d.log",
        "logs/a.txt",
        "a/logs/b/a.txt",
        "[x]",
        "x",
        "file?",
        "file1",
        "file ",
        "A.LOG",
    ),
]


@pytest.mark.parametrize(
    "lines",
    [
        ["*.log"],
        ["*.log", "!keep.log"],
        ["!keep.log", "*.log"],
        ["build/"],
        ["build"],
        ["/build"],
        ["src/build"],
        ["/src/*.log"],
        ["src/*"],
        ["docs/**"],
        ["docs/**/c.txt"],
        ["**/c.txt"],
        ["**/logs"],
        ["a/**/*.log"],
        ["*"],
        ["**"],
        ["*", "!*.log"],
        ["logs", "!a.txt"],
        ["# a comment", "", "  ", "\\#file", "\\!file"],
        ["#file"],
        ["!file"],
        ["a\\ b", "file\\ "],
        ["a b   "],
        ["[x]", "file[0-9]"],
        ["\\[x\\]", "file[!0-9]"],
        ["file?"],
        ["/"],
        ["docs//c.txt"],
        ["[a-c].log", "[", "[^a].log"],
        ["n?me", "n*e"],
        [".*"],
    ],
    ids=" ".join,
)
def test_a_pattern_means_what_it_means_to_git(git, lines):
    assert matched(lines, FILES) == git.ignored(lines, FILES)


NAME_PATTERNS = st.sampled_from(["a", "b", "ab", "*.b", "?", "[ab]", "[!a]", "a*", "*a", ".a", "A"])
NAMES = st.sampled_from(["a", "b", "ab", "a.b", ".a", "A", "c", "a b"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
MANY_PATHS = st.lists(PATHS, min_size=10, max_size=30, unique=True)
# Single names, negated or not, and of folders alone or not.
ABOUT_NAMES = st.builds(
    "{}{}{}".format, st.sampled_from(["", "", "!"]), NAME_PATTERNS, st.sampled_from(["", "", "/"])
)
ABOUT_PATHS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "/", "**/"]),
    st.lists(NAME_PATTERNS | st.just("**"), max_size=2).map(lambda s: "".join(f"{x}/" for x in s)),
    NAME_PATTERNS,
    st.sampled_from(["", "", "/", "/**", "/*"]),
)


@settings(deadline=None, max_examples=50)  # each runs git
@given(st.lists(ABOUT_NAMES, min_size=1, max_size=4), MANY_PATHS)
def test_names_and_negations_mean_what_they_mean_to_git(git, lines, paths):
    assert matched(lines, paths) == git.ignored(lines, paths)


@settings(deadline=None, max_examples=50)  # each runs git
@given(st.lists(ABOUT_PATHS, min_size=1, max_size=3), MANY_PATHS)
def test_paths_mean_what_they_mean_to_git(git, lines, paths):
    assert matched(lines, paths) == git.ignored(lines, paths)


def real_paths() -> list[str]:
    """Return paths of installed files, as they are and in folders that gitingest leaves out."""
    files = (file for distribution in distributions() for file in distribution.files or ())
    plain = sorted({file.as_posix() for file in files if ".." not in file.parts})[::10]
    folders = ["vendor/bundle", "vendor", "build", "a/b.egg-info", "target", "x.xcodeproj", "env"]
    return [*plain, *(f"{folder}/{path}" for folder in folders for path in plain[::20])]


def test_the_defaults_of_gitingest_leave_out_what_they_do_there():
    spec = pathspec.PathSpec.from_lines(GitIgnoreSpecPattern, DEFAULT_PATTERNS)
    patterns = Patterns(DEFAULT_PATTERNS)
    paths = real_paths()

    left_out = {path for path in paths if spec.match_file(path)}

    assert {path for path in paths if patterns.match(path)} == left_out
    assert 0 < len(left_out) < len(paths)


def test_a_folder_is_told_by_its_slash():
    patterns = Patterns(["build/", "/a/b/"])

    assert patterns.match("build/")
    assert patterns.match("x/build/")
    assert patterns.match("a/b/")
    assert not patterns.match("build")
    assert not patterns.match("a/b")


@pytest.mark.parametrize("line", ["a\\", "!", "\\"])
def test_what_is_no_pattern_is_named(line):
    with pytest.raises(UsageError, match="is no gitignore pattern") as refusal:
        Patterns(["*.log", line])

    assert repr(line) in str(refusal.value)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="[")), max_size=5), st.text(min_size=1))
@example(["***", "a**b", "**a/", "//", "///", "/**", "!/", " ", "\\ "], "a/b")
@example(["\ud800", "*\udcff"], "caf\udcff/b")
def test_no_text_does_worse(lines, path):
    with suppress(UsageError):
        assert Patterns(lines).match(path) in {True, False}


def test_no_pattern_matches_nothing():
    assert not Patterns([]).match("a")
