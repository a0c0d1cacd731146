"""Write git objects as one packfile and its index, without deltas (gitformat-pack).

Two files a repository: as loose objects, thousands of small files cost more than their
compression, here and again when git packs them for a client.
"""

import struct
import zlib
from hashlib import sha1
from itertools import accumulate
from pathlib import Path
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["commit", "tree", "blob"]

_TYPES: dict[Kind, int] = {"commit": 1, "tree": 2, "blob": 3}
_FASTEST = 1
_FAN_OUT = range(256)


class Packfile:
    """Objects, gathered for a packfile; their content is not checked."""

    def __init__(self) -> None:
        """Start without objects."""
        self._entries: dict[bytes, bytes] = {}

    def add(self, kind: Kind, content: bytes) -> bytes:
        """Take an object in, once if it comes again; return the 20 bytes of its SHA."""
        oid = _digest(f"{kind} {len(content)}\0".encode(), content)
        if oid not in self._entries:
            header = _entry_header(_TYPES[kind], len(content))
            self._entries[oid] = header + zlib.compress(content, _FASTEST)
        return oid

    def write(self, repository: Path) -> None:
        """Write the pack and its index into a bare repository, which must be there."""
        header = struct.pack(">4sII", b"PACK", 2, len(self._entries))
        body = b"".join([header, *self._entries.values()])
        checksum = _digest(body)
        index = self._index(first_offset=len(header)) + checksum
        stem = repository / "objects" / "pack" / f"pack-{checksum.hex()}"
        stem.parent.mkdir(exist_ok=True)
        stem.with_suffix(".pack").write_bytes(body + checksum)
        stem.with_suffix(".idx").write_bytes(index + _digest(index))

    def _index(self, *, first_offset: int) -> bytes:
        """Return an index of version 2 up to its checksums: SHAs, CRCs and offsets by SHA."""
        sizes = map(len, self._entries.values())
        offsets = dict(zip(self._entries, accumulate(sizes, initial=first_offset), strict=False))
        oids = sorted(self._entries)
        first_bytes = [oid[0] for oid in oids]
        counts = accumulate(first_bytes.count(byte) for byte in _FAN_OUT)
        return b"".join(
            [
                struct.pack(">4sI", b"\xfftOc", 2),
                *(struct.pack(">I", count) for count in counts),
                *oids,
                *(struct.pack(">I", zlib.crc32(self._entries[oid])) for oid in oids),
                *(struct.pack(">I", offsets[oid]) for oid in oids),
            ]
        )


def _digest(*pieces: bytes) -> bytes:
    digest = sha1(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _entry_header(object_type: int, size: int) -> bytes:
    """Return type and size: 4 bits of the size in the first byte, 7 in each that follows."""
    sizes = [size & 0x0F]
    size >>= 4
    while size:
        sizes.append(size & 0x7F)
        size >>= 7
    header = bytearray(0x80 | bits for bits in sizes)
    header[0] |= object_type << 4
    header[-1] &= 0x7F
    return bytes(header)
