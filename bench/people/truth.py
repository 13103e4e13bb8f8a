"""What is true of rendered pictures of several people, as far as grouping needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.geometry import Box, Point
from trainer.studio.truth import GroupTruth, PictureTruth, TattooTruth

__all__ = ["NOBODY", "TrueGroup", "TruePerson", "TrueTattoo", "is_tattoo_shown", "read_groups"]

NOBODY = 255
"""In `TrueGroup.owners`: no person is seen there."""

_FACE = ("NOSE", "LEFT_EYE", "RIGHT_EYE", "MOUTH_LEFT", "MOUTH_RIGHT")
_LEAST_PIXELS = 60
_LEAST_SEEN = 0.25
_LEAST_OPEN = 0.5
# Ink that changes its skin by less is seen by nobody, the studio says.
_LEAST_CONTRAST = 0.1
# Who fills less of the picture is not asked about.
_LEAST_PERSON = 0.01


@dataclass(frozen=True, slots=True)
class TrueTattoo:
    """A tattoo of which at least half of what faces the camera is seen."""

    box: Box
    outline: tuple[Point, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TruePerson:
    """Somebody in a picture."""

    box: Box | None
    """Around what is seen of them; None where that is too little to ask about."""
    key_points: NDArray[np.float64]
    """(33, 2) pixels, also of what is hidden or outside the picture."""
    is_visible: NDArray[np.bool_]
    """(33,)"""
    face: NDArray[np.float64] | None
    """(5, 2) nose, eyes, corners of the mouth; None unless all are seen."""
    tattoos: tuple[TrueTattoo, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TrueGroup:
    """A picture and the people in it."""

    path: Path
    kind: str
    people: tuple[TruePerson, ...]
    owners: NDArray[np.uint8]
    """(h, w) place in `people` of who is seen there, or NOBODY."""


def read_groups(folder: Path) -> Iterator[TrueGroup]:
    """Pictures of `python -m trainer.studio groups FOLDER`, in the order of their numbers.

    Raises InvalidInput where a picture's owners cannot be read.
    """
    files = [folder / "truth.jsonl"] if (folder / "truth.jsonl").exists() else folder.glob("truth/*.json")
    for file in sorted(files):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield _group(folder, GroupTruth.model_validate_json(line))


def is_tattoo_shown(tattoo: TattooTruth) -> bool:
    """Whether enough is seen to ask about it."""
    return (
        tattoo.pixels >= _LEAST_PIXELS
        and tattoo.contrast >= _LEAST_CONTRAST
        and tattoo.visible_fraction >= max(_LEAST_SEEN, _LEAST_OPEN * tattoo.facing_fraction)
    )


def _group(folder: Path, truth: GroupTruth) -> TrueGroup:
    path = folder / truth.picture
    owners = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_GRAYSCALE)
    if owners is None:
        raise InvalidInput(f"{path.with_suffix('.png')} cannot be read")
    people = tuple(_person(one, owners.size) for one in truth.people)
    return TrueGroup(path, truth.kind, people, np.asarray(owners, np.uint8))


def _person(truth: PictureTruth, pixels: int) -> TruePerson:
    points = {one.name: one for one in truth.key_points}
    is_seen = truth.body_box is not None and truth.body_pixels >= _LEAST_PERSON * pixels
    face = [points[name] for name in _FACE]
    return TruePerson(
        box=Box(*truth.body_box.model_dump().values()) if truth.body_box and is_seen else None,
        key_points=np.array([(one.x, one.y) for one in truth.key_points]),
        is_visible=np.array([one.visible for one in truth.key_points]),
        face=np.array([(one.x, one.y) for one in face]) if all(one.visible for one in face) else None,
        tattoos=tuple(_tattoos(truth.tattoos)),
    )


def _tattoos(truths: Sequence[TattooTruth]) -> Iterator[TrueTattoo]:
    for one in truths:
        if one.box is not None and is_tattoo_shown(one):
            outline = tuple(Point(x, y) for x, y in one.polygon)
            yield TrueTattoo(Box(one.box.x, one.box.y, one.box.w, one.box.h), outline)
