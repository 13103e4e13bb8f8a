"""Copies of a photograph told from other photographs, by 255 signs of its coarse structure. Pure.

A copy is the same photograph encoded again, made smaller, or put into a black frame. A fingerprint says of
each of the 255 lowest frequencies (discrete cosine transform of 64 x 64 mean brightnesses) whether it is
strong, and its sign: of the whole picture, and of what a black frame leaves. A picture cannot be made from
it. docs/tattoo.md has what was measured.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.images import RGBImage, cv2

__all__ = ["FINGERPRINT_BYTES", "Fingerprint"]

_FORMAT = struct.Struct("<6I64s64s")
FINGERPRINT_BYTES = _FORMAT.size
_SIDE, _FREQUENCIES = 64, 16
_STRONG = 6.0
"""Least size of a strong coefficient (orthonormal transform of brightnesses 0..255): noise stays below it."""
_LEAST_STRONG = 64
"""Coefficients that must be strong in both of two pictures before they are judged."""
_MOST_DIFFERENT = 0.02
"""Share of these whose sign may differ in a copy; in other photographs 0.25 and more do."""
_BLACK = 24.0
"""Greatest mean plus deviation of a row or column of a frame, 0..255; plain light is a background."""
_LEAST_CONTENT = 0.4
"""Of a side: what leaves less is no frame."""

_Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a picture so that copies of it are known."""

    width: int
    height: int
    content: tuple[int, int, int, int]
    """Left, top, width and height, pixels, of what a black frame leaves; all of it where there is none."""
    whole_signs: bytes
    """Of the whole picture: 32 bytes of signs, and 32 that say which are of strong coefficients."""
    content_signs: bytes
    """The same of the content."""

    @classmethod
    def of(cls, picture: RGBImage) -> Self | None:
        """None for a picture too plain to be told from others."""
        gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        left, top, right, bottom = _content(gray)
        whole, content = _signs(gray), _signs(gray[top:bottom, left:right])
        if _strong(whole).bit_count() < _LEAST_STRONG:
            return None
        height, width = gray.shape
        return cls(width, height, (left, top, right - left, bottom - top), whole, content)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises ValueError for bytes that are none."""
        if len(data) != FINGERPRINT_BYTES:
            raise ValueError(f"not {FINGERPRINT_BYTES} bytes")
        width, height, left, top, across, down, whole, content = _FORMAT.unpack(data)
        if not (0 < across <= width - left and 0 < down <= height - top):
            raise ValueError("its content is not inside the picture")
        return cls(width, height, (left, top, across, down), whole, content)

    def encode(self) -> bytes:
        return _FORMAT.pack(self.width, self.height, *self.content, self.whole_signs, self.content_signs)

    def place_in(self, other: Self, box: Box) -> Box | None:
        """Where a box of this picture, pixels, is in another one; None where that is no copy of it."""
        if _agree(self.whole_signs, other.whole_signs):
            return _moved(box, (0, 0, self.width, self.height), (0, 0, other.width, other.height))
        if _agree(self.content_signs, other.content_signs):
            return _moved(box, self.content, other.content)
        return None


def _moved(box: Box, old: tuple[int, int, int, int], new: tuple[int, int, int, int]) -> Box:
    across, down = new[2] / old[2], new[3] / old[3]
    return Box(
        new[0] + (box.x - old[0]) * across,
        new[1] + (box.y - old[1]) * down,
        box.width * across,
        box.height * down,
    )


def _agree(first: bytes, second: bytes) -> bool:
    shared = _strong(first) & _strong(second)
    different = (_positive(first) ^ _positive(second)) & shared
    count = shared.bit_count()
    return count >= _LEAST_STRONG and different.bit_count() <= _MOST_DIFFERENT * count


def _positive(signs: bytes) -> int:
    return int.from_bytes(signs[:32], "little")


def _strong(signs: bytes) -> int:
    return int.from_bytes(signs[32:], "little")


def _signs(gray: _Gray) -> bytes:
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    # The first one is the mean brightness.
    lowest = cv2.dct(small)[:_FREQUENCIES, :_FREQUENCIES].ravel()[1:]
    return np.packbits(lowest > 0).tobytes() + np.packbits(np.abs(lowest) > _STRONG).tobytes()


def _content(gray: _Gray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is left without black rows and columns at the edges."""
    height, width = gray.shape
    top, bottom = _span(gray, 1)
    left, right = _span(gray[top:bottom], 0)
    is_frame = bottom - top >= _LEAST_CONTENT * height and right - left >= _LEAST_CONTENT * width
    return (left, top, right, bottom) if is_frame else (0, 0, width, height)


def _span(gray: _Gray, axis: int) -> tuple[int, int]:
    seen = np.flatnonzero(gray.mean(axis=axis) + gray.std(axis=axis) > _BLACK)
    return (int(seen[0]), int(seen[-1]) + 1) if len(seen) else (0, gray.shape[1 - axis])
