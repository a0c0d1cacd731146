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
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from repomill.digest import names
from repomill.errors import DigestError

if TYPE_CHECKING:
    from repomill.digest.view import Folder, Leaf
    from repomill.model import Entry


def _import_quietly() -> None:
    """Import gitingest and put logging, and the locale, back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    others = {
        name: (logger.handlers[:], logger.propagate)
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    root.handlers = []  # those found there would be closed
    language = locale.setlocale(locale.LC_ALL)
    import gitingest.ingestion  # noqa: PLC0415, F401 what surrounds it is the point
    import loguru  # noqa: PLC0415

    loguru.logger.remove()  # ends its thread too
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

_BETWEEN_BLOCKS_BYTES = 1
"""The line end that gitingest puts between two blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """Where the block of an entry stands in gitingest's content, in bytes."""

    entry: Entry
    offset_bytes: int
    length_bytes: int


@dataclass(frozen=True, slots=True)
class Ingested:
    """What gitingest made of a view; the blocks are in the order of the content."""

    tree: str
    content: str
    blocks: list[Block]


def ingest(view: Folder) -> Ingested:
    """Return gitingest's tree and content of *view*.

    Raises DigestError where gitingest fails, and what reading an entry raises.
    """
    # In a thread the stack begins anew: how deeply a notebook may be nested before Python gives up
    # must not depend on who called.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_ingest, view).result()


def _ingest(view: Folder) -> Ingested:
    query = SimpleNamespace(
        local_path=view,
        subpath="/",
        slug=view.name,
        type=None,
        user_name=None,
        branch=None,
        tag=None,
        commit=None,
        max_file_size=sys.maxsize,
        ignore_patterns=None,
        include_patterns=None,
    )
    blocks: list[Block] = []
    _blocks.set(blocks)
    try:
        _, tree, content = ingestion.ingest_query(query)
    except (ValueError, AttributeError) as error:
        raise DigestError(f"gitingest failed: {error}") from error
    return Ingested(tree, content, blocks)


_blocks: ContextVar[list[Block]] = ContextVar("blocks")
_gather_with_gitingest = output_formatter._gather_file_contents  # noqa: SLF001


def _gather(node: FileSystemNode) -> str:
    """Gather as gitingest does, and note where each block begins and ends."""
    text: str = _gather_with_gitingest(node)
    if node.type is not FileSystemNodeType.DIRECTORY:
        leaf = cast("Leaf", node.path)
        leaf.raise_failure()
        blocks = _blocks.get()
        offset = (
            blocks[-1].offset_bytes + blocks[-1].length_bytes + _BETWEEN_BLOCKS_BYTES
            if blocks
            else 0
        )
        blocks.append(Block(leaf.entry, offset, len(encode(text))))
    return text


def _readlink(leaf: Leaf) -> SimpleNamespace:
    """Return what gitingest asks of a link's target: its last name."""
    return SimpleNamespace(name=names.quote(PurePosixPath(leaf.readlink()).name))


def encode(text: str) -> bytes:
    """Return *text* in UTF-8; lone surrogates, which JSON notebooks can hold, are written out."""
    return text.encode("utf-8", "backslashreplace")


def _repair() -> None:
    """Replace what cannot be mended from outside.

    Links are no files here; tokens are counted elsewhere, offline, over the whole digest; and what
    goes in has been chosen before gitingest runs, so its own silent limits are lifted.
    """
    filesystem.readlink = output_formatter.readlink = _readlink
    output_formatter._format_token_count = lambda _text: None  # noqa: SLF001
    output_formatter._gather_file_contents = _gather  # noqa: SLF001
    ingestion.MAX_FILES = ingestion.MAX_TOTAL_SIZE_BYTES = sys.maxsize
    ingestion.MAX_DIRECTORY_DEPTH = sys.maxsize


_repair()
