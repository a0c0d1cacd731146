"""A digest says what plain gitingest says of a checkout, but for the differences named here."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pygit2
import pytest

from bench import compare as bench
from bench.compare import Reason, compare
from repomill.demo.githost import GitHost
from repomill.demo.repositories import (
    Content,
    Link,
    Submodule,
    package_repositories,
    write_repository,
)

Answers: TypeAlias = tuple[bytes, Any, str, str]

LIMIT_BYTES = 10_000
PACKAGES = 12
SEPARATOR = "=" * 48
FAKE = f"text\n\n\n{SEPARATOR}\nFILE: form-feed.txt\n{SEPARATOR}\nfake\n\n\n{SEPARATOR}\nFILE: a\n"
CELLS = [
    {"cell_type": "markdown", "source": ["# Title\n", "text"]},
    {
        "cell_type": "code",
        "source": "print('e')",
        "outputs": [
            {"output_type": "stream", "text": ["e\n", "half a character: \ud83d\n"]},
            {"output_type": "execute_result", "data": {"text/plain": ["2"]}},
            {"output_type": "error", "ename": "ValueError", "evalue": "no"},
        ],
    },
    {"cell_type": "raw", "source": []},
]
NOTEBOOK = json.dumps({"cells": CELLS}).encode()

SHOWN_BY_NEITHER: dict[str | bytes, Content] = {
    "over.txt": b"e" * (LIMIT_BYTES + 1),
    "lib/submodule": Submodule("1" * 40),
    "vendor/v.c": b"v\n",
    "a/vendor/bundle/v.rb": b"v\n",
    "build/b.txt": b"b\n",
    "a/bin/b.sh": b"b\n",
    "node_modules/n/index.js": b"n\n",
    "a.min.js": b"m\n",
    ".gitignore": b"ignored.txt\n*.md\n",
    ".gitattributes": b"* text=auto eol=crlf ident filter=lfs\n"
    b"*.txt working-tree-encoding=UTF-16\nexported.txt export-ignore\n",
}
SHOWN_THE_SAME: dict[str | bytes, Content] = {
    "empty.txt": b"",
    "nul.txt": b"a\0b\x1a\n",
    "crlf.txt": b"one\r\ntwo\r\n",
    "cr.txt": b"one\rtwo\r",
    "mixed-ends.txt": b"one\r\r\ntwo\n\rthree",
    "mark.txt": b"\xef\xbb\xbftext\n",
    "form-feed.txt": "a\fb\vc\x1cd\x85e\u2028f\u2029g\n".encode(),
    "fake.txt": FAKE.encode(),
    "picture": b"\x89PNG\r\n\x1a\n\0",
    "no-mark.txt": "text\n".encode("utf-16-le"),
    "no-code-page.txt": b"no code page has \x81\n",
    "good.ipynb": NOTEBOOK,
    "no-cells.ipynb": b"{}",
    "odd-cell.ipynb": b'{"cells": [{"cell_type": "odd", "source": []}]}',
    ".ipynb": b"{",
    "exact.txt": b"e" * LIMIT_BYTES,
    "/".join(["level"] * 20) + "/reached.txt": b"20 folders\n",
    "links/relative": Link(b"../README.md"),
    "links/dangling": Link(b"nowhere"),
    "links/folder": Link(b"../names"),
    "links/absolute": Link(b"/etc/passwd"),
    "links/slash": Link(b"../names/"),
    "links/up": Link(b".."),
    "links/root": Link(b"/"),
    'names/quote".txt': b"quote\n",
    "names/back\\slash.txt": b"backslash\n",
    "names/ space ": b"space\n",
    "names/..dots": b"dots\n",
    "names/.hidden/.deeper": b"hidden\n",
    "names/ß.txt": "ß\n".encode(),
    "names/zero\u200dwidth.txt": b"joined\n",
    "vendored/v.c": b"v\n",
    "binary/b.c": b"b\n",
    ".gitingestignore": b"ignored.txt\n",
    "ignored.txt": b"tracked all the same\n",
    "ident.txt": b"$Id$ $Id: 1234 $\nsecond line\n",
    "exported.txt": b"not in archives\n",
    "Readme": b"neither of the other two\n",
}
# In an order that a file system makes up, unless they are sorted.
TWINS: dict[str | bytes, Content] = {
    "README.md": b"upper\n",
    "readme.md": b"lower\n",
    "Twins/a.txt": b"upper\n",
    "twins/a.txt": b"lower\n",
}
SHOWN_OTHERWISE: dict[Reason, dict[str, Content]] = {
    Reason.CUT: {
        "cut.txt": b"x" * 1023 + "é".encode() + FAKE.encode(),
        "cut-4.txt": b"x" * 1021 + "😀\r\n".encode(),
    },
    Reason.BAD_BYTE: {
        "late.txt": b"x" * 5000 + b"\xff text\r\n" + FAKE.encode(),
        "late-data": b"x" * 5000 + b"\xff\0",
        "late.ipynb": NOTEBOOK.replace(b"Title", b"\xe9"),
    },
    Reason.ENCODING: {
        "le.txt": b"\xff\xfe" + "é\r\n".encode("utf-16-le"),
        "be.txt": b"\xfe\xff" + "é\n".encode("utf-16-be"),
        "32.txt": "é\n".encode("utf-32"),
        "latin-1.txt": "Café au lait\r\n".encode("latin-1"),
        "windows.txt": "“Quoted”, 10 €\n".encode("cp1252"),
    },
    Reason.REPAIRED: {"broken.txt": "ééé".encode() + b"\xff\n"},
    Reason.NOTEBOOK: {"broken.ipynb": b"{", "mark.ipynb": b"\xef\xbb\xbf" + NOTEBOOK},
    Reason.LIMITS: {
        "/".join(["deep"] * 21) + "/file.txt": b"21 folders\n",
        "/".join(["deep"] * 25) + "/file.txt": b"25 folders\n",
    },
}
NAMED_OTHERWISE: dict[bytes, tuple[str, Content]] = {
    b"new\nline.txt": (r'"new\nline.txt"', b"text\n"),
    b"tab\t.txt": (r'"tab\t.txt"', b"text\n"),
    b'bell"\a\\.txt': (r'"bell\"\a\\.txt"', b"text\n"),
    b"\x1b[31mred.txt": (r'"\033[31mred.txt"', b"text\n"),
    "bidi\u202etxt.c".encode(): (r'"bidi\342\200\256txt.c"', b"text\n"),
    "line\u2028.txt".encode(): (r'"line\342\200\250.txt"', b"text\n"),
    b"latin-\xe9.txt": (r'"latin-\351.txt"', b"text\n"),
    b"folder\n/\xff/plain.txt": (r'"folder\n/\377/plain.txt"', b"text\n"),
    b"links/to\r": (r'"links/to\r"', Link(b"nowhere")),
    b"links/new": ("links/new", Link(b"../new\nline.txt")),
}


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Repositories of installed packages, from the one with most files down."""
    paths = package_repositories(tmp_path_factory.mktemp("packages"), count=2 * PACKAGES)
    return sorted(paths, key=number_of_files, reverse=True)[::2]


