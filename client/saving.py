"""Writing pictures of answers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from chassis.errors import ConfigError
from chassis.images import RGBImage, cv2, decode
from client.annotate import annotate
from client.plotting import plot
from client.values import Identification

__all__ = ["save_annotated", "save_explained"]

_JPEG_QUALITY = 92


def save_annotated(image: bytes, seen: Identification, target: Path) -> None:
    """Draw `seen` onto the encoded picture it came from and write a JPEG, folders made as needed.

    Raises InvalidImage for a picture Marquee does not read, ConfigError when the file cannot be written.
    """
    drawn = annotate(decode(image), seen)
    _write(_encoded(".jpg", drawn, cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY), target)


def save_explained(seen: Identification, target: Path, *, title: str) -> None:
    """Draw what the probabilities of `seen` are made of and write a PNG, folders made as needed.

    Raises ConfigError when the file cannot be written.
    """
    _write(_encoded(".png", plot(seen, title=title), cv2.IMWRITE_PNG_COMPRESSION, 9), target)


def _encoded(suffix: str, drawn: RGBImage, *options: int) -> bytes:
    bgr = np.ascontiguousarray(drawn[:, :, ::-1])
    _, encoded = cv2.imencode(suffix, bgr, options)
    return bytes(encoded.tobytes())


def _write(encoded: bytes, target: Path) -> None:
    aside = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(encoded)
        os.replace(aside, target)
    except OSError as exc:
        raise ConfigError(f"{target} cannot be written ({exc.strerror})") from exc
