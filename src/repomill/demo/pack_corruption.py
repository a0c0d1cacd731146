"""Damage a packfile inside git's answer to a fetch.

The answer is a row of pkt-lines (gitprotocol-common): four hexadecimal digits that count
themselves and the payload, then the payload; 0000 to 0002 are lone markers. In side-band
packets (gitprotocol-pack, "Packfile Data") the payload's first byte is the band, and 1 is the
pack. No other line of an upload-pack answer begins with that byte.
"""

from collections.abc import Iterable, Iterator

_LENGTH_BYTES = 4
_BAND_OF_PACK = b"\x01"
_DAMAGED_OFFSET = 64
"""Past the pack's header (12 bytes), inside its first object, and before any trailer.

An offset in the pack, not in a packet: how a pack is cut into packets changes from run to run.
"""


def corrupted(body: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *body* with one byte of the pack changed; all lengths stay right.

    A body without a pack, or that is not made of pkt-lines, passes unchanged.
    """
    pack_bytes = 0
    for packet in _packets(body):
        prefix, data = _split(packet)
        position = _DAMAGED_OFFSET - pack_bytes
        pack_bytes += len(data)
        if 0 <= position < len(data):
            data = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        yield prefix + data


def _packets(body: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes, a whole pkt-line at a time; what is none comes as it is."""
    pending = b""
    for piece in body:
        pending += piece
        while pending and (size := _packet_bytes(pending)) <= len(pending):
            yield pending[:size]
            pending = pending[size:]
    yield pending


def _packet_bytes(pending: bytes) -> int:
    """Return the size of the packet that *pending* begins with; of all of it if there is none."""
    if len(pending) < _LENGTH_BYTES:
        return _LENGTH_BYTES
    try:
        return max(int(pending[:_LENGTH_BYTES], 16), _LENGTH_BYTES)
    except ValueError:
        return len(pending)


def _split(packet: bytes) -> tuple[bytes, bytes]:
    """Return what frames the pack data of a packet, and the data; none if it carries another."""
    data_start = _LENGTH_BYTES + len(_BAND_OF_PACK)
    is_pack = packet[_LENGTH_BYTES:data_start] == _BAND_OF_PACK
    return (packet[:data_start], packet[data_start:]) if is_pack else (packet, b"")