def number_of_files(path: Path) -> int:
    index = pygit2.Index()
    index.read_tree(pygit2.Repository(path).head.peel(pygit2.Tree))
    return len(index)


@pytest.mark.parametrize("number", range(PACKAGES))
def test_packages_are_shown_as_gitingest_shows_them(packages, number):
    path = packages[number]

    [report] = compare({f"packages/{path.stem}": path}, max_file_size_bytes=512 << 10)

    assert report.files
    assert Reason.UNEXPLAINED not in dict(report.differences).values(), str(report)


def test_some_of_the_packages_are_large(packages):
    assert number_of_files(packages[0]) > 100


def test_only_what_gitingest_does_wrong_is_shown_otherwise(tmp_path):
    shown = SHOWN_THE_SAME | TWINS
    for files in SHOWN_OTHERWISE.values():
        shown.update(files)
    shown.update((path, content) for path, (_, content) in NAMED_OTHERWISE.items())
    write_repository(tmp_path / "hostile.git", shown | SHOWN_BY_NEITHER)

    [report] = compare({"o/hostile": tmp_path / "hostile.git"}, max_file_size_bytes=LIMIT_BYTES)

    moved = {path for path, reason in report.differences if reason is Reason.CASE}
    differences = [found for found in report.differences if found[1] is not Reason.CASE]
    expected = [(path, reason) for reason, files in SHOWN_OTHERWISE.items() for path in files]
    expected += [(path, Reason.NAME) for path, _ in NAMED_OTHERWISE.values()]
    assert sorted(differences) == sorted(expected)
    assert moved <= TWINS.keys()
    assert report.files == len(shown)
    assert report.equal == len(shown) - len(expected)


