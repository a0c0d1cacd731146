"""The parts of a digest, joined."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import repomill
from repomill.digest import compose, document, fingerprint, linguist, select, tokens
from repomill.digest.compose import Facts
from repomill.digest.document import Source
from repomill.digest.select import SelectOptions
from repomill.model import Digest, Entry, Kind

SHA = "0123456789abcdef0123456789abcdef01234567"
FACTS = Facts(
    full_name="owner/name",
    url="https://github.com/owner/name",
    commit=SHA,
    committed=datetime(2024, 1, 1, 12, 30, tzinfo=UTC),
)
FILES = {
    b"README.md": "# Tïtle\n".encode(),
    b"caf\xe9/\x1b.txt": b"a",
    b"data.bin": b"\x89PNG\0\xff",
    b"src/main.py": b"print()\n",
}


def digest(
    contents: Mapping[bytes, bytes] = FILES,
    *others: Entry,
    facts: Facts = FACTS,
    options: SelectOptions | None = None,
) -> Digest:
    """Digest a commit that holds *contents*, and *others* that cannot be read."""
    options = options or SelectOptions()
    files = [Entry(path, Kind.FILE, "1" * 40, len(data)) for path, data in contents.items()]
    entries = sorted([*files, *others], key=lambda entry: entry.path)
    selection = select.select(entries, options, default_patterns=())
    source = Source(
        facts=facts,
        selection=selection,
        read=lambda entry: contents[entry.path],
        nature_of=linguist.nature,
    )
    return document.make(source, options)


def header(digest: Digest) -> list[str]:
    return digest.body.decode().partition("\n\n")[0].split("\n")


def omitted(digest: Digest) -> list[str]:
    """Return the lines of the paragraph between the structure and the files."""
    structure = digest.body.decode().partition("=" * 48)[0].partition("Directory structure:")[2]
    return structure.partition("\n\n")[2].rstrip("\n").splitlines()


def submodule(path: bytes) -> Entry:
    return Entry(path, Kind.SUBMODULE, SHA, None)


def test_a_digest_is_a_header_a_structure_and_the_files():
    assert digest({b"a.txt": b"hello\n"}).body.decode() == (
        "Repository: owner/name\n"
        "URL: https://github.com/owner/name\n"
        f"Commit: {SHA}\n"
        "Files analyzed: 1\n"
        "Estimated tokens: 27\n"
        "Committed: 2024-01-01T12:30:00Z\n"
        "\n"
        "Directory structure:\n"
        "└── owner-name/\n"
        "    └── a.txt\n"
        "\n"
        "================================================\n"
        "FILE: a.txt\n"
        "================================================\n"
        "hello\n"
        "\n"
        "\n"
    )


def test_what_is_not_known_of_a_commit_is_not_in_the_header():
    facts = replace(FACTS, full_name="na\nme", url=None, committed=None)

    made = digest(facts=facts)

    assert [line.partition(":")[0] for line in header(made)] == [
        "Repository",
        "Commit",
        "Files analyzed",
        "Estimated tokens",
    ]
    assert header(made)[0] == r'Repository: "na\nme"'
    assert made.url is made.metadata["url"] is made.metadata["committed"] is None


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ({}, []),
        ({"license": "", "description": ""}, []),
        ({"license": "MIT"}, ["License: MIT"]),
        ({"description": "Runs élections"}, ["Description: Runs élections"]),
        (
            {"license": "MIT", "description": "Runs elections"},
            ["License: MIT", "Description: Runs elections"],
        ),
        ({"description": "x" * 300}, ["Description: " + "x" * 300]),
        ({"description": "x" * 301}, ["Description: " + "x" * 300 + "…"]),
        (
            {"license": "M\nIT", "description": "a\n\nFILE: b\u202e"},
            [r'License: "M\nIT"', r'Description: "a\n\nFILE: b\342\200\256"'],
        ),
    ],
)
def test_what_the_feed_says_ends_the_header(said, lines):
    made = digest(facts=replace(FACTS, **said))

    assert header(made)[6:] == lines
    told = {name: made.metadata[name] for name in ("license", "description")}
    assert [f"{name.capitalize()}: {text}" for name, text in told.items() if text] == lines
    assert made.metadata["bytes"] == len(made.body)
    assert made.fingerprint == fingerprint.of_repository(
        fingerprint.fingerprint(SelectOptions()),
        license=said.get("license"),
        description=said.get("description"),
    )


def test_tokens_are_those_below_the_header():
    made = digest()
    below = made.body.decode().partition("\n\n")[2]

    assert made.tokens == tokens.count(below)
    assert f"Estimated tokens: {tokens.human(made.tokens)}" in header(made)
    assert made.metadata["tokens"] == {"count": made.tokens, "encoding": "o200k_base"}


def test_the_metadata_say_the_same_as_the_digest():
    made = digest()

    assert made.files == made.metadata["files_analyzed"] == len(FILES)
    assert made.metadata["bytes"] == len(made.body)
    assert made.metadata["fingerprint"] == made.fingerprint
    assert made.metadata["format"] == fingerprint.FORMAT
    assert made.metadata["produced_by"].keys() == {
        *("repomill", "gitingest", "identify", "pathspec", "toktok-rs"),
        *("PyYAML", "packageurl-python", "packaging", "tree-sitter", "tree-sitter-ruby"),
    }
    assert {name: made.metadata[name] for name in ("repository", "url", "commit", "committed")} == {
        "repository": "owner/name",
        "url": "https://github.com/owner/name",
        "commit": SHA,
        "committed": "2024-01-01T12:30:00Z",
    }


def test_a_block_is_where_the_metadata_say():
    made = digest(FILES, submodule(b"lib"))
    blocks = {
        file["path"]: made.body[file["offset"] :][: file["length"]].decode()
        for file in made.lists["files"]
        if file["state"] == "included"
    }

    line = "=" * 48
    assert blocks == {
        "README.md": f"{line}\nFILE: README.md\n{line}\n# Tïtle\n\n\n",
        r'"caf\351/\033.txt"': f'{line}\nFILE: "caf\\351/\\033.txt"\n{line}\na\n\n',
        "data.bin": f"{line}\nFILE: data.bin\n{line}\n[Binary file]\n\n",
        "src/main.py": f"{line}\nFILE: src/main.py\n{line}\nprint()\n\n\n",
    }


def test_every_path_is_in_the_metadata_sorted_with_what_became_of_it():
    large = Entry(b"large", Kind.FILE, "1" * 40, None)

    listed = list(digest({b"z": b"1"}, large, submodule(b"lib")).lists["files"])

    assert listed[:2] == [
        {
            "path": "large",
            "kind": "file",
            "bytes": None,
            "state": "omitted",
            "reason": "max_file_size",
        },
        {
            "path": "lib",
            "kind": "submodule",
            "bytes": None,
            "commit": SHA,
            "state": "omitted",
            "reason": "submodule",
        },
    ]
    assert listed[2].keys() == {"path", "kind", "bytes", "state", "offset", "length"}
    assert listed[2]["bytes"] == 1


def test_where_nothing_was_omitted_nothing_is_said_of_it():
    assert omitted(digest()) == []
    assert "Omitted" not in digest().body.decode()


def test_what_was_omitted_is_told_by_reason():
    others = [
        Entry(b"large", Kind.FILE, "1" * 40, 10**9),
        Entry(b"larger", Kind.FILE, "1" * 40, None),
        Entry(b"logs/a.log", Kind.FILE, "1" * 40, 30),
        Entry(b"logs/b.log", Kind.FILE, "1" * 40, 12),
        Entry(b"way/down", Kind.FOLDER, "1" * 40, None),
        submodule(b"lib/\x1b"),
    ]

    assert omitted(digest(FILES, *others, options=SelectOptions(exclude=("*.log",)))) == [
        "Omitted: 6 files",
        "- 2 larger than the file-size limit",
        "- 2 left out by patterns (42 bytes)",
        "- 1 folders too deep to enter",
        "- 1 submodules, not fetched",
        rf'  "lib/\033" @ {SHA}',
    ]


def test_a_hundred_submodules_are_not_all_named():
    lines = omitted(digest({}, *(submodule(b"%03d" % number) for number in range(100))))

    assert len(lines) == 2 + 50 + 1
    assert lines[-2:] == [f"  049 @ {SHA}", "  … and 50 more"]


def test_a_commit_without_files_has_a_digest_too():
    made = digest({})

    assert made.files == 0
    assert made.body.decode().endswith("\n\nDirectory structure:\n└── owner-name/\n\n")


@pytest.mark.parametrize(
    "options",
    [
        SelectOptions(max_file_size_bytes=1),
        SelectOptions(include=("*",)),
        SelectOptions(exclude=("*",)),
        SelectOptions(exclude=("\udcff",)),
    ],
)
def test_other_options_have_another_fingerprint(options):
    assert fingerprint.fingerprint(options) != fingerprint.fingerprint(SelectOptions())


def test_the_order_of_patterns_is_part_of_the_fingerprint():
    one, other = SelectOptions(exclude=("a", "!b")), SelectOptions(exclude=("!b", "a"))

    assert fingerprint.fingerprint(one) != fingerprint.fingerprint(other)
    assert fingerprint.fingerprint(one) == fingerprint.fingerprint(
        replace(other, exclude=one.exclude)
    )


@pytest.mark.parametrize(
    ("name", "value", "changes"),
    # There is but one version of each installed.
    [
        ("repomill.digest.fingerprint.FORMAT", fingerprint.FORMAT + 1, True),
        ("repomill.digest.compose.__version__", "99.0", False),
    ],
)
def test_the_format_is_part_of_the_fingerprint_and_our_version_is_not(
    monkeypatch, name, value, changes
):
    before, body = fingerprint.fingerprint(SelectOptions()), digest().body

    monkeypatch.setattr(name, value)

    assert (fingerprint.fingerprint(SelectOptions()) != before) is changes
    assert digest().body == body


def test_who_made_a_digest_is_said_in_the_metadata_alone():
    made = digest()

    assert made.metadata["produced_by"]["repomill"] == repomill.__version__
    assert repomill.__version__ not in made.body.decode()


def test_the_same_commit_gives_the_same_bytes():
    one, other = digest(FILES, submodule(b"lib")), digest(FILES, submodule(b"lib"))

    assert one.body == other.body
    assert b"".join(compose.render(one)) == b"".join(compose.render(other))


def test_metadata_are_rendered_as_json():
    made = digest({**FILES, "ï".encode(): b""}, submodule(b"lib"))

    rendered = b"".join(compose.render(made))

    values = json.loads(rendered)
    lists = {name: list(items) for name, items in made.lists.items()}
    assert {name: values.pop(name) for name in lists} == lists
    assert values == made.metadata
    assert rendered.endswith(b"}\n")
    assert "ï".encode() in rendered


def test_metadata_of_a_commit_without_files_are_json_too():
    assert json.loads(b"".join(compose.render(digest({}))))["files"] == []
