"""Rigs of lights: the glow from all around and up to three lamps or windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.studio.arrays import Floats, unit
from trainer.studio.seeds import Split, generator, split_of

__all__ = ["Lamp", "Rig", "DIRECTIONS", "pick_rig", "rig_of"]

_RIGS = 600


def _fibonacci(count: int) -> Floats:
    number = np.arange(count) + 0.5
    z = 1 - 2 * number / count
    turn = np.pi * (1 + 5**0.5) * number
    around = np.sqrt(1 - z**2)
    return np.stack([around * np.cos(turn), around * np.sin(turn), z], axis=1).astype(np.float32)


DIRECTIONS = _fibonacci(24)
"""(24, 3) unit directions from which the glow is gathered."""


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """A light that throws shadows, far away."""

    direction: Floats
    """(3,) unit, towards the lamp."""
    color: Floats
    """(3,) linear."""
    softness: float
    """Half the angle that it spans, radians."""


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """All the light of one picture."""

    rig_id: str
    glow: Floats
    """(24, 3) linear, from each of DIRECTIONS."""
    lamps: tuple[Lamp, ...]


def pick_rig(rng: np.random.Generator, split: Split) -> str:
    """The id of a random rig that the split owns."""
    while True:
        name = f"rig-{rng.integers(_RIGS)}"
        if split_of("rig", name) is split:
            return name


def rig_of(rig_id: str, *, yaw: float) -> Rig:
    """The rig with that id, turned so that its front light comes from about the camera's `yaw`, degrees."""
    rng = generator("rig", rig_id)
    kind = str(
        rng.choice(["soft", "window", "flash", "studio", "sun", "neon"], p=[0.2, 0.2, 0.14, 0.24, 0.14, 0.08])
    )
    warmth = rng.normal(0, 0.12)
    lamps: list[Lamp] = []
    if kind == "flash":
        lamps.append(_lamp(rng, yaw + rng.normal(0, 6), rng.uniform(0, 18), 1.1, 0.0, softness=0.01))
    elif kind == "sun":
        lamps.append(
            _lamp(
                rng, yaw + rng.normal(0, 55), rng.uniform(20, 70), rng.uniform(1.0, 2.0), 0.08, softness=0.008
            )
        )
    elif kind != "soft":
        for _ in range(int(rng.integers(1, 4))):
            tint = rng.normal(0, 0.5) if kind == "neon" else warmth + rng.normal(0, 0.08)
            power, wide = rng.uniform(0.3, 1.2), rng.uniform(0.05, 0.3)
            lamps.append(_lamp(rng, yaw + rng.normal(0, 60), rng.uniform(-5, 60), power, tint, softness=wide))
    return Rig(rig_id, _glow(rng, warmth, ambient={"soft": 1.0, "flash": 0.25}.get(kind, 0.5)), tuple(lamps))


def _lamp(
    rng: np.random.Generator, yaw: float, height: float, power: float, warmth: float, *, softness: float
) -> Lamp:
    around, above = np.radians(yaw), np.radians(height)
    direction = np.array([np.sin(around) * np.cos(above), -np.cos(around) * np.cos(above), np.sin(above)])
    return Lamp(unit(direction).astype(np.float32), (power * _tint(warmth)).astype(np.float32), softness)


def _tint(warmth: float) -> Floats:
    return np.asarray(np.clip([1 + warmth, 1.0, 1 - 1.2 * warmth], 0.1, 2))


def _glow(rng: np.random.Generator, warmth: float, *, ambient: float) -> Floats:
    """Brighter above than below, uneven, with one or two bright patches."""
    up = DIRECTIONS[:, 2:3]
    level = ambient * (0.7 + rng.uniform(0, 0.5) * up)
    floor = np.array([1, 0.9, 0.8]) * rng.uniform(0.3, 0.9)
    glow = level * np.where(up < 0, floor, _tint(warmth))
    for _ in range(int(rng.integers(0, 3))):
        toward = unit(rng.normal(0, 1, 3) + np.array([0, 0, 0.6]))
        glow = glow + rng.uniform(0.3, 1.2) * np.maximum(DIRECTIONS @ toward, 0)[:, None] ** 4 * _tint(
            warmth + rng.normal(0, 0.1)
        )
    return np.asarray(glow, np.float32)
