"""Read the body of an HTTP/1.1 request, and frame the body of an answer (RFC 9112, 6 and 7)."""

from collections.abc import Iterator, Mapping
from io import BufferedIOBase

_PIECE_BYTES = 65_536
_LINE_BYTES = 4_096


def received(reader: BufferedIOBase, headers: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the body that these headers (by lower-case name) announce, freed of its chunks.

    Raises ValueError if the framing is wrong, ConnectionAbortedError if the body ends early.
    """
    if headers.get("transfer-encoding", "identity").lower() == "identity":
        yield from _exactly(reader, _number(headers.get("content-length", "0"), base=10))
        return
    while size := _number(_line(reader).partition(";")[0].strip(), base=16):
        yield from _exactly(reader, size)
        _line(reader)
    while _line(reader):  # trailers
        pass


def chunk(piece: bytes) -> bytes:
    """Return *piece* as one chunk; the empty piece is the last chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _exactly(reader: BufferedIOBase, size: int) -> Iterator[bytes]:
    while size:
        piece = reader.read(min(size, _PIECE_BYTES))
        if not piece:
            raise ConnectionAbortedError("the client left within its request")
        size -= len(piece)
        yield piece


def _line(reader: BufferedIOBase) -> str:
    line = reader.readline(_LINE_BYTES)
    if not line:
        raise ConnectionAbortedError("the client left within its request")
    return line.decode("latin-1").rstrip("\r\n")


def _number(text: str, *, base: int) -> int:
    number = int(text, base)
    if number < 0:
        raise ValueError("the length of a body is negative")
    return number
