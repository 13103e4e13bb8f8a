"""Encoded pictures for tests, well-formed and otherwise."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from chassis.images import RGBImage, cv2, decode

__all__ = ["gradient", "encode", "with_orientation", "png", "png_chunk"]


def gradient(width: int = 64, height: int = 48) -> RGBImage:
    """A picture in which every pixel says where it is: red grows to the right, green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    channels = (x * 255 // width, y * 255 // height, (x + y) % 256)
    return np.ascontiguousarray(np.stack(channels, axis=-1).astype(np.uint8))


def encode(pixels: NDArray[np.generic], extension: str = ".png", *options: int) -> bytes:
    """Encode RGB, RGBA or grey pixels, 8 or 16 bits, by file extension."""
    if pixels.ndim == 3:
        order = [2, 1, 0, 3][: pixels.shape[2]]
        pixels = pixels[:, :, order]
    done, buffer = cv2.imencode(extension, np.ascontiguousarray(pixels), list(options))
    assert done
    return buffer.tobytes()


def with_orientation(data: bytes, orientation: int, *, order: str = "<") -> bytes:
    """The same JPEG, PNG or WebP (with an extended header) with an EXIF orientation."""
    mark = b"II" if order == "<" else b"MM"
    tiff = mark + struct.pack(f"{order}HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    if data.startswith(b"\xff\xd8"):
        payload = b"Exif\0\0" + tiff
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]
    if data.startswith(b"\x89PNG"):
        return data[:33] + png_chunk(b"eXIf", tiff) + data[33:]
    return _webp_with_exif(data, tiff)


def png(width: int, height: int, rows: bytes, *, depth: int = 8, color: int = 2, extra: bytes = b"") -> bytes:
    """A PNG from raw filtered rows, whatever its header claims."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """Length, type, payload and checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def _webp_with_exif(data: bytes, tiff: bytes) -> bytes:
    height, width = decode(data).shape[:2]
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    extended = b"VP8X" + struct.pack("<II", 10, 0x08) + canvas
    exif = b"EXIF" + struct.pack("<I", len(tiff)) + tiff + b"\0" * (len(tiff) % 2)
    body = b"WEBP" + extended + data[12:] + exif
    return b"RIFF" + struct.pack("<I", len(body)) + body
