"""The size of a PNG (W3C PNG, third edition) and its EXIF orientation, read without decoding."""

import struct

from chassis.errors import InvalidImage
from chassis.images._exif import UPRIGHT, orientation_of

__all__ = ["is_png", "read"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK_OVERHEAD = 12  # length, type and checksum
_MAX_CHUNKS = 65_536  # a 32 MiB file in the usual 8 KiB chunks has 4,096


def is_png(data: bytes) -> bool:
    """Whether the bytes begin like a PNG."""
    return data.startswith(_SIGNATURE)


def read(data: bytes) -> tuple[int, int, int]:
    """Stored width and height in pixels and the EXIF orientation; the end chunk must be there.

    Raises:
        InvalidImage: truncated, or the chunks are not those of a picture.
        struct.error: the file ends too early.
    """
    position = len(_SIGNATURE)
    _length, kind, width, height = struct.unpack_from(">I4sII", data, position)
    if kind != b"IHDR":
        raise InvalidImage("png image does not begin with its header")
    orientation = UPRIGHT
    for _ in range(_MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        if position + length + _CHUNK_OVERHEAD > len(data):
            raise InvalidImage("png image is truncated")
        if kind == b"eXIf":
            orientation = orientation_of(data[position + 8 : position + 8 + length])
        elif kind == b"IEND":
            return width, height, orientation
        position += length + _CHUNK_OVERHEAD
    raise InvalidImage("png image has too many chunks")
