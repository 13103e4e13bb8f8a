"""The size of a WebP (RFC 9649) and its EXIF orientation, read without decoding."""

import struct
from collections.abc import Iterator

from chassis.errors import InvalidImage
from chassis.images._exif import UPRIGHT, orientation_of

__all__ = ["is_webp", "read"]

_HEADER_SIZE = 12
_MAX_CHUNKS = 65_536  # an animation has one a frame
_PICTURES = frozenset({b"VP8 ", b"VP8L", b"ANMF"})


def is_webp(data: bytes) -> bool:
    """Whether the bytes begin like a WebP."""
    return data.startswith(b"RIFF") and data.startswith(b"WEBP", 8)


def read(data: bytes) -> tuple[int, int, int]:
    """Stored width and height in pixels (of the canvas, for an animation) and the EXIF orientation.

    Raises:
        InvalidImage: truncated, or the chunks are not those of a picture.
        struct.error: the file ends too early.
    """
    chunks = {kind: (offset, size) for kind, offset, size in reversed(list(_chunks(data)))}
    if not _PICTURES & chunks.keys():
        raise InvalidImage("webp image has no picture in it")
    width, height = _size(data, {kind: offset for kind, (offset, _) in chunks.items()})
    orientation = UPRIGHT
    if b"EXIF" in chunks:
        offset, size = chunks[b"EXIF"]
        orientation = orientation_of(data[offset : offset + size])
    return width, height, orientation


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, payload offset and payload size of every chunk."""
    (size,) = struct.unpack_from("<I", data, 4)
    end = size + 8
    if end > len(data):
        raise InvalidImage("webp image is truncated")
    position = _HEADER_SIZE
    for _ in range(_MAX_CHUNKS):
        if position + 8 > end:
            return
        kind, size = struct.unpack_from("<4sI", data, position)
        yield kind, position + 8, size
        position += 8 + size + size % 2
    raise InvalidImage("webp image has too many chunks")


def _size(data: bytes, offsets: dict[bytes, int]) -> tuple[int, int]:
    if b"VP8X" in offsets:
        return _canvas(data, offsets[b"VP8X"])
    if b"VP8L" in offsets:
        return _lossless(data, offsets[b"VP8L"])
    if b"VP8 " in offsets:
        return _lossy(data, offsets[b"VP8 "])
    raise InvalidImage("webp animation has no canvas")


def _canvas(data: bytes, offset: int) -> tuple[int, int]:
    """RFC 9649, 2.7: 24 bits of width - 1, then 24 of height - 1, after the flags."""
    width_low, width_high, height_low, height_high = struct.unpack_from("<HBHB", data, offset + 4)
    return (width_low | width_high << 16) + 1, (height_low | height_high << 16) + 1


def _lossless(data: bytes, offset: int) -> tuple[int, int]:
    """RFC 9649, 3.4: 14 bits of width - 1, then 14 of height - 1, after the signature byte."""
    signature, bits = struct.unpack_from("<BI", data, offset)
    if signature != 0x2F:
        raise InvalidImage("webp image has a damaged header")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _lossy(data: bytes, offset: int) -> tuple[int, int]:
    """RFC 6386, 9.1: 14 bits each, after the frame tag and the start code."""
    start, width, height = struct.unpack_from("<3sHH", data, offset + 3)
    if start != b"\x9d\x01\x2a":
        raise InvalidImage("webp image has a damaged header")
    return width & 0x3FFF, height & 0x3FFF