def test_a_notebook_is_one_whatever_its_name(tmp_path):
    write_repository(tmp_path / "hostile.git", {b"caf\xe9.ipynb": NOTEBOOK})

    [report] = compare({"o/hostile": tmp_path / "hostile.git"}, max_file_size_bytes=LIMIT_BYTES)

    assert report.differences == [(r'"caf\351.ipynb"', Reason.NAME)]


def change_a_byte(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    return digest.replace(b"second", b"s\xc3\xa9con"), metadata, tree, content


def change_the_tree(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    return digest.replace(b"    \xe2\x94\x9c", b"    \xe2\x94\x94", 1), metadata, tree, content


def change_a_path(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    files = [{**metadata["files"][0], "path": "b.txt"}, *metadata["files"][1:]]
    return digest, {"files": files}, tree, content


def change_the_omissions(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    return digest, {"files": metadata["files"][:-1]}, tree, content


def add_text_at_the_end(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    return digest + b"\n", metadata, tree, content


def lose_a_block(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    return digest, metadata, tree, content[: content.rindex(f"{SEPARATOR}\nFILE: z.txt") - 1]


def swap_two_blocks(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    border = content.index(f"\n{SEPARATOR}\nFILE: z.txt")
    return digest, metadata, tree, f"{content[border + 1 :]}\n{content[:border]}"


def say_binary(digest: bytes, metadata: Any, tree: str, content: str) -> Answers:
    return digest, metadata, tree, content.replace("second", "[Binary file]")


CHANGES = [
    change_a_byte,
    change_the_tree,
    change_a_path,
    change_the_omissions,
    add_text_at_the_end,
    lose_a_block,
    swap_two_blocks,
    say_binary,
]


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Path], Answers]:
    """What both say of a repository of two files, the same."""
    work = tmp_path_factory.mktemp("answers")
    git = work / "o" / "two.git"
    git.parent.mkdir()
    write_repository(git, {"a.txt": FAKE.encode(), "z.txt": b"second"})
    checkout = bench.check_out(git, work / "o-two")
    with GitHost(work) as host:
        made = bench.ask_repomill(host, "o/two", work, LIMIT_BYTES)
    return checkout, (*made, *bench.ask_gitingest(work / "o-two", LIMIT_BYTES))


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_found(answers, change: Callable[..., Answers]):
    checkout, same = answers
    digest, metadata, tree, content = change(*same)

    assert not bench.report("o/two", checkout, same[:2], same[2:]).differences
    report = bench.report("o/two", checkout, (digest, metadata), (tree, content))
    assert Reason.UNEXPLAINED in dict(report.differences).values()


def test_the_script_names_each_repository_and_ends_with_0_where_all_is_explained(tmp_path):
    write_repository(
        tmp_path / "o" / "n.git", {"a.txt": b"text\n", "cut.txt": b"x" * 1023 + "é".encode()}
    )

    done = subprocess.run(
        [sys.executable, bench.__file__, tmp_path], capture_output=True, check=False, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "o/n" in done.stdout
    assert f"cut.txt — {Reason.CUT}\n" in done.stdout
    assert "1 repositories, 0 unexplained differences\n" in done.stdout
