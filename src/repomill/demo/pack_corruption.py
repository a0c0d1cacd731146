"""Damage a packfile inside git's answer to a fetch.

The answer is a row of pkt-lines (gitprotocol-common): four hexadecimal digits that count
themselves and the payload, then the payload; 0000 to 0002 are lone markers. In side-band
packets (gitprotocol-pack, "Packfile Data") the payload's first byte is the band, and 1 is the
pack. No other line of an upload-pack answer begins with that byte.
"""

from collections.abc import Iterable, Iterator

_LENGTH_BYTES = 4
_BAND_OF_PACK = b"\x01"
_SMALLEST_BYTES = 32
"""Smaller packets may be a keep-alive, or the pack's header (12 bytes) or trailer (20) alone."""


def corrupted(body: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *body* with every packet of pack data damaged in its middle; lengths stay right.

    What is not made of pkt-lines passes unchanged.
    """
    pending = b""
    for piece in body:
        pending += piece
        while pending and len(pending) >= (length := _packet_bytes(pending)):
            yield _damaged(pending[:length])
            pending = pending[length:]
    yield pending


def _packet_bytes(pending: bytes) -> int:
    """Return the length of the packet that *pending* begins with; all of it if there is none."""
    if len(pending) < _LENGTH_BYTES:
        return _LENGTH_BYTES
    try:
        return max(int(pending[:_LENGTH_BYTES], 16), _LENGTH_BYTES)
    except ValueError:
        return len(pending)


def _damaged(packet: bytes) -> bytes:
    data_start = _LENGTH_BYTES + len(_BAND_OF_PACK)
    is_pack = packet[_LENGTH_BYTES:data_start] == _BAND_OF_PACK
    if not is_pack or len(packet) < data_start + _SMALLEST_BYTES:
        return packet
    middle = (data_start + len(packet)) // 2
    return packet[:middle] + bytes([packet[middle] ^ 0xFF]) + packet[middle + 1 :]
