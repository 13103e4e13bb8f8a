"""Reading one picture file, never more of it than a server takes."""

from __future__ import annotations

import math
import os
from pathlib import Path

from chassis.errors import InvalidInput
from chassis.images import ImageLimits

__all__ = ["MAX_PICTURE_BYTES", "read_picture"]

MAX_PICTURE_BYTES = ImageLimits().max_bytes
"""Most bytes of one picture: what servers accept unless their owner says otherwise."""


def read_picture(path: Path, *, max_bytes: int = MAX_PICTURE_BYTES) -> bytes:
    """The bytes of one file, which need not be a picture; one that is too large is not read at all.

    Raises InvalidInput, which names the file, when it is larger than `max_bytes` or cannot be read.
    """
    try:
        with path.open("rb") as file:
            _check_size(path, os.fstat(file.fileno()).st_size, max_bytes)
            # One more than allowed: pipes say 0 bytes, and a file may grow while it is read.
            data = file.read(max_bytes + 1)
    except OSError as exc:
        raise InvalidInput(f"{path}: cannot be read ({exc.strerror})") from exc
    _check_size(path, len(data), max_bytes)
    return data


def _check_size(path: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        # Rounded up, so that one byte too many does not read as the very limit.
        megabytes = math.ceil(size / 2**20 * 10) / 10
        raise InvalidInput(f"{path}: is {megabytes:g} MB; at most {max_bytes / 2**20:g} MB are accepted")
