"""How much light reaches each point, and what of it comes to the camera."""

from __future__ import annotations

import numpy as np

from trainer.studio.arrays import Floats, unit
from trainer.studio.casting import Stage
from trainer.studio.lights import DIRECTIONS, Lamp, Rig
from trainer.studio.things import Thing

__all__ = ["glow_on", "lit"]

_OFF = 0.004
"""Shadow rays begin this far off a surface, metres."""
_WRAP = {"skin": np.array([0.16, 0.07, 0.045]), "hair": np.array([0.3, 0.3, 0.3])}
"""Light creeps around the edge of skin, the red farthest, as it is scattered under it."""


def glow_on(stage: Stage, thing: Thing, rig: Rig) -> Floats:
    """Light (n, 3) from all around that reaches each vertex of a thing."""
    cosine = thing.normals @ DIRECTIONS.T
    if thing.kind == "hair":
        cosine = np.abs(cosine) * 0.6 + 0.2
    vertex, direction = np.nonzero(cosine > 0.02)
    toward = DIRECTIONS[direction]
    away = thing.normals[vertex] if thing.kind != "hair" else toward
    origins = thing.mesh.vertices[vertex] + away * _OFF + toward * 0.001
    seen = ~stage.is_blocked(origins, toward)
    reaching = np.zeros_like(cosine)
    reaching[vertex[seen], direction[seen]] = cosine[vertex[seen], direction[seen]]
    # A little of what is blocked comes back from what blocks it.
    bounced = 0.22 * np.maximum(cosine, 0) + 0.78 * reaching
    return np.asarray(bounced @ rig.glow * (4 / len(DIRECTIONS)), np.float32)


def lit(
    rng: np.random.Generator,
    stage: Stage,
    thing: Thing,
    rig: Rig,
    *,
    albedo: Floats,
    points: Floats,
    normals: Floats,
    glow: Floats,
    view: Floats,
) -> Floats:
    """Linear light (n, 3) that points of a thing send along `-view` (n, 3)."""
    facing = -np.einsum("ni,ni->n", normals, view)
    normals = np.where((facing < 0)[:, None], -normals, normals) if thing.kind in ("hair", "cloth") else normals
    light = glow.copy()
    gleam = np.zeros_like(light)
    for lamp in rig.lamps:
        toward = _jittered(rng, lamp, len(points))
        cosine = np.einsum("ni,ni->n", normals, toward)
        open_ = np.zeros(len(points), np.float32)
        front = np.flatnonzero(cosine > -0.16)
        clear = ~stage.is_blocked(points[front] + normals[front] * _OFF, toward[front])
        open_[front[clear]] = 1
        wrap = _WRAP.get(thing.kind, np.zeros(3))
        light += np.clip((cosine[:, None] + wrap) / (1 + wrap), 0, None) * open_[:, None] * lamp.color
        if thing.shine > 0:
            half = unit(toward - view)
            shine = np.maximum(np.einsum("ni,ni->n", normals, half), 0) ** thing.sharpness
            gleam += (shine * open_ * (cosine > 0))[:, None] * lamp.color
    rim = np.clip(1 + np.einsum("ni,ni->n", normals, view), 0, 1) ** 4
    sheen = thing.shine * (gleam * (thing.sharpness + 8) / 60 + 0.35 * rim[:, None] * glow)
    return np.asarray(albedo * light + 0.35 * sheen, np.float32)


def _jittered(rng: np.random.Generator, lamp: Lamp, count: int) -> Floats:
    spread = rng.normal(0, lamp.softness, (count, 3)).astype(np.float32)
    return unit(lamp.direction + spread).astype(np.float32)
