"""Takes one picture: the performer comes in, is lit and photographed, and what is true is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from chassis.errors import InvalidInput
from trainer.drawings.clutter import background
from trainer.studio.arrays import Floats, Ints, unit
from trainer.studio.camera import Camera
from trainer.studio.casting import Mesh, Stage, blended
from trainer.studio.colours import to_light
from trainer.studio.develop import compress, expose, grade
from trainer.studio.figure import Model, Posed, model_of, pose_model
from trainer.studio.framing import AIMED, Framing, draw_framing
from trainer.studio.garments import Garment, cut
from trainer.studio.lights import Rig, pick_rig, rig_of
from trainer.studio.orders import Order
from trainer.studio.overlays import lay_over
from trainer.studio.poses import Pose, draw_pose
from trainer.studio.props import furnish
from trainer.studio.reading import read_picture
from trainer.studio.sampling import Samples, sample
from trainer.studio.seeds import generator
from trainer.studio.shading import glow_on, lamps_on, lit
from trainer.studio.skin import InkedSamples
from trainer.studio.stating import Exposure, state
from trainer.studio.surfaces import surface
from trainer.studio.tattooing import Tattoo
from trainer.studio.things import Thing, clothe, hair_of, prop_thing
from trainer.studio.truth import PictureTruth
from trainer.studio.wardrobe import dress

__all__ = ["choose_clothes", "develop", "light_of", "take", "wear"]

_BUTTOCKS = (19, 20, 11, 12)
_TRIES = 7
"""Cameras that are tried until nothing stands before what a close shot looks at."""


def take(order: Order, path: str) -> tuple[bytes, PictureTruth]:
    """The JPEG of an order and its truth; `path` is where the picture will be."""
    rng = generator("picture", order.seed, order.mode, order.split, order.number)
    model = model_of(order.performer_id, order.tattoos)
    pose = draw_pose(rng)
    posed = pose_model(model, pose)
    garments = choose_clothes(rng, order, model)
    worn = wear(rng, model, posed, garments)
    framing = _frame(rng, order, model, posed, garments, worn)
    rig = rig_of(pick_rig(rng, order.split), yaw=framing.yaw)
    things = [*worn, *_room(rng, model, posed, pose, framing)]
    stage = Stage([thing.mesh for thing in things], [thing.keep for thing in things])
    strands = tuple(number for number, thing in enumerate(things) if thing.mesh.name == "strands")
    samples = sample(stage, framing.camera, fine=strands)
    inked = InkedSamples(len(samples.rays))
    light, irradiance = light_of(rng, {0: (model, inked)}, things, rig, samples, framing.camera)
    exposure = Exposure(
        order=order, model=model, posed=posed, pose=pose, framing=framing, rig=rig, garments=garments,
        stage=stage, samples=samples, inked=inked, people=_people(things),
    )  # fmt: skip
    facts: dict[str, float | str] = {}
    picture = develop(rng, samples, framing.camera, light, irradiance, facts)
    overlays = lay_over(rng, picture, exposure.body_box)
    encoded = compress(rng, np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8), facts)
    return encoded, state(exposure, path, overlays, facts)


def choose_clothes(rng: np.random.Generator, order: Order, model: Model) -> list[Garment]:
    """What is worn; where a tattoo is the subject, something that leaves it free if there is such a thing."""
    for _ in range(_TRIES):
        garments = dress(rng, gender=model.performer.phenotype.gender)
        subject = model.tattoos[order.subject : order.subject + 1] if order.subject is not None else ()
        if all(len(_uncovered(tattoo, garments, model.skin.faces)) > 0 for tattoo in subject):
            break
    return garments


def _frame(
    rng: np.random.Generator,
    order: Order,
    model: Model,
    posed: Posed,
    garments: list[Garment],
    worn: list[Thing],
) -> Framing:
    """Choose the camera; close shots look at a tattoo that nothing hides, one in five at any skin."""
    faces, tattoos = model.skin.faces, model.tattoos
    if order.subject is not None:
        tattoos = tattoos[order.subject : order.subject + 1]
    bare = np.concatenate(
        [_uncovered(tattoo, garments, faces) for tattoo in tattoos] or [np.zeros(0, np.int64)]
    )
    is_asked = len(bare) > 0 and (order.subject is not None or rng.random() < 0.8)
    stage: Stage | None = None
    for _ in range(_TRIES):
        face = int(rng.choice(bare)) if is_asked else int(rng.integers(len(faces)))
        spot = posed.vertices[faces[face]].mean(axis=0).astype(np.float64)
        normal = unit(posed.normals[faces[face]].mean(axis=0).astype(np.float64))
        framing = draw_framing(
            rng,
            body=posed.vertices,
            joints=posed.joints,
            spot=spot,
            normal=normal,
            floor=float(posed.vertices[:, 2].min()),
            shot=order.shot,
        )
        if framing.shot not in AIMED:
            break
        stage = stage or Stage([replace(t.mesh, normals=None) for t in worn], [t.keep for t in worn])
        if stage.sees(framing.camera.position, (spot + 0.001 * normal)[None])[0]:
            break
    return framing


def _uncovered(tattoo: Tattoo, garments: list[Garment], faces: Ints) -> Ints:
    """Triangles with ink that no garment covers, the same number of each tattoo."""
    inked = tattoo.painted.face
    covered = np.zeros(len(inked), bool)
    for garment in garments:
        covered |= (garment.field[faces[inked]] > 0).any(axis=1)
    bare = inked[~covered]
    return bare[:: max(1, len(bare) // 20)][:20]


def wear(rng: np.random.Generator, model: Model, posed: Posed, garments: list[Garment]) -> list[Thing]:
    """The person: skin first, then clothes and hair."""
    body = Mesh("body", posed.vertices, model.skin.faces, posed.normals)
    skin = Thing("skin", body, posed.normals, None, None, _oil(rng), 18.0)
    clothes = [
        clothe(rng, garment, posed.vertices, posed.normals, lift=0.003 * layer)
        for layer, garment in enumerate(garments)
    ]
    hair = hair_of(
        rng,
        style=model.performer.hair_style,
        color=model.performer.hair,
        skin=posed.vertices,
        normals=posed.normals,
        back=unit(posed.joints["head"] - (posed.joints["eye.L"] + posed.joints["eye.R"]) / 2),
        floor=float(posed.vertices[:, 2].min()),
    )
    return [skin, *clothes, *hair]


def _room(rng: np.random.Generator, model: Model, posed: Posed, pose: Pose, framing: Framing) -> list[Thing]:
    seat = np.unique(model.skin.faces[np.isin(model.skin.regions, _BUTTOCKS)])
    props = furnish(
        rng,
        support=pose.support,
        body=posed.vertices,
        sitting=posed.vertices[seat],
        camera=framing.camera.position,
    )
    return [prop_thing(prop) for prop in props]


def _oil(rng: np.random.Generator) -> float:
    return float(rng.choice([rng.uniform(0.02, 0.15), rng.uniform(0.2, 0.7)], p=[0.75, 0.25]))


def _people(things: list[Thing]) -> list[int]:
    """Numbers of the meshes that are the person, clothes and hair included."""
    return [number for number, thing in enumerate(things) if thing.kind != "prop"]


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    rays: Floats
    position: Floats
    grain: float
    """Metres between samples on the body."""


@dataclass(frozen=True, slots=True, eq=False)
class _Skinned:
    model: Model
    marks: Floats
    inked: InkedSamples


def light_of(
    rng: np.random.Generator,
    people: Mapping[int, tuple[Model, InkedSamples]],
    things: list[Thing],
    rig: Rig,
    samples: Samples,
    camera: Camera,
) -> tuple[Floats, float]:
    """Linear light of every sample, (samples, 3), and the mean light on people.

    people: by the number of the thing that is their skin, and which of their tattoos each sample shows, which
    is filled in.
    """
    hits, rays = samples.hits, samples.rays
    on_bodies = np.concatenate([hits.of(number) for number in people])
    distance = float(np.median(hits.distance[on_bodies])) if len(on_bodies) else 2.0
    view = _View(rays, camera.position, distance / camera.focal)
    # Clothes lie on the skin and would darken it all around their hems.
    casting = [thing for thing in things if thing.kind != "cloth"]
    shadows = Stage([replace(thing.mesh, normals=None) for thing in casting], [None] * len(casting))
    skins = {number: _Skinned(model, _marked(rng, model), inked) for number, (model, inked) in people.items()}
    light = np.zeros((len(rays), 3), np.float32)
    beyond = hits.of(-1)
    light[beyond] = _backdrop(rng, camera, rays[beyond], rig)
    received: list[tuple[float, int]] = []
    for number, thing in enumerate(things):
        seen = hits.of(number)
        if len(seen) == 0:
            continue
        face, weights = hits.face[seen], hits.weights[seen]
        glow, lamps = glow_on(shadows, thing, rig, face), lamps_on(rng, shadows, thing, rig, face)
        albedo = _albedo(thing, skins.get(number), face, weights, view.grain, seen)
        normals = blended(thing.normals, thing.mesh.faces, face, weights)
        points = view.position + view.rays[seen] * hits.distance[seen, None]
        sent = lit(
            rng, shadows, thing, rig,
            albedo=albedo,
            points=points.astype(np.float32),
            normals=normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6),
            glow=blended(glow, thing.mesh.faces, face, weights),
            lamps=blended(lamps, thing.mesh.faces, face, weights),
            view=view.rays[seen],
        )  # fmt: skip
        light[seen] = sent
        received.append(
            (float((sent / np.maximum(albedo, 0.02)).mean()), len(seen) * (4 if thing.kind != "prop" else 1))
        )
    tone = float(np.mean([model.performer.tone for model, _ in people.values()]))
    return light, _metered(received) * (1 - 0.35 * tone)


def _marked(rng: np.random.Generator, model: Model) -> Floats:
    """Bruises, and where the sun has not been."""
    tan = (
        cut(str(rng.choice(["briefs", "bra", "tank", "triangles"])), rng).field
        if rng.random() < 0.12
        else None
    )
    return model.skin.with_marks(rng, tan)


def _metered(received: list[tuple[float, int]]) -> float:
    """The mean light on things by the area that each takes up, the person's four times."""
    whole = sum(area for _, area in received)
    return max(sum(light * area for light, area in received) / whole, 0.02) if whole else 1.0


