"""Make bare repositories without git, checkout or user configuration.

Trees and commits are written byte by byte, so names can be made that git itself refuses to add.
The same input gives the same SHAs on every machine.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TypeAlias, TypeVar

import pygit2
from pygit2.enums import FileMode

from repomill.demo.packfile import Packfile

NEW_YEAR_2024 = 1_704_067_200
"""The time of every commit that is given no other: seconds since the epoch, UTC."""

LARGEST_FILE_BYTES = 5_000_000
"""Larger files of a distribution, mostly compiled libraries, stay out of its repository."""

_COMPILED_OR_LOCAL = frozenset({".pyc", ".pth"})
"""Byte code; and path files, where an editable installation names folders of this machine."""

_INSTALLER_RECORDS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
"""Written at installation (PyPA, "Recording installed projects"): they tell of this machine."""

_ROOT = b""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link; its target can be anything, as in a hostile repository."""

    target: bytes


@dataclass(frozen=True, slots=True)
class Submodule:
    """A commit of another repository, by its full SHA; it need not exist."""

    commit: str


Content: TypeAlias = bytes | Link | Submodule
Name = TypeVar("Name", bound=str | bytes)


def write_repository(
    path: Path,
    files: Mapping[Name, Content],
    *,
    branch: str = "main",
    message: str = "Add files",
    when: int = NEW_YEAR_2024,
) -> str:
    """Commit exactly *files* to *branch*, point HEAD at it, and return the commit's full SHA.

    The bare repository is created if *path* is not there; else the branch's tip is the parent.
    Names are paths with slashes, text being UTF-8, and are not checked: `..`, `.git` and empty
    components are written as they are, and `a` beside `a/b` makes a tree with two entries `a`.
    *when* is seconds since the epoch. Raises ValueError for a name with a null byte, which no
    tree can hold.
    """
    contents = {_encoded(name): content for name, content in files.items()}
    repository = _repository(path)
    reference = f"refs/heads/{branch}"
    tip = repository.references.get(reference)
    pack = Packfile()
    tree = _write_trees(pack, contents)
    commit = pack.add("commit", _commit(tree, tip, message, when))
    pack.write(path)
    repository.references.create(reference, commit.hex(), force=True)
    repository.set_head(reference)
    return commit.hex()


def write_branch(path: Path, name: str, sha: str) -> None:
    """Set the branch *name*, slashes allowed, to the commit *sha*; HEAD stays."""
    pygit2.Repository(path).references.create(f"refs/heads/{name}", sha, force=True)


def write_tag(path: Path, name: str, sha: str) -> None:
    """Set the lightweight tag *name*, slashes allowed, to the commit *sha*."""
    pygit2.Repository(path).references.create(f"refs/tags/{name}", sha, force=True)


def package_repositories(
    root: Path, *, owner: str = "packages", count: int | None = None
) -> list[Path]:
    """Make `root/OWNER/NAME.git` from each Python distribution installed here; return the paths.

    They hold its files as installed; left out are byte code, files outside site-packages, the
    installer's own records, and files above LARGEST_FILE_BYTES. NAME is the canonical name
    (PEP 503). Distributions left with fewer than two files do not count; of the others the first
    *count* by name are made, None being all.
    """
    paths: list[Path] = []
    for name, distribution in sorted(_by_canonical_name().items()):
        if len(paths) == count:
            break
        files = dict(_installed_files(distribution))
        if len(files) > 1:
            paths.append(root / owner / f"{name}.git")
            write_repository(paths[-1], files, message=f"{name} {distribution.version}")
    return paths


def _repository(path: Path) -> pygit2.Repository:
    return pygit2.Repository(path) if path.exists() else pygit2.init_repository(path, bare=True)


def _encoded(name: str | bytes) -> bytes:
    encoded = name.encode() if isinstance(name, str) else name
    if b"\0" in encoded:
        raise ValueError(f"no tree can hold a name with a null byte: {name!r}")
    return encoded


def _commit(tree: bytes, tip: pygit2.Reference | None, message: str, when: int) -> bytes:
    parent = f"parent {tip.target}\n" if tip else ""
    signed = f"Demo <demo@example.org> {when} +0000"
    head = f"tree {tree.hex()}\n{parent}author {signed}\ncommitter {signed}\n"
    return f"{head}\n{message}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A line of a tree object."""

    mode: FileMode
    name: bytes
    oid: bytes

    def raw(self) -> bytes:
        return b"%o %b\0%b" % (self.mode, self.name, self.oid)

    def order(self) -> bytes:
        """Git sorts folders as if their names ended in a slash (git's base_name_compare)."""
        return self.name + b"/" if self.mode == FileMode.TREE else self.name


def _write_trees(pack: Packfile, contents: Mapping[bytes, Content]) -> bytes:
    """Write every folder, the deepest first, and return the root.

    A loop, because a hostile chain of folders is deeper than Python's stack.
    """
    folders = _entries_by_folder(pack, contents)
    for folder in sorted(folders.keys() - {_ROOT}, key=_depth, reverse=True):
        parent, name = _split(folder.removesuffix(b"/"))
        oid = _write_tree(pack, folders[folder])
        folders[parent].append(_Entry(mode=FileMode.TREE, name=name, oid=oid))
    return _write_tree(pack, folders[_ROOT])


def _entries_by_folder(
    pack: Packfile, contents: Mapping[bytes, Content]
) -> defaultdict[bytes, list[_Entry]]:
    """Write the files; return their entries by folder, whose path ends in a slash.

    Folders that hold nothing but folders are there too, without entries so far.
    """
    folders: defaultdict[bytes, list[_Entry]] = defaultdict(list)
    for path, content in contents.items():
        folder, name = _split(path)
        folders[folder].append(_write_content(pack, name, content))
        while folder and (folder := _split(folder.removesuffix(b"/"))[0]) not in folders:
            folders[folder] = []
    return folders


def _split(path: bytes) -> tuple[bytes, bytes]:
    """Return the folder of a path, slash included, and the name in it."""
    end = path.rfind(b"/") + 1
    return path[:end], path[end:]


def _depth(folder: bytes) -> int:
    return folder.count(b"/")


def _write_content(pack: Packfile, name: bytes, content: Content) -> _Entry:
    match content:
        case Submodule(commit):
            return _Entry(mode=FileMode.COMMIT, name=name, oid=bytes.fromhex(commit))
        case Link(target):
            oid = pack.add("blob", target)
            return _Entry(mode=FileMode.LINK, name=name, oid=oid)
        case _:
            oid = pack.add("blob", content)
            return _Entry(mode=FileMode.BLOB, name=name, oid=oid)


def _write_tree(pack: Packfile, entries: Iterable[_Entry]) -> bytes:
    lines = (entry.raw() for entry in sorted(entries, key=_Entry.order))
    return pack.add("tree", b"".join(lines))


def _by_canonical_name() -> dict[str, Distribution]:
    """Return what is installed; of two of one name the first, which is the one imported."""
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        found.setdefault(re.sub(r"[-_.]+", "-", distribution.name).lower(), distribution)
    return found


def _installed_files(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    for file in distribution.files or ():
        is_foreign = file.is_absolute() or {"..", "__pycache__"} & set(file.parts)
        if is_foreign or file.suffix in _COMPILED_OR_LOCAL or file.name in _INSTALLER_RECORDS:
            continue
        path = Path(str(distribution.locate_file(file)))
        if path.is_file() and path.stat().st_size <= LARGEST_FILE_BYTES:
            yield file.as_posix(), path.read_bytes()
