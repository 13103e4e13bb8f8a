"""Takes one picture of several people, and writes down what is true of each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from trainer.studio.arrays import Bytes, Floats
from trainer.studio.casting import Stage
from trainer.studio.company import Gathering, Kind, arrange, frame, turned
from trainer.studio.develop import compress
from trainer.studio.figure import Model, Posed, model_of, pose_model
from trainer.studio.framing import Framing
from trainer.studio.garments import Garment
from trainer.studio.lights import Rig, pick_rig, rig_of
from trainer.studio.orders import Order
from trainer.studio.performers import performer_names
from trainer.studio.picture import choose_clothes, develop, light_of, wear
from trainer.studio.poses import Pose, draw_pose
from trainer.studio.props import Prop, furnish
from trainer.studio.sampling import SUPERSAMPLING, Samples, sample
from trainer.studio.seeds import Split, generator
from trainer.studio.skin import InkedSamples
from trainer.studio.stating import Exposure, state
from trainer.studio.things import Thing, prop_thing
from trainer.studio.truth import SCHEMA, GroupTruth

__all__ = ["GroupOrder", "as_png", "take_group"]

_KINDS = tuple(Kind)
_THREE = 0.4
"""Share of the pictures side by side or overlapping that show three people."""
_ASIDE = 28.0
"""Degrees by which people are turned from the camera, one standard deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOrder:
    """One picture to take: kinds take turns."""

    number: int
    seed: int
    split: Split

    @property
    def kind(self) -> Kind:
        return _KINDS[self.number % len(_KINDS)]


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    order: Order
    model: Model
    pose: Pose
    posed: Posed
    garments: list[Garment]
    worn: list[Thing]
    inked: InkedSamples


def take_group(order: GroupOrder, path: str) -> tuple[bytes, GroupTruth, Bytes]:
    """The JPEG of an order, its truth, and who is seen where: (h, w) number of the person, 255 for nobody.

    `path` is where the picture will be.
    """
    rng = generator("group", order.seed, order.split, order.number)
    orders = _orders(rng, order)
    models = [model_of(one.performer_id) for one in orders]
    poses = [_standing(rng) for _ in models]
    gathering = arrange(rng, order.kind, _facing(rng, order.kind, models, poses))
    framing = frame(rng, gathering)
    dressed = [choose_clothes(rng, one, model) for one, model in zip(orders, models, strict=True)]
    worn = [
        wear(rng, model, posed, garments)
        for model, posed, garments in zip(models, gathering.people, dressed, strict=True)
    ]
    rig = rig_of(pick_rig(rng, order.split), yaw=framing.yaw)
    things = [thing for one in worn for thing in one] + _room(rng, gathering, framing)
    stage = Stage([thing.mesh for thing in things], [thing.keep for thing in things])
    strands = tuple(number for number, thing in enumerate(things) if thing.mesh.name == "strands")
    samples = sample(stage, framing.camera, fine=strands)
    members = [
        _Member(one, model, pose, posed, garments, clothes, InkedSamples(len(samples.rays)))
        for one, model, pose, posed, garments, clothes in zip(
            orders, models, poses, gathering.people, dressed, worn, strict=True
        )
    ]
    skins = dict(zip(_firsts(members), ((one.model, one.inked) for one in members), strict=True))
    light, irradiance = light_of(rng, skins, things, rig, samples, framing.camera)
    facts: dict[str, float | str] = {}
    picture = develop(rng, samples, framing.camera, light, irradiance, facts)
    encoded = compress(rng, np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8), facts)
    exposures = [_exposure(one, first, framing, rig, stage, samples)
                 for one, first in zip(members, _firsts(members), strict=True)]  # fmt: skip
    truth = GroupTruth(
        schema_version=SCHEMA,
        number=order.number,
        picture=path,
        kind=str(order.kind),
        people=[state(one, path, [], facts) for one in exposures],
    )
    return encoded, truth, _owners(exposures, samples)


def _orders(rng: np.random.Generator, order: GroupOrder) -> list[Order]:
    """Everybody's own, as if each were photographed alone; people of the split, in turn."""
    can_be_three = order.kind in (Kind.APART, Kind.OVERLAPPING)
    count = 3 if can_be_three and rng.random() < _THREE else 2
    names = performer_names(order.split, seed=order.seed, count=3 * order.number + count)[-count:]
    return [
        Order(number=order.number, seed=order.seed, mode="scenes", split=order.split, performer_id=name)
        for name in names
    ]


def _standing(rng: np.random.Generator) -> Pose:
    """A pose that needs nothing but a floor."""
    while True:
        pose = draw_pose(rng)
        if pose.support == "floor":
            return pose


def _facing(rng: np.random.Generator, kind: Kind, models: list[Model], poses: list[Pose]) -> list[Posed]:
    """Everybody about to the camera; of a pair with one who is turned away, the first."""
    away = [kind is Kind.TURNED and number == 0 for number in range(len(models))]
    return [
        turned(pose_model(model, pose), float(rng.normal(180 if is_away else 0, _ASIDE)))
        for model, pose, is_away in zip(models, poses, away, strict=True)
    ]


def _room(rng: np.random.Generator, gathering: Gathering, framing: Framing) -> list[Thing]:
    """Floor and those walls that stand beyond everybody."""
    everybody = np.concatenate([one.vertices for one in gathering.people])
    everybody[:, 2] = np.maximum(everybody[:, 2], 0)
    props = furnish(rng, support="floor", body=everybody, sitting=everybody, camera=framing.camera.position)
    return [prop_thing(prop) for prop in props if _is_clear(prop, everybody)]


def _is_clear(prop: Prop, everybody: Floats) -> bool:
    normal, spot = prop.normals[0], prop.vertices.mean(axis=0)
    return bool(abs(normal[2]) > 0.9 or ((everybody - spot) @ normal).min() > 0.05)


def _firsts(members: list[_Member]) -> list[int]:
    """The number of everybody's first mesh, which is the skin."""
    counts = [len(one.worn) for one in members]
    return [sum(counts[:place]) for place in range(len(counts))]


def _exposure(
    member: _Member, first: int, framing: Framing, rig: Rig, stage: Stage, samples: Samples
) -> Exposure:
    return Exposure(
        order=member.order, model=member.model, posed=member.posed, pose=member.pose, framing=framing,
        rig=rig, garments=member.garments, stage=stage, samples=samples, inked=member.inked,
        people=list(range(first, first + len(member.worn))), skin=first,
    )  # fmt: skip


def _owners(exposures: list[Exposure], samples: Samples) -> Bytes:
    owner = np.full(len(samples.rays), 255, np.uint8)
    for number, one in enumerate(exposures):
        owner[np.isin(one.hits.mesh, one.people)] = number
    whole = owner[samples.grid]
    return np.asarray(whole[::SUPERSAMPLING, ::SUPERSAMPLING], np.uint8)


def as_png(owners: Bytes) -> bytes:
    """A file's bytes."""
    _, data = cv2.imencode(".png", owners)
    return data.tobytes()
