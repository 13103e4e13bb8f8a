"""What a header says about a picture, before any of it is decoded."""

import struct
from dataclasses import dataclass
from enum import StrEnum

from chassis.errors import InvalidImage
from chassis.images import _jpeg, _png, _webp

__all__ = ["ImageFormat", "ImageHeader", "read_header"]


class ImageFormat(StrEnum):
    """The formats that are accepted."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Format and size of an encoded picture."""

    format: ImageFormat
    width: int
    """Pixels, after the EXIF orientation is applied."""
    height: int
    """Pixels, after the EXIF orientation is applied."""
    orientation: int
    """EXIF orientation, 1..8; 1 is upright."""


_READERS = {
    ImageFormat.JPEG: (_jpeg.is_jpeg, _jpeg.read),
    ImageFormat.PNG: (_png.is_png, _png.read),
    ImageFormat.WEBP: (_webp.is_webp, _webp.read),
}


def read_header(data: bytes) -> ImageHeader:
    """Recognise the format by its signature and read size and orientation.

    Raises:
        InvalidImage: another format, or a file that ends too early.
    """
    for image_format, (recognises, read) in _READERS.items():
        if recognises(data):
            try:
                return _oriented(image_format, *read(data))
            except struct.error as exc:
                raise InvalidImage(f"{image_format} image is truncated") from exc
    raise InvalidImage("not a JPEG, PNG or WebP image")


def _oriented(image_format: ImageFormat, width: int, height: int, orientation: int) -> ImageHeader:
    if width < 1 or height < 1:
        raise InvalidImage(f"{image_format} image has no pixels")
    if orientation >= 5:  # 5 to 8 turn the picture by a quarter
        width, height = height, width
    return ImageHeader(image_format, width, height, orientation)
