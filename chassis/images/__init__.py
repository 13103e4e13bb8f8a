"""Pictures: recognised and measured from their header, refused when too large, decoded to upright RGB.

Only JPEG, PNG and WebP are decoded, whatever else OpenCV was built with. OpenCV's pixel ceiling works only
when it is set before OpenCV loads, so take the library from here: `from chassis.images import cv2`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ConfigError, InvalidImage
from chassis.images._header import ImageFormat, ImageHeader, read_header
from chassis.images._opencv import PIXEL_CEILING, cv2

__all__ = [
    "RGBImage",
    "ImageFormat",
    "ImageHeader",
    "ImageLimits",
    "PIXEL_CEILING",
    "inspect",
    "decode",
    "image_hash",
    "cv2",
]

RGBImage = NDArray[np.uint8]
"""Height x width x 3, red first, 0..255, C-contiguous, upright."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large a picture may be. Raises ConfigError when a limit makes no sense."""

    max_bytes: int = 32 * 2**20
    """Encoded size in bytes."""
    max_pixels: int = 50_000_000
    """Width times height, 1..PIXEL_CEILING. Decoding takes 3 bytes a pixel, a progressive JPEG 6 more."""

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ConfigError("max_bytes must be at least 1")
        if not 1 <= self.max_pixels <= PIXEL_CEILING:
            raise ConfigError(f"max_pixels must be 1 to {PIXEL_CEILING}")


_DEFAULT_LIMITS = ImageLimits()


def inspect(data: bytes, limits: ImageLimits = _DEFAULT_LIMITS) -> ImageHeader:
    """Format, upright size and orientation, without decoding anything (a JPEG takes 0.3 ms a megabyte).

    Raises:
        InvalidImage: empty, too many bytes or pixels, another format, or cut off before its end.
    """
    if not data:
        raise InvalidImage("image is empty")
    if len(data) > limits.max_bytes:
        raise InvalidImage(f"image has {len(data)} bytes; at most {limits.max_bytes} are accepted")
    header = read_header(data)
    if header.width * header.height > limits.max_pixels:
        size = f"{header.width}x{header.height}"
        raise InvalidImage(f"image is {size}; at most {limits.max_pixels / 1e6:g} megapixels are accepted")
    return header


def decode(data: bytes, limits: ImageLimits = _DEFAULT_LIMITS) -> RGBImage:
    """The picture as people see it: height x width x 3 uint8 RGB, C-contiguous, EXIF orientation applied.

    Grey, palette, CMYK and 16-bit pictures become 8-bit RGB, transparency is dropped, an animation gives its
    first frame. Runs for milliseconds (1080p JPEG: 7): call it in a `WorkPool`.

    Raises:
        InvalidImage: all that `inspect` refuses, and data that the decoder finds damaged.
    """
    header = inspect(data, limits)
    upright = _upright(_pixels(data), header.orientation)
    if upright.shape != (header.height, header.width, 3):
        raise InvalidImage("image is damaged: its header and its content differ in size")
    return upright


def image_hash(data: bytes) -> str:
    """SHA-256 of the encoded bytes, lower-case hex: what makes two uploads the same picture."""
    return hashlib.sha256(data).hexdigest()


def _pixels(data: bytes) -> RGBImage:
    # The header gave size and orientation; were OpenCV to read EXIF by other rules, boxes would be off.
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as exc:
        raise InvalidImage("image cannot be decoded") from exc
    if pixels is None:
        raise InvalidImage("image is damaged or truncated")
    return np.asarray(pixels, np.uint8)


def _upright(pixels: RGBImage, orientation: int) -> RGBImage:
    """Undo an EXIF orientation: 2, 4, 5 and 7 are mirrored, 5 to 8 are turned by a quarter."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels), np.uint8)


# OpenCV turns 12 megapixels in 3 to 13 ms, a transposed view copied by numpy takes 40 to 60.
_TURNS: dict[int, Callable[[RGBImage], cv2.typing.MatLike]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE), 0),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
