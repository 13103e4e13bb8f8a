"""The orientation in an EXIF block (TIFF 6.0 layout, EXIF 2.32 tag 0x0112)."""

import struct
from typing import Final

__all__ = ["UPRIGHT", "orientation_of"]

UPRIGHT: Final = 1
_PREFIX = b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_SHORT = 3
_ENTRY_SIZE = 12


def orientation_of(block: bytes) -> int:
    """1..8 as EXIF defines it; 1 (upright) when the block has none or is damaged.

    A damaged block is no reason to refuse a picture: viewers show it upright as well.
    """
    try:
        value = _orientation(block.removeprefix(_PREFIX))
    except struct.error:
        return UPRIGHT
    return value if 1 <= value <= 8 else UPRIGHT


def _orientation(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    magic, directory = struct.unpack_from(f"{order}HI", tiff, 2)
    if magic != 42:
        return UPRIGHT
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for index in range(entries):
        entry = directory + 2 + index * _ENTRY_SIZE
        tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION_TAG:
            return int(value) if kind == _SHORT else UPRIGHT
    return UPRIGHT
