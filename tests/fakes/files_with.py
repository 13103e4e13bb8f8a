"""Which files hold the bytes of a vector."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path

__all__ = ["files_with"]

# Eight numbers. A vector may be cut anywhere, as at the end of a page, but not into pieces so small.
_PIECE = 32


def files_with(folder: Path, vector: bytes, *, without: Iterable[Path] = ()) -> list[Path]:
    """Files below the folder, those below `without` left out, that hold any piece of the vector's bytes."""
    pieces = [vector[start : start + _PIECE] for start in range(0, len(vector) - _PIECE + 1, _PIECE)]
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [
        file
        for file in files
        if not any(file.is_relative_to(left_out) for left_out in without) and _has_any(file, pieces)
    ]


def _has_any(file: Path, pieces: list[bytes]) -> bool:
    if not file.stat().st_size:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(piece) >= 0 for piece in pieces)
