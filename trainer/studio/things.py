"""What stands on the stage, each with its surface and its colour: skin, clothes, hair, furniture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from trainer.drawings.clutter import cloth
from trainer.drawings.clutter import hair as hair_texture
from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.atlas import load_atlas, vertex_normals
from trainer.studio.casting import Keep, Mesh, blended
from trainer.studio.colours import to_light
from trainer.studio.garments import Garment
from trainer.studio.hair import CAPS, HAIR_COLOURS, LENGTHS, Strands, gaps, grow, scalp_field
from trainer.studio.noises import Noise
from trainer.studio.props import Prop
from trainer.studio.reading import read_picture

__all__ = ["Thing", "clothe", "hair_of", "prop_thing"]

_TEXTURE = 384

Paint = Callable[[Ints, Floats], Floats]
"""Linear colour (n, 3) at points of triangles."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A mesh with its material."""

    kind: str
    """`skin`, `cloth`, `hair` or `prop`."""
    mesh: Mesh
    normals: Floats
    """(n, 3)."""
    paint: Paint | None
    """None for skin, which also tells which tattoo is seen."""
    keep: Keep | None = None
    shine: float = 0.0
    """Strength of its highlights."""
    sharpness: float = 20.0
    """Exponent of its highlights."""


def clothe(
    rng: np.random.Generator, garment: Garment, skin: Floats, normals: Floats, *, lift: float
) -> Thing:
    """A garment on a posed body (n, 3): a shell over the skin, `lift` metres over what is under it."""
    atlas = load_atlas()
    folds = Noise(rng, size=0.07).at(atlas.vertices) * garment.loose * 0.3
    inside = np.clip(garment.field / 0.02, 0, 1)
    shell = skin + normals * (lift + garment.loose * (0.35 + 0.65 * inside) + folds * inside)[:, None]
    faces = atlas.faces[(garment.field[atlas.faces] > 0).any(axis=1)]
    holes = _lace_holes(rng) if garment.material == "lace" else None

    def keep(face: Ints, weights: Floats) -> Bools:
        there = blended(garment.field, faces, face, weights) > 0
        if holes is not None:
            there &= holes(blended(atlas.vertices, faces, face, weights))
        return np.asarray(there)

    shine, sharpness = {"leather": (0.5, 25.0), "metal": (1.2, 60.0)}.get(
        garment.material, (rng.uniform(0, 0.12), 12.0)
    )
    outward = vertex_normals(shell.astype(np.float32), atlas.faces)
    return Thing(
        kind="cloth",
        mesh=Mesh(garment.name, shell.astype(np.float32), faces, outward),
        normals=outward,
        paint=_cloth_paint(rng, garment, faces),
        keep=keep,
        shine=float(shine),
        sharpness=sharpness,
    )


def _lace_holes(rng: np.random.Generator) -> Callable[[Floats], Bools]:
    period = rng.uniform(0.003, 0.01)
    flowers = Noise(rng, size=0.05)

    def there(points: Floats) -> Bools:
        x, y, z = (points / period * np.pi).T
        net = np.abs(np.sin(x + z) * np.sin(x - z + 0.4 * y)) < 0.28
        return np.asarray(net | (flowers.at(points) > 0.5))

    return there


def _cloth_paint(rng: np.random.Generator, garment: Garment, faces: Ints) -> Paint:
    atlas = load_atlas()
    texture = _material(rng, garment.material)
    scale = float(rng.uniform(0.12, 0.6))
    a, b, c = (atlas.vertices[faces[:, corner]] for corner in range(3))
    is_sideways = np.abs(np.cross(b - a, c - a)).argmax(axis=1) == 0

    def paint(face: Ints, weights: Floats) -> Floats:
        place = blended(atlas.vertices, faces, face, weights)
        across = np.where(is_sideways[face], place[:, 1], place[:, 0])
        color = _tiled(texture, np.stack([across, -place[:, 2]], axis=1) / scale)
        hem = blended(garment.field, faces, face, weights)
        return np.asarray(color * (0.55 + 0.45 * np.clip(hem / 0.0025, 0, 1))[:, None])

    return paint


def _material(rng: np.random.Generator, material: str) -> Floats:
    if material == "metal":
        tint = np.array([[0.83, 0.62, 0.28], [0.75, 0.75, 0.77], [0.8, 0.55, 0.45]])[rng.integers(3)]
        return np.tile(tint.astype(np.float32), (8, 8, 1))
    if material == "leather" or (material in ("cloth", "lace") and rng.random() < 0.45):
        dark = material == "leather" or rng.random() < 0.4
        tone = (
            rng.uniform(0.01, 0.05, 3) if dark else to_light(rng.beta(1.2, 1.2) * 0.5 + 0.5 * rng.random(3))
        )
        return np.tile(tone.astype(np.float32), (8, 8, 1))
    return to_light(cloth(rng, _TEXTURE, _TEXTURE))


def hair_of(
    rng: np.random.Generator,
    *,
    style: str,
    color: str,
    skin: Floats,
    normals: Floats,
    back: Floats,
    floor: float,
) -> list[Thing]:
    """Cap and strands of a style on a posed body, whose head looks away from `back` (3,)."""
    if style not in CAPS:
        return []
    tone = np.array(HAIR_COLOURS[color]) * rng.uniform(0.8, 1.25)
    things = [_cap(rng, style, tone, skin, normals)]
    if style in LENGTHS:
        field = scalp_field()
        roots = np.flatnonzero((field > 0.002) & (field < 0.16))
        strands = grow(
            rng,
            roots=skin[roots] + normals[roots] * CAPS[style],
            outward=normals[roots],
            back=back,
            body=skin,
            normals=normals,
            length=float(rng.uniform(*LENGTHS[style])),
            floor=floor,
        )
        things.append(_strand_thing(rng, strands, tone))
    elif style == "bun":
        things.append(_bun(rng, tone, skin, normals))
    return things


