"""Where somebody is: floor, walls, a bed or a seat, as grids of triangles that can take shade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.drawings.clutter import cloth
from trainer.studio.arrays import Floats, Ints
from trainer.studio.colours import to_light
from trainer.studio.poses import Support
from trainer.studio.surfaces import surface

__all__ = ["Prop", "furnish"]

_TEXTURE = 384


@dataclass(frozen=True, slots=True, eq=False)
class Prop:
    """A flat piece of the room."""

    vertices: Floats
    """(n, 3) metres."""
    faces: Ints
    normals: Floats
    """(n, 3)."""
    places: Floats
    """(n, 2) metres along the piece."""
    texture: Floats
    """(h, w, 3) linear, repeated."""
    scale: float
    """Metres that the texture spans."""


def furnish(
    rng: np.random.Generator, *, support: Support, body: Floats, sitting: Floats, camera: Floats
) -> list[Prop]:
    """The room around a body (n, 3) whose seat is `sitting` (m, 3); nothing stands before the camera (3,)."""
    middle, low = (body.min(axis=0) + body.max(axis=0)) / 2, float(body[:, 2].min())
    props: list[Prop] = []
    floor = low
    if support == "bed":
        top = low + 0.02
        floor = top - rng.uniform(0.25, 0.5) if rng.random() < 0.8 else top
        width, depth = rng.uniform(1.3, 2.4), rng.uniform(1.9, 2.6)
        props += _box(rng, middle[:2], (width, depth), floor, top, cloth(rng, _TEXTURE, _TEXTURE))
    elif support == "seat":
        top = float(sitting[:, 2].min()) + 0.012
        back = sitting[:, :2].mean(axis=0) + np.array([0, rng.uniform(0.0, 0.12)])
        props += _box(rng, back, (rng.uniform(0.5, 1.8), 0.5), low, top, cloth(rng, _TEXTURE, _TEXTURE))
    props.append(
        _plane(
            rng, np.array([middle[0], middle[1], floor]), _X, _Y, reach=4.0, texture=surface(rng, _TEXTURE)
        )
    )
    if rng.random() < 0.72:
        props += _walls(rng, middle, floor, camera)
    return props


_X, _Y, _Z = np.eye(3)


def _walls(rng: np.random.Generator, middle: Floats, floor: float, camera: Floats) -> list[Prop]:
    walls = []
    for inward in (_X, -_X, _Y, -_Y):
        distance = rng.uniform(1.0, 3.0)
        base = np.array([middle[0], middle[1], floor]) - inward * distance
        if (camera - base) @ inward > 0.15:
            along = np.cross(_Z, inward)
            height = np.array([0, 0, 1.3])
            walls.append(
                _plane(rng, base + height, along, _Z, reach=3.4, texture=surface(rng, _TEXTURE), cells=12)
            )
    return walls


def _plane(
    rng: np.random.Generator,
    middle: Floats,
    first: Floats,
    second: Floats,
    *,
    reach: float,
    texture: Floats,
    cells: int = 36,
) -> Prop:
    """A square of 2 x reach, finer towards its middle, that looks along first x second."""
    line = np.linspace(-1, 1, cells)
    line = np.sign(line) * np.abs(line) ** 1.8 * reach
    return _sheet(rng, middle, first, second, line, line, texture)


def _box(
    rng: np.random.Generator,
    middle: Floats,
    size: tuple[float, float],
    low: float,
    high: float,
    texture: Floats,
) -> list[Prop]:
    """The top and the four sides."""
    half_x, half_y = size[0] / 2, size[1] / 2
    base = np.array([middle[0], middle[1], (low + high) / 2])
    half_z = max((high - low) / 2, 0.01)
    top = _sheet(
        rng,
        base + _Z * half_z,
        _X,
        _Y,
        np.linspace(-half_x, half_x, 36),
        np.linspace(-half_y, half_y, 36),
        texture,
    )
    sides = []
    for outward, half, wide in (
        (_X, half_x, half_y),
        (-_X, half_x, half_y),
        (_Y, half_y, half_x),
        (-_Y, half_y, half_x),
    ):
        along = np.cross(_Z, outward)
        lines = np.linspace(-wide, wide, 12), np.linspace(-half_z, half_z, 4)
        sides.append(_sheet(rng, base + outward * half, along, _Z, *lines, texture))
    return [top, *sides]


def _sheet(
    rng: np.random.Generator,
    middle: Floats,
    first: Floats,
    second: Floats,
    u: Floats,
    v: Floats,
    texture: Floats,
) -> Prop:
    places = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    columns = len(v)
    corner = (np.arange(len(u) - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + columns, corner + 1], 1),
            np.stack([corner + columns, corner + columns + 1, corner + 1], 1),
        ]
    )
    normals = np.tile(np.cross(first, second), (len(places), 1))
    return Prop(
        vertices=(middle + places @ np.stack([first, second])).astype(np.float32),
        faces=faces.astype(np.int32),
        normals=normals.astype(np.float32),
        places=places.astype(np.float32),
        texture=to_light(texture),
        scale=float(rng.uniform(0.5, 2.5)),
    )
