"""The published schema of metadata objects is true of them."""

import json
from pathlib import Path

import jsonschema
import pytest

from repomill.digest import compose, document, linguist, select
from repomill.digest.compose import Facts
from repomill.digest.document import Source
from repomill.digest.select import SelectOptions
from repomill.model import Digest, Entry, Kind

SCHEMA = json.loads(
    Path(__file__).parents[2].joinpath("docs/reference/metadata.schema.json").read_text()
)
SHA = "0123456789abcdef0123456789abcdef01234567"
LITTLE = Facts(full_name="folder", url=None, commit=SHA, committed=None)
MUCH = Facts(
    full_name="owner/name",
    url="https://github.com/owner/name",
    commit=SHA,
    committed=None,
    languages=(("Ruby", 2 / 3), ("C", 1 / 3)),
    license="MIT",
    description="What it does",
)
OTHERS = [
    Entry(b"lib", Kind.SUBMODULE, SHA, None),
    Entry(b"way/down", Kind.FOLDER, SHA, None),
    Entry(b"large", Kind.FILE, SHA, None),
    Entry(b"left.log", Kind.FILE, SHA, 3),
]


def make(
    facts: Facts, contents: dict[bytes, bytes], size: int | None, *, explained: bool
) -> Digest:
    entries = [Entry(path, Kind.FILE, "1" * 40, len(data)) for path, data in contents.items()]
    options = SelectOptions(max_size_bytes=size, exclude=("*.log",))
    everything = sorted([*entries, *OTHERS], key=lambda entry: entry.path)
    source = Source(
        facts=facts,
        selection=select.select(everything, options, default_patterns=()),
        read=lambda entry: contents[entry.path],
        nature_of=linguist.nature,
    )
    return document.make(source, options, explained=explained)


@pytest.mark.parametrize("explained", [False, True])
@pytest.mark.parametrize("size", [None, 4096])
@pytest.mark.parametrize("facts", [LITTLE, MUCH], ids=["little", "much"])
def test_metadata_are_what_the_schema_says(facts, size, explained):
    contents = {b"README.md": b"line\n" * 9, b"a\xff.rb": b"puts 1\n" * 900, b"z.png": b"\0"}

    made = make(facts, contents, size, explained=explained)

    values = json.loads(b"".join(compose.render(made)))
    jsonschema.validate(values, SCHEMA)
    states = {file["state"] for file in values["files"]}
    assert states == ({"included", "omitted"} if size is None else {"included", "cut", "omitted"})
    assert any("rank" in file for file in values["files"]) is explained


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ("state", "lost"),
        ("bytes", -1),
        ("reason", "dislike"),
        ("offset", 1.5),
        ("unknown", 1),
    ],
)
def test_what_is_something_else_does_not_pass(where, wrong):
    values = json.loads(b"".join(compose.render(make(MUCH, {b"a": b"b"}, None, explained=False))))
    values["files"][0][where] = wrong

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)
