"""The view of a commit that gitingest walks."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest import view
from repomill.digest.view import Folder, Leaf, Node, ShownName
from repomill.errors import CorruptError
from repomill.model import Entry, Kind


def entry(path: bytes, content: bytes = b"", kind: Kind = Kind.FILE) -> Entry:
    return Entry(path, kind, "1" * 40, len(content))


def leaf(name: str, content: bytes = b"", kind: Kind = Kind.FILE) -> Leaf:
    return Leaf(name, name, entry(name.encode(), content, kind), lambda _entry: content)


def build(contents: Mapping[bytes, bytes]) -> Folder:
    entries = [entry(path, content) for path, content in sorted(contents.items())]
    return view.build("root", entries, lambda entry: contents[entry.path])


def child(folder: Node, name: str) -> Node:
    assert isinstance(folder, Folder)
    return {str(node.name): node for node in folder.iterdir()}[name]


def test_folders_are_made_of_paths():
    root = build({b"a": b"", b"b/c/d": b"", b"b/c/e": b"", b"f": b""})

    assert [str(node.name) for node in root.iterdir()] == ["a", "b", "f"]
    deep = child(child(root, "b"), "c")
    assert isinstance(deep, Folder)
    assert [str(node) for node in deep.iterdir()] == ["b/c/d", "b/c/e"]
    assert str(deep) == deep.relative_to(root) == "b/c"
    assert str(root.name) == "root"


def test_each_kind_of_node_is_one_thing_only():
    nodes = [
        Folder("a", "a"),
        leaf("a"),
        leaf("a", kind=Kind.LINK),
    ]
    asked: list[Callable[[Node], bool]] = [Node.is_dir, Node.is_file, Node.is_symlink]

    told = [[getattr(node, question.__name__)() for question in asked] for node in nodes]

    assert told == [[True, False, False], [False, True, False], [False, False, True]]
    assert not any(question(Node("a", "a")) for question in asked)
    assert all(node.exists() for node in nodes)


def test_a_view_is_entered_at_its_root():
    root = build({b"a/b": b""})

    assert root / "." is root
    with pytest.raises(ValueError, match="has only its root, not 'a'"):
        root / "a"


# Python 3.14 calls a last dot a suffix.
@settings(deadline=None)
@given(st.text(st.sampled_from("ab.é ~"), min_size=1).filter(lambda name: not name.endswith(".")))
def test_a_suffix_is_what_pathlib_calls_one(name):
    assert leaf(name).suffix == PurePosixPath(name).suffix


def test_a_hostile_name_is_shown_quoted_and_sorts_as_it_is():
    root = build({b"\x1bB": b"", b"\x1ba": b"", b"c\xff/d": b""})
    names = [node.name for node in root.iterdir()]

    assert names == [r'"\033B"', r'"\033a"', r'"c\377"']
    assert [name.lower() for name in names] == ["\x1bb", "\x1ba", "c\udcff"]
    assert str(child(child(root, r'"c\377"'), "d")) == r'"c\377/d"'


def test_a_plain_name_is_shown_as_it_is():
    assert ShownName("README.md") == "README.md"
    assert ShownName("README.md").lower() == "readme.md"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"one\ntwo\n", "one\ntwo\n"),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("é".encode() * 600, "é" * 600),
        (b"\xff\xfe" + "é".encode("utf-16-le"), "é"),
    ],
)
def test_text_is_read_decoded_and_with_line_feeds(content, shown):
    node = leaf("a", content)

    with node.open("rb") as first_look:
        beginning = first_look.read(1024)
        assert isinstance(beginning, bytes)
        assert beginning.decode()  # what gitingest takes for text
    with node.open(encoding="utf-8") as file:
        assert file.read() == shown


def test_an_empty_file_and_a_binary_one_are_told_apart():
    with leaf("a").open("rb") as file:
        assert file.read(1024) == b""
    with leaf("a", b"\x89PNG\0\xff").open("rb") as file, pytest.raises(UnicodeDecodeError):
        bytes(file.read(1024)).decode()  # type: ignore[arg-type]  # opened for bytes
    with leaf("a.ipynb", b"\x89PNG\0\xff").open() as file:  # a notebook is read unseen
        assert file.read() == ""


def test_a_file_is_read_once_for_both_looks():
    reads = []

    def read(entry: Entry) -> bytes:
        reads.append(entry)
        return b"text"

    node = Leaf("a", "a", entry(b"a"), read)
    node.open("rb").close()
    node.open().close()

    assert len(reads) == 1


def test_a_size_is_that_of_the_entry():
    assert leaf("a", b"12345").stat().st_size == 5
    assert Leaf("a", "a", Entry(b"a", Kind.FILE, "1" * 40, None), lambda _: b"").stat().st_size == 0


def test_the_target_of_a_link_is_read():
    assert leaf("a", b"../caf\xe9", Kind.LINK).readlink() == "../caf\udce9"


def test_a_failure_to_read_is_remembered():
    def failing(entry: Entry) -> bytes:
        raise CorruptError(f"object {entry.oid} cannot be read")

    node = Leaf("a", "a", entry(b"a"), failing)
    node.raise_failure()

    with pytest.raises(CorruptError) as first:
        node.open("rb")
    with pytest.raises(CorruptError) as second:
        node.raise_failure()
    assert second.value is first.value
