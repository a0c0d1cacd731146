"""Run gitingest over a view of a commit: the only module that imports gitingest.

Importing it takes over logging for the whole process: it replaces the root logger's handlers,
strips those of other loggers and starts a thread. All of that is undone here.
"""

from __future__ import annotations

import locale
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec
from pathlib import PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, cast

from repomill.digest import names
from repomill.digest.view import Leaf, Rest
from repomill.errors import DigestError

if TYPE_CHECKING:
    from pathlib import Path

    from repomill.digest.view import Folder


def _stand_ins() -> dict[str, ModuleType]:
    """Return modules for what gitingest imports and we do not use: 16 MB of each worker.

    It would count tokens with the first three, over the network, and make its own queries with
    pydantic: ours are none of those.
    """
    names = ("requests", "requests.exceptions", "tiktoken", "pydantic")
    modules = {name: ModuleType(name) for name in names if name not in sys.modules}
    if pydantic := modules.get("pydantic"):
        vars(pydantic).update(BaseModel=object, Field=lambda **_: None)
    return modules


def _import_quietly() -> None:
    """Import gitingest and put logging, and the locale, back as they were.

    What it fetches with is not imported: its package's own module, which asks for that, is not run.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    others = {
        name: (logger.handlers[:], logger.propagate)
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    root.handlers = []  # those found there would be closed
    language = locale.setlocale(locale.LC_ALL)
    if package := find_spec("gitingest"):
        sys.modules.setdefault("gitingest", module_from_spec(package))
    stand_ins = _stand_ins()
    sys.modules.update(stand_ins)
    import gitingest.ingestion  # noqa: PLC0415, F401 what surrounds it is the point
    import loguru  # noqa: PLC0415

    loguru.logger.remove()  # ends its thread too
    for name in stand_ins:
        del sys.modules[name]
    locale.setlocale(locale.LC_ALL, language)
    root.handlers, root.level = handlers, level
    for name, (own, propagate) in others.items():
        logging.getLogger(name).handlers[:] = own
        logging.getLogger(name).propagate = propagate


_import_quietly()

from gitingest import ingestion, output_formatter  # noqa: E402
from gitingest.schemas import FileSystemNode, FileSystemNodeType, filesystem  # noqa: E402
from gitingest.utils.ignore_patterns import DEFAULT_IGNORE_PATTERNS  # noqa: E402

DEFAULT_PATTERNS: tuple[str, ...] = tuple(sorted(DEFAULT_IGNORE_PATTERNS))
"""What gitingest leaves out by default; none of them negates, so their order says nothing."""

BETWEEN_BLOCKS = b"\n"
"""What gitingest puts between two blocks."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What gitingest makes of a view before it reads any file."""

    tree: str
    leaves: list[Leaf]
    """In the order of their blocks."""


def structure(root: Folder) -> Structure:
    """Return gitingest's tree of a view. Raises DigestError where gitingest fails."""
    query = SimpleNamespace(
        local_path=root,
        subpath="/",
        slug=root.name,
        type=None,
        user_name=None,
        branch=None,
        tag=None,
        commit=None,
        max_file_size=sys.maxsize,
        ignore_patterns=None,
        include_patterns=None,
    )
    leaves: list[Leaf] = []
    _leaves.set(leaves)
    try:
        _, tree, _ = ingestion.ingest_query(query)
    except (ValueError, AttributeError) as error:
        raise DigestError(f"gitingest failed: {error}") from error
    return Structure(tree, leaves)


def block(leaf: Leaf) -> bytes:
    """Return gitingest's block of a file or link, in UTF-8.

    Raises DigestError where gitingest fails, and what reading it raises.
    """
    if leaf.suffix != ".ipynb":
        return _block(leaf)
    # In a thread the stack begins anew: how deeply a notebook may be nested before Python gives up
    # must not depend on who called.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_block, leaf).result()


def _block(leaf: Leaf) -> bytes:
    kind = FileSystemNodeType.SYMLINK if leaf.is_symlink() else FileSystemNodeType.FILE
    node = FileSystemNode(name=leaf.name, type=kind, path_str=str(leaf), path=cast("Path", leaf))
    try:
        text = node.content_string
    except (ValueError, AttributeError) as error:
        raise DigestError(f"gitingest failed: {error}") from error
    leaf.raise_failure()
    return encode(text)


_leaves: ContextVar[list[Leaf]] = ContextVar("leaves")


def _gather(node: FileSystemNode) -> str:
    """Note the files and links in gitingest's order, instead of reading them all into one text."""
    if node.type is FileSystemNodeType.DIRECTORY:
        for child in node.children:
            _gather(child)
    elif isinstance(node.path, Leaf):
        _leaves.get().append(node.path)
    return ""


_sort_with_gitingest = FileSystemNode.sort_children


def _sort_children(node: FileSystemNode) -> None:
    """Sort as gitingest does; the line that stands for what is not shown comes last."""
    _sort_with_gitingest(node)
    node.children.sort(key=lambda child: isinstance(child.path, Rest))


def _readlink(leaf: Leaf) -> SimpleNamespace:
    """Return what gitingest asks of a link's target: its last name."""
    return SimpleNamespace(name=names.quote(PurePosixPath(leaf.readlink()).name))


def encode(text: str) -> bytes:
    """Return *text* in UTF-8; lone surrogates, which JSON notebooks can hold, are written out."""
    return text.encode("utf-8", "backslashreplace")


def _repair() -> None:
    """Replace what cannot be mended from outside.

    Links are no files here; tokens are counted elsewhere, offline, over the whole digest; files are
    read one by one, for as long as there is room; and what goes in has been chosen before gitingest
    runs, so its own silent limits are lifted.
    """
    filesystem.readlink = output_formatter.readlink = _readlink
    output_formatter._format_token_count = lambda _text: None  # noqa: SLF001
    output_formatter._gather_file_contents = _gather  # noqa: SLF001
    FileSystemNode.sort_children = _sort_children
    ingestion.MAX_FILES = ingestion.MAX_TOTAL_SIZE_BYTES = sys.maxsize
    ingestion.MAX_DIRECTORY_DEPTH = sys.maxsize


_repair()