def _cap(rng: np.random.Generator, style: str, tone: Floats, skin: Floats, normals: Floats) -> Thing:
    atlas, field = load_atlas(), scalp_field()
    bumps = 0.3 * Noise(rng, size=0.03).at(atlas.vertices)
    thick = CAPS[style] * np.clip(field / 0.03, 0.08, 1) * (1 + bumps)
    shell = (skin + normals * thick[:, None]).astype(np.float32)
    faces = atlas.faces[(field[atlas.faces] > 0).any(axis=1)]
    fray, strands = Noise(rng, size=0.008), Noise(rng, size=0.005)
    stretch = np.array([1.0, 1.0, 0.12]) if style != "buzz" else np.ones(3)

    def keep(face: Ints, weights: Floats) -> Bools:
        there = blended(field, faces, face, weights)
        return np.asarray(there + 0.004 * fray.at(blended(atlas.vertices, faces, face, weights)) > 0.002)

    def paint(face: Ints, weights: Floats) -> Floats:
        place = blended(atlas.vertices, faces, face, weights)
        return np.asarray(
            tone * np.clip(1 + 0.45 * strands.at(place * stretch), 0.25, 2.2)[:, None], np.float32
        )

    return Thing(
        "hair",
        Mesh("hair", shell, faces, vertex_normals(shell, atlas.faces)),
        vertex_normals(shell, atlas.faces),
        paint,
        keep,
        0.15,
        14.0,
    )


def _strand_thing(rng: np.random.Generator, strands: Strands, tone: Floats) -> Thing:
    texture = hair_texture(rng, 64, 256).mean(axis=2)
    texture = texture / max(float(texture.mean()), 1e-3)
    shift = rng.random(len(strands.across) // 2).repeat(2).astype(np.float32)

    def keep(face: Ints, weights: Floats) -> Bools:
        across = blended(strands.across, strands.faces, face, weights)
        return gaps(across, blended(strands.along, strands.faces, face, weights))

    def paint(face: Ints, weights: Floats) -> Floats:
        across = blended(strands.across, strands.faces, face, weights)
        along = blended(strands.along, strands.faces, face, weights)
        column = ((across * 0.12 + shift[strands.faces[face, 0]]) % 1 * 255).astype(int)
        return np.asarray(tone * texture[(along * 63).astype(int), column][:, None], np.float32)

    mesh = Mesh("strands", strands.vertices, strands.faces)
    return Thing("hair", mesh, vertex_normals(strands.vertices, strands.faces), paint, keep, 0.2, 18.0)


def _bun(rng: np.random.Generator, tone: Floats, skin: Floats, normals: Floats) -> Thing:
    """A lumpy ball at the back of the head."""
    atlas = load_atlas()
    place = int(
        np.argmin(
            np.linalg.norm(atlas.vertices - np.array([0, 0.055, 0.96 + rng.uniform(-0.05, 0.06)]), axis=1)
        )
    )
    steps = np.meshgrid(np.linspace(0, np.pi, 20), np.linspace(0, 2 * np.pi, 32), indexing="ij")
    ball = np.stack(
        [np.sin(steps[0]) * np.cos(steps[1]), np.sin(steps[0]) * np.sin(steps[1]), np.cos(steps[0])], -1
    )
    ball = ball.reshape(-1, 3) * (1 + 0.06 * Noise(rng, size=0.6).at(ball.reshape(-1, 3)))[:, None]
    size = rng.uniform(0.035, 0.055)
    vertices = (skin[place] + normals[place] * size * 0.8 + ball * size).astype(np.float32)
    corner = (np.arange(19)[:, None] * 32 + np.arange(31)).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + 32, corner + 1], 1), np.stack([corner + 32, corner + 33, corner + 1], 1)]
    )
    lines = Noise(rng, size=0.02)

    def paint(face: Ints, weights: Floats) -> Floats:
        around = blended(ball.astype(np.float32), faces, face, weights)
        return np.asarray(
            tone * np.clip(1 + 0.4 * lines.at(around * [0.3, 0.3, 0.05]), 0.3, 2)[:, None], np.float32
        )

    return Thing(
        "hair",
        Mesh("bun", vertices, faces.astype(np.int32)),
        ball.astype(np.float32),
        paint,
        None,
        0.15,
        14.0,
    )


def prop_thing(prop: Prop) -> Thing:
    """A piece of the room."""

    def paint(face: Ints, weights: Floats) -> Floats:
        return _tiled(prop.texture, blended(prop.places, prop.faces, face, weights) / prop.scale)

    return Thing("prop", Mesh("prop", prop.vertices, prop.faces), prop.normals, paint)


def _tiled(texture: Floats, place: Floats) -> Floats:
    """Colours (n, 3) of a texture mirrored at its edges, at places (n, 2) in units of its size."""
    height, width = texture.shape[:2]
    mirrored = np.abs((place + 1) % 2 - 1) * [width, height] - 0.5
    return read_picture(texture, mirrored.astype(np.float32), cv2.BORDER_REPLICATE)
