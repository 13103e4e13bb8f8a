"""Writing annotated pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from chassis.errors import ConfigError
from chassis.images import cv2, decode
from client.annotate import annotate
from client.values import Identification

__all__ = ["save_annotated"]

_JPEG_QUALITY = 92


def save_annotated(image: bytes, seen: Identification, target: Path) -> None:
    """Draw `seen` onto the encoded picture it came from and write a JPEG, folders made as needed.

    Raises InvalidImage for a picture Marquee does not read, ConfigError when the file cannot be written.
    """
    drawn = annotate(decode(image), seen)
    bgr = np.ascontiguousarray(drawn[:, :, ::-1])
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    aside = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(encoded.tobytes())
        os.replace(aside, target)
    except OSError as exc:
        raise ConfigError(f"{target} cannot be written ({exc.strerror})") from exc
