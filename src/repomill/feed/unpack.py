"""From a feed's bytes to its text: decompressed, without a mark, and as a stream."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

from repomill.errors import FeedError, NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 16
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952, 2.3.1
_MOST_LAYERS = 2
"""A file that is gzip may be sent with gzip as its Content-Encoding."""


class Unpacked:
    """A feed's text. An error of its stream is an end of the text, until it is asked for.

    So everything that came before the error can be used.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Decompress *stream* where it is gzip, and pass over what stands before its first word.

        Raises FeedError for what is no text.
        """
        # A read1 that fails has lost nothing; a read may have.
        layer = _Layer(getattr(stream, "read1", stream.read))
        self._layers = [layer]
        buffered = io.BufferedReader(layer, CHUNK_BYTES)
        while len(self._layers) <= _MOST_LAYERS and buffered.peek(2)[:2] == _GZIP_MAGIC:
            layer = _Layer(gzip.GzipFile(fileobj=buffered, mode="rb").read1)
            self._layers.append(layer)
            buffered = io.BufferedReader(layer, CHUNK_BYTES)
        _refuse_other_encodings(buffered.peek(2))
        if buffered.peek(3).startswith(_UTF_8_MARK):
            buffered.read(len(_UTF_8_MARK))
        self.first_line = 1 + _skip_space(buffered)
        self.head = buffered.peek()
        """How the text begins: its first 64 KiB at the most."""
        self.is_all_head = layer.ended
        """Whether the text goes on nowhere beyond its head."""
        self.text = io.TextIOWrapper(buffered, "utf-8", errors="replace", newline="\n")

    def failure(self) -> FeedError | None:
        """Return what ended the text before its time, as far as it has been read."""
        return next((layer.failure for layer in self._layers if layer.failure), None)


class _Layer(io.RawIOBase):
    """Bytes from *read*, in full buffers however they come, and an end where it fails."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read = read
        self.ended = False
        self.failure: FeedError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        filled = 0
        while filled < len(view) and not self.ended:
            data = self._next(len(view) - filled)
            view[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def _next(self, size_bytes: int) -> bytes:
        try:
            data = self._read(size_bytes)
        except (NetworkError, OSError, EOFError, zlib.error) as error:
            self.failure = _explain(error)
            data = b""
        self.ended = not data
        return data


def _explain(error: Exception) -> FeedError:
    if isinstance(error, NetworkError):
        return FeedError(f"the feed is truncated: {error}")
    if isinstance(error, EOFError):
        return FeedError("the feed is truncated: its gzip data ends too early; get it anew")
    if isinstance(error, (gzip.BadGzipFile, zlib.error)):
        return FeedError(f"the feed's gzip data is damaged ({error}); get it anew")
    return FeedError(f"the feed cannot be read to its end ({error})")


def _refuse_other_encodings(head: bytes) -> None:
    if head.startswith(_UTF_16_MARKS):
        raise FeedError("the feed is UTF-16; save it as UTF-8")


def _skip_space(buffered: io.BufferedReader[_Layer]) -> int:
    """Pass over white space and return how many lines end in it."""
    lines = 0
    while head := buffered.peek():
        space = buffered.read(len(head) - len(head.lstrip()))
        lines += space.count(b"\n")
        if len(space) < len(head):
            break
    return lines
