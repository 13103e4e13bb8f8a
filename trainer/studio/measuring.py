"""From samples of a picture to boxes, outlines and shares. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from trainer.studio.arrays import Bools, Floats
from trainer.studio.truth import Box

__all__ = ["box_of", "polygon_of", "share", "Shares", "ink_shares"]

_LEAST_AREA = 4.0


def box_of(mask: Bools, *, scale: int) -> Box | None:
    """The box around the true samples of a mask (h, w), `scale` samples a pixel; None when there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    left, top = columns[0] / scale, rows[0] / scale
    right, bottom = (columns[-1] + 1) / scale, (rows[-1] + 1) / scale
    return Box(x=float(left), y=float(top), w=float(right - left), h=float(bottom - top))


def polygon_of(mask: Bools, *, scale: int) -> list[tuple[float, float]]:
    """The outline, in pixels, of the largest connected part of a mask (h, w); empty when there is none."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    largest = max(contours, key=cv2.contourArea)
    if cv2.contourArea(largest) < _LEAST_AREA:
        return []
    simple = cv2.approxPolyDP(largest, 1.5, True)[:, 0].astype(float) + 0.5
    return [(round(float(x) / scale, 1), round(float(y) / scale, 1)) for x, y in simple]


def share(part: float, whole: float) -> float:
    """Part over whole, 0..1; 0 of nothing."""
    return float(np.clip(part / whole, 0, 1)) if whole > 0 else 0.0


class Shares:
    """How much of a tattoo's ink is seen, faces the camera, lies in the frame, or is hidden."""

    def __init__(self, *, visible: float, facing: float, inside: float, occlusion: float) -> None:
        self.visible, self.facing, self.inside, self.occlusion = visible, facing, inside, occlusion


def ink_shares(areas: Floats, *, facing: Bools, inside: Bools, unhidden: Bools) -> Shares:
    """Shares by area (n,) of points of ink: does each face the camera, in the frame, unhidden?"""
    whole = float(areas.sum())
    could = facing & inside
    reachable = float(areas[could].sum())
    return Shares(
        visible=share(float(areas[could & unhidden].sum()), whole),
        facing=share(float(areas[facing].sum()), whole),
        inside=share(float(areas[inside].sum()), whole),
        occlusion=share(float(areas[could & ~unhidden].sum()), reachable),
    )
