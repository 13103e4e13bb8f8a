"""Reads sets of pictures with their truth: one JSON object a line, as the studio writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Tattoo", "Picture", "read_pictures", "load_pixels"]

# Ink that changes its skin by less is seen by nobody, the studio says.
_LEAST_CONTRAST = 0.1
_LEAST_VISIBLE = 0.15
_LEAST_PIXELS = 30


@dataclass(frozen=True, slots=True)
class Tattoo:
    """A tattoo of which something is seen."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom, pixels."""
    tattoo_id: str
    design_id: str
    region: str
    visible_fraction: float
    """0..1, by area of skin."""
    area_share: float
    """0..1, of the person's area in the picture; 1 where no person is known."""
    view_angle: float
    """Degrees between the skin's normal and the way to the camera."""
    occlusion: float
    """0..1: share hidden by something."""
    is_plain: bool
    """Whether a detector must find it: not where it is too faint, too small or nearly hidden."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its tattoos."""

    file: Path
    split: str
    performer_id: str
    width: int
    height: int
    tattoos: tuple[Tattoo, ...]
    has_overlay: bool
    """Whether a watermark, a subtitle or the like lies over it."""


def read_pictures(folders: Sequence[Path], *, split: str) -> list[Picture]:
    """The pictures of a split of all sets, in the order of their lines.

    A set that is being rendered has no lines yet, but a file for each picture in `truth`; those are read.

    Raises ValueError for a set that is not there, or a line that is no picture of it.
    """
    return [picture for folder in folders for picture in _pictures_of(folder) if picture.split == split]


def load_pixels(picture: Picture) -> NDArray[np.uint8]:
    """Its pixels, uint8 RGB [height, width, 3]. Raises ValueError for a file that is no picture."""
    pixels = cv2.imread(str(picture.file), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{picture.file} is no picture")
    return np.ascontiguousarray(pixels[..., ::-1])


def _pictures_of(folder: Path) -> Iterator[Picture]:
    files = sorted(folder.glob("*.jsonl")) or sorted(folder.glob("truth/**/*.json"))
    if not files:
        raise ValueError(f"{folder} has no truth of pictures")
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                yield _picture(folder, json.loads(line))
            except (KeyError, TypeError, ValueError) as exc:
                raise ValueError(f"{file.name}, line {number}: {exc!r}") from exc


def _picture(folder: Path, facts: Mapping[str, Any]) -> Picture:
    tattoos = [_tattoo(one) for one in facts["tattoos"] if one["box"] is not None]
    return Picture(
        file=folder / facts["picture"],
        split=str(facts["split"]),
        performer_id=str(facts["performer_id"]),
        width=int(facts["width"]),
        height=int(facts["height"]),
        tattoos=tuple(tattoos),
        has_overlay=bool(facts["overlays"]),
    )


def _tattoo(facts: Mapping[str, Any]) -> Tattoo:
    box = facts["box"]
    is_plain = (
        facts["contrast"] >= _LEAST_CONTRAST
        and facts["visible_fraction"] >= _LEAST_VISIBLE
        and facts["pixels"] >= _LEAST_PIXELS
    )
    return Tattoo(
        box=(float(box["x"]), float(box["y"]), float(box["x"] + box["w"]), float(box["y"] + box["h"])),
        tattoo_id=str(facts["tattoo_id"]),
        design_id=str(facts["design_id"]),
        region=str(facts["region"]),
        visible_fraction=float(facts["visible_fraction"]),
        area_share=float(facts["area_share"]),
        view_angle=float(facts["view_angle"]),
        occlusion=float(facts["occlusion"]),
        is_plain=bool(is_plain),
    )
