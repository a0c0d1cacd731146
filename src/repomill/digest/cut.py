"""Cut a file's block at a line, and say how much is missing."""

from __future__ import annotations

from dataclasses import dataclass

_HEAD_LINES = 3
"""Of a block: a rule, the path, a rule."""
_TAIL = b"\n\n"
"""What gitingest puts behind a file's text."""
_CONTINUATION = 0x80
_CONTINUATION_MASK = 0xC0


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of a block."""

    body: bytes
    missing_bytes: int
    missing_lines: int
    """A line of which only the beginning is left is one of them."""


def cut(block: bytes, room_bytes: int) -> Cut | None:
    r"""Return the beginning of *block* in at most *room_bytes*, the mark included.

    It ends with a line, or within one where whole lines would leave less than half of the room.
    None where there is no room for anything of the file.

    >>> cut(b"=\nFILE: a\n=\n" + b"line\n" * 99 + b"\n\n", 60).body.decode().splitlines()[3:]
    ['line', 'line', '[… 97 more lines, 485 bytes]', '', '']
    """
    start = end_of_head(block)
    text_end = len(block) - len(_TAIL)
    mark_bytes = len(_mark(text_end - start, block.count(b"\n", start, text_end) + 1))
    room = room_bytes - start - mark_bytes - len(_TAIL) - 1
    if room <= 0:
        return None
    end = block.rfind(b"\n", start, start + room) + 1
    if end - start < room // 2:
        end = _between_characters(block, start + room)
    if end <= start:
        return None
    missing = block[end:text_end]
    lines = missing.count(b"\n") + (not missing.endswith(b"\n"))
    kept = block[:end] if block[end - 1 : end] == b"\n" else block[:end] + b"\n"
    return Cut(kept + _mark(len(missing), lines) + _TAIL, len(missing), lines)


def _mark(size_bytes: int, lines: int) -> bytes:
    return f"[… {lines} more line{'s' if lines != 1 else ''}, {size_bytes} bytes]\n".encode()


def end_of_head(block: bytes) -> int:
    """Return where the text of a file begins in its block."""
    end = 0
    for _ in range(_HEAD_LINES):
        end = block.index(b"\n", end) + 1
    return end


def _between_characters(block: bytes, end: int) -> int:
    """Return the place before *end* where no character of UTF-8 is cut."""
    while end > 0 and block[end] & _CONTINUATION_MASK == _CONTINUATION:
        end -= 1
    return end
