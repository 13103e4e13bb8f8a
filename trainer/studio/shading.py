"""How much light reaches each point, and what of it comes to the camera."""

from __future__ import annotations

import numpy as np

from trainer.studio.arrays import Floats, Ints, unit
from trainer.studio.casting import Stage
from trainer.studio.lights import DIRECTIONS, Lamp, Rig
from trainer.studio.things import Thing

__all__ = ["glow_on", "lamps_on", "lit"]

_OFF = 0.004
"""Shadow rays begin this far off a surface, metres."""
_WIDE, _RAYS = 0.035, 8
"""Shadows of lamps at least this wide, radians, are gathered at vertices, the others' at points."""
_WRAP = {"skin": np.array([0.16, 0.07, 0.045], np.float32), "hair": np.array([0.3, 0.3, 0.3], np.float32)}
"""Light creeps around the edge of skin, the red farthest, as it is scattered under it."""


def glow_on(stage: Stage, thing: Thing, rig: Rig, faces: Ints) -> Floats:
    """Light (vertices, 3) from all around that reaches the corners of some triangles; 0 elsewhere."""
    needed = np.unique(thing.mesh.faces[np.unique(faces)])
    places, normals = thing.mesh.vertices[needed], thing.normals[needed]
    cosine = normals @ DIRECTIONS.T
    if thing.kind == "hair":
        cosine = np.abs(cosine) * 0.6 + 0.2
    vertex, direction = np.nonzero(cosine > 0.02)
    toward = DIRECTIONS[direction]
    away = normals[vertex] if thing.kind != "hair" else toward
    origins = places[vertex] + away * _OFF + toward * 0.001
    seen = ~stage.is_blocked(origins, toward)
    reaching = np.zeros_like(cosine)
    reaching[vertex[seen], direction[seen]] = cosine[vertex[seen], direction[seen]]
    # A little of what is blocked comes back from what blocks it.
    bounced = 0.22 * np.maximum(cosine, 0) + 0.78 * reaching
    whole = np.zeros((len(thing.mesh.vertices), 3), np.float32)
    whole[needed] = bounced @ rig.glow * (4 / len(DIRECTIONS))
    return whole


def lamps_on(rng: np.random.Generator, stage: Stage, thing: Thing, rig: Rig, faces: Ints) -> Floats:
    """Share 0..1 (vertices, lamps) of each wide lamp that the corners of some triangles see."""
    needed = np.unique(thing.mesh.faces[np.unique(faces)])
    seen = np.zeros((len(thing.mesh.vertices), len(rig.lamps)), np.float32)
    origins = thing.mesh.vertices[needed] + thing.normals[needed] * _OFF
    for number, lamp in enumerate(rig.lamps):
        if lamp.softness >= _WIDE:
            rays = [_jittered(rng, lamp, 1).repeat(len(needed), axis=0) for _ in range(_RAYS)]
            seen[needed, number] = np.mean([~stage.is_blocked(origins, ray) for ray in rays], axis=0)
    return seen


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
    lamps: Floats,
    view: Floats,
) -> Floats:
    """Linear light (n, 3) that points send along `-view` (n, 3), which see `lamps` (n, lamps) so much."""
    facing = -np.einsum("ni,ni->n", normals, view)
    normals = (
        np.where((facing < 0)[:, None], -normals, normals) if thing.kind in ("hair", "cloth") else normals
    )
    light = glow.copy()
    gleam = np.zeros_like(light)
    wrap = _WRAP.get(thing.kind, np.zeros(3, np.float32))
    for number, lamp in enumerate(rig.lamps):
        cosine = normals @ lamp.direction
        open_ = lamps[:, number]
        if lamp.softness < _WIDE:
            open_ = np.zeros(len(points), np.float32)
            front = np.flatnonzero(cosine > -0.16)
            toward = _jittered(rng, lamp, len(front))
            open_[front] = ~stage.is_blocked(points[front] + normals[front] * _OFF, toward)
        light += np.clip((cosine[:, None] + wrap) / (1 + wrap), 0, None) * open_[:, None] * lamp.color
        if thing.shine > 0:
            half = unit(lamp.direction - view)
            shine = np.maximum(np.einsum("ni,ni->n", normals, half), 0) ** thing.sharpness
            gleam += (shine * open_ * (cosine > 0))[:, None] * lamp.color
    rim = np.clip(1 - np.abs(facing), 0, 1) ** 4
    sheen = thing.shine * (gleam * ((thing.sharpness + 8) / 60) + 0.35 * rim[:, None] * glow)
    return np.asarray(albedo * light + 0.35 * sheen, np.float32)


def _jittered(rng: np.random.Generator, lamp: Lamp, count: int) -> Floats:
    spread = rng.standard_normal((count, 3), dtype=np.float32) * np.float32(lamp.softness) + lamp.direction
    return np.asarray(spread / np.sqrt(np.einsum("ni,ni->n", spread, spread))[:, None], np.float32)
