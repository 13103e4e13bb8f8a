"""Contact sheets: many pictures of a data set at a glance, with the boxes of their truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from trainer.studio.arrays import Bytes
from trainer.studio.run import read_truth
from trainer.studio.truth import Box, PictureTruth

__all__ = ["write_contact_sheet", "annotated"]

_GREEN, _AMBER, _BLUE = (60, 220, 60), (0, 170, 255), (255, 120, 40)


def write_contact_sheet(
    out: Path,
    sheet: Path,
    *,
    columns: int = 6,
    rows: int = 5,
    first: int = 0,
    cell: int = 320,
    boxes: bool = True,
) -> int:
    """Write a picture of rows x columns pictures from the `first` on; returns how many it shows."""
    chosen = [truth for truth in read_truth(out) if truth.number >= first][: rows * columns]
    page = np.full((rows * cell, columns * cell, 3), 24, np.uint8)
    for place, truth in enumerate(chosen):
        row, column = divmod(place, columns)
        picture = annotated(out, truth) if boxes else _read(out, truth)
        fitted = _fitted(picture, cell - 4)
        page[row * cell : row * cell + fitted.shape[0], column * cell : column * cell + fitted.shape[1]] = (
            fitted
        )
    sheet.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(sheet), page)
    return len(chosen)


def annotated(out: Path, truth: PictureTruth) -> Bytes:
    """A picture (h, w, 3) BGR with boxes: green what is well seen, amber what is hardly, blue overlays."""
    picture = _read(out, truth)
    for tattoo in truth.tattoos:
        if tattoo.box is not None:
            clear = tattoo.visible_fraction >= 0.3 and tattoo.contrast >= 0.1
            _frame(picture, tattoo.box, _GREEN if clear else _AMBER, tattoo.region.lower().replace("_", " "))
    for overlay in truth.overlays:
        _frame(picture, overlay.box, _BLUE, overlay.kind)
    return picture


def _read(out: Path, truth: PictureTruth) -> Bytes:
    picture = cv2.imread(str(out / truth.picture))
    assert picture is not None, f"{truth.picture} is there: its truth is written last"
    return np.asarray(picture, np.uint8)


def _frame(picture: Bytes, box: Box, color: tuple[int, int, int], name: str) -> None:
    start = round(box.x), round(box.y)
    cv2.rectangle(picture, start, (round(box.x + box.w), round(box.y + box.h)), color, 1)
    cv2.putText(
        picture, name, (start[0], max(10, start[1] - 3)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, color, 1, cv2.LINE_AA
    )


def _fitted(picture: Bytes, side: int) -> Bytes:
    scale = side / max(picture.shape[:2])
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
