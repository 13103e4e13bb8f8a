"""Where the camera stands: the whole figure, part of it, or close to a tattoo or to bare skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainer.studio.arrays import Floats
from trainer.studio.camera import Camera, look_at

__all__ = ["Shot", "AIMED", "Framing", "draw_framing", "yaw_of"]

Shot = Literal["full", "half", "bust", "medium", "close", "detail"]
_SHOTS: dict[Shot, float] = {
    "full": 0.34,
    "half": 0.17,
    "bust": 0.09,
    "medium": 0.12,
    "close": 0.18,
    "detail": 0.1,
}
AIMED: tuple[Shot, ...] = ("medium", "close", "detail")
"""Shots that look at a spot of the skin."""
_SPANS = {"medium": (0.6, 1.1), "close": (0.3, 0.65), "detail": (0.14, 0.32)}
_SIZES = ((512, 768), (480, 640), (640, 640), (640, 480), (768, 512), (768, 432), (432, 768), (720, 540))


@dataclass(frozen=True, slots=True, eq=False)
class Framing:
    """A camera and what was asked of it."""

    shot: Shot
    camera: Camera
    yaw: float
    """Degrees around the body: 0 front, 90 the left side of a person who stands, 180 back."""
    pitch: float
    """Degrees, positive looks down."""
    field: float
    """Degrees along the longer side."""


def draw_framing(
    rng: np.random.Generator,
    *,
    body: Floats,
    joints: dict[str, Floats],
    spot: Floats,
    normal: Floats,
    floor: float,
    shot: Shot | None = None,
) -> Framing:
    """A camera on a body (n, 3); close shots look at `spot` (3,), whose skin looks along `normal` (3,)."""
    shots = list(_SHOTS)
    shot = shot or shots[rng.choice(len(shots), p=np.array(list(_SHOTS.values())))]
    width, height = _SIZES[rng.integers(len(_SIZES))]
    target, extent = _subject(rng, shot, body, joints, spot)
    if shot in AIMED:
        yaw = yaw_of(normal) + rng.normal(0, 30)
        pitch = float(np.degrees(np.arcsin(np.clip(normal[2], -0.95, 0.95)))) * 0.7 + rng.normal(0, 14)
    else:
        yaw = float(
            rng.choice([rng.normal(0, 35), rng.normal(180, 35), rng.uniform(-180, 180)], p=[0.46, 0.27, 0.27])
        )
        pitch = rng.normal(6, 9) if rng.random() < 0.75 else rng.uniform(-15, 50)
        if _is_lying(body) and rng.random() < 0.6:
            pitch = rng.uniform(20, 70)
    pitch, roll = float(np.clip(pitch, -35, 78)), float(rng.normal(0, 4))
    field = float(rng.uniform(22, 62))
    distance = extent / 2 / np.tan(np.radians(field) / 2) + (0.12 if shot != "full" else 0.0)
    camera = look_at(
        target,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        distance=float(max(distance, 0.3)),
        field=field,
        width=width,
        height=height,
        lowest=floor + 0.05,
    )
    return Framing(shot, camera, (float(yaw) + 180) % 360 - 180, pitch, field)


def yaw_of(normal: Floats) -> float:
    """The yaw from which a surface that looks along `normal` (3,) is seen straight on, degrees."""
    return float(np.degrees(np.arctan2(normal[0], -normal[1])))


def _subject(
    rng: np.random.Generator, shot: Shot, body: Floats, joints: dict[str, Floats], spot: Floats
) -> tuple[Floats, float]:
    """The point to look at, and how many metres the longer side of the picture spans there."""
    low, high = body.min(axis=0), body.max(axis=0)
    whole = float(np.linalg.norm(high - low))
    if shot == "full":
        return (low + high) / 2 + rng.normal(0, 0.08, 3), whole * float(rng.uniform(0.95, 1.7))
    if shot == "half":
        middle = joints[str(rng.choice(["spine03", "spine05", "spine01", "lowerleg01.L"]))]
        return middle + rng.normal(0, 0.08, 3), float(rng.uniform(0.85, 1.35))
    if shot == "bust":
        middle = joints[str(rng.choice(["spine01", "neck01", "spine04"]))]
        return middle + rng.normal(0, 0.06, 3), float(rng.uniform(0.5, 0.85))
    span = rng.uniform(*_SPANS[shot])
    return spot + rng.normal(0, 0.16 * span, 3), float(span)


def _is_lying(body: Floats) -> bool:
    size = body.max(axis=0) - body.min(axis=0)
    return bool(size[2] < 0.55 * max(size[0], size[1]))
