"""The photographs that tattoos are measured on, and nothing is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from trainer.drawings.calibration import is_for_calibration

__all__ = ["TattooPhotograph", "read_bivtatt", "read_faces", "pixels_of"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True, slots=True)
class TattooPhotograph:
    """A photograph of BIVTatt with the boxes of its tattoos."""

    name: str
    subject: str
    pixels: NDArray[np.uint8]
    boxes: tuple[Box, ...]

    @property
    def main(self) -> Box:
        """The largest tattoo."""
        return max(self.boxes, key=lambda box: box.area)


def read_bivtatt(folder: Path) -> list[TattooPhotograph]:
    """The 109 photographs of BIVTatt that are not transformed copies; none where the set is not there."""
    files = sorted(
        path
        for path in (folder / "images").glob("*")
        if path.suffix.lower() in _SUFFIXES and path.stem.count("_") == 1
    )
    return [_photograph(path, folder / "bounding_boxes" / f"{path.stem}.txt") for path in files]


def read_faces(folder: Path, *, limit: int | None) -> list[Path]:
    """One photograph of each person of LFW in the half that sets no number.

    Hardly anybody shows a tattoo in them.
    """
    people = sorted(path for kind in ("distractors", "identities") for path in (folder / kind).glob("*"))
    reported = [path for path in people if not is_for_calibration(path.name)]
    return [min(path.glob("*")) for path in reported][:limit]


def pixels_of(path: Path) -> NDArray[np.uint8]:
    """uint8 RGB [height, width, 3]. Raises ValueError for a file that is no picture."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path.name} is no picture")
    return np.ascontiguousarray(pixels[..., ::-1])


def _photograph(path: Path, boxes: Path) -> TattooPhotograph:
    corners = [
        [float(value) for value in line.split()] for line in boxes.read_text().splitlines() if line.strip()
    ]
    pixels = pixels_of(path)
    height, width = pixels.shape[:2]
    cut = [
        Box.from_corners(max(0.0, c[0]), max(0.0, c[1]), min(width, c[2]), min(height, c[3])) for c in corners
    ]
    return TattooPhotograph(path.stem, path.stem.partition("_")[0], pixels, tuple(cut))