def _albedo(
    thing: Thing, skin: _Skinned | None, face: Ints, weights: Floats, grain: float, seen: Ints
) -> Floats:
    if thing.paint is not None:
        return thing.paint(face, weights)
    if skin is None:
        raise InvalidInput("a thing without a paint must be somebody's skin")
    own = InkedSamples(len(face))
    color = skin.model.skin.at(face, weights, grain, skin.marks, own)
    skin.inked.ink[seen], skin.inked.extent[seen], skin.inked.change[seen] = own.ink, own.extent, own.change
    return color


def _backdrop(rng: np.random.Generator, camera: Camera, rays: Floats, rig: Rig) -> Floats:
    """Light (n, 3) along rays that meet no mesh: a room out of focus."""
    picture = np.asarray(
        cv2.GaussianBlur(_scenery(rng, camera), (0, 0), float(rng.uniform(2, 12))), np.float32
    )
    level = np.clip(float(rig.glow.mean()) + 0.3, 0.3, 1.2) * rng.uniform(0.5, 1.2)
    pixels, _ = camera.project(camera.position + rays)
    return to_light(
        read_picture(picture, pixels.astype(np.float32) - 0.5, cv2.BORDER_REPLICATE)
    ) * np.float32(level)


def _scenery(rng: np.random.Generator, camera: Camera) -> Floats:
    side = max(camera.width, camera.height)
    picture = surface(rng, side) if rng.random() < 0.6 else background(rng, side, side)
    return picture[: camera.height, : camera.width]


def develop(
    rng: np.random.Generator,
    samples: Samples,
    camera: Camera,
    light: Floats,
    irradiance: float,
    facts: dict[str, float | str],
) -> Floats:
    """The picture (h, w, 3), 0..1, of the light of every sample; notes in `facts` what was done to it."""
    # Highlights are cut before the samples of a pixel are averaged, else one gleam whitens it.
    whole = samples.spread(np.minimum(light, 4 * irradiance))
    small = np.asarray(
        cv2.resize(whole, (camera.width, camera.height), interpolation=cv2.INTER_AREA), np.float32
    )
    return grade(rng, expose(rng, small, irradiance=irradiance), facts)
