"""What Marquee makes of rendered pictures: people by the body service's networks, tattoos as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.regions.truth import TruePicture, TrueTattoo, read_folder
from chassis.geometry import Point
from chassis.images import decode
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from gateway.observations import BodySeen, KeyPoint, RegionView, TattooSeen
from gateway.people import PersonView, read_scene
from gateway.regions import visibilities
from marquee.common.v1 import common_pb2
from services.body.people import PeopleFinder, Person
from services.body.pose import Pose
from services.body.quality import view_quality
from services.body.regions import regions_in_view
from services.body.skeleton import KeyPoint as Key
from services.body.table import DETECTOR, LANDMARKS
from services.body.view import view_of

__all__ = ["Placed", "Looked", "body_seen", "look_at_folder"]

# The baseline's regions, by the end of a key point's name.
_REGION_OF_KEY = {
    "SHOULDER": "SHOULDER",
    "ELBOW": "UPPER_ARM",
    "WRIST": "HAND_OR_WRIST",
    "PINKY": "HAND_OR_WRIST",
    "INDEX": "HAND_OR_WRIST",
    "THUMB": "HAND_OR_WRIST",
    "HIP": "HIP",
    "KNEE": "THIGH",
    "ANKLE": "FOOT_OR_ANKLE",
    "HEEL": "FOOT_OR_ANKLE",
    "FOOT_INDEX": "FOOT_OR_ANKLE",
}
_SEEN = 0.5


@dataclass(frozen=True, slots=True)
class Placed:
    """A tattoo and where it was placed; UNKNOWN where nothing was said."""

    truth: TrueTattoo
    region: str
    nearest: str
    """The region of the nearest visible key point; UNKNOWN without any."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture, and what was made of it."""

    truth: TruePicture
    placed: tuple[Placed, ...]
    regions_in_view: frozenset[str]
    coverage: float
    people: int
    visibilities: Mapping[str, float] = field(default_factory=dict)
    """Of the regions in view."""


async def look_at_folder(folder: Path) -> list[Looked]:
    """Every picture of a rendered set."""
    store = ModelStore()
    paths = {name: store.path(name) for name in (DETECTOR, LANDMARKS)}
    async with OnnxInference.open(paths) as inference, WorkPool(1, 8) as pool:
        finder = PeopleFinder(inference, pool)
        return [await _look(truth, finder) for truth in read_folder(folder)]


async def _look(truth: TruePicture, finder: PeopleFinder) -> Looked:
    picture = decode(truth.path.read_bytes())
    height, width = picture.shape[:2]
    people = await finder.find(picture)
    bodies = [body_seen(person) for person in people]
    tattoos = [_seen(one) for one in truth.tattoos]
    scene = read_scene((), bodies, tattoos, width=width, height=height)
    places = {
        id(tattoo.template): common_pb2.BodyRegion.Name(region).removeprefix("BODY_REGION_")
        for view in scene.people
        for tattoo, region in zip(view.person.tattoos, view.tattoo_regions, strict=True)
    }
    poses = [person.pose for person in people if person.pose is not None]
    return Looked(
        truth=truth,
        placed=tuple(
            Placed(one, places.get(id(seen.template), "UNKNOWN"), _nearest(poses, seen))
            for one, seen in zip(truth.tattoos, tattoos, strict=True)
        ),
        regions_in_view=_in_view(scene.people),
        coverage=max((view.coverage for view in scene.people), default=0.0),
        people=len(people),
        visibilities=_visibilities(scene.people),
    )


def _in_view(people: Sequence[PersonView]) -> frozenset[str]:
    return frozenset(
        common_pb2.BodyRegion.Name(region).removeprefix("BODY_REGION_")
        for view in people[:1]
        for region in view.regions_in_view
    )


def _visibilities(people: Sequence[PersonView]) -> dict[str, float]:
    return {
        common_pb2.BodyRegion.Name(region).removeprefix("BODY_REGION_"): value
        for view in people[:1]
        for region, value in visibilities(view.person).items()
    }


def _seen(tattoo: TrueTattoo) -> TattooSeen:
    template = common_pb2.Template(signal=common_pb2.SIGNAL_TATTOO)
    return TattooSeen(tattoo.box, 1.0, 1.0, tattoo.outline, template, ())


def body_seen(person: Person) -> BodySeen:
    """As the gateway has it from the body service."""
    pose = person.pose
    if pose is None:
        return BodySeen(person.box, 0.0, person.confidence, (), (), None, ())
    return BodySeen(
        box=person.box,
        quality=view_quality(pose, view_of(pose)),
        detection_confidence=person.confidence,
        key_points=tuple(
            KeyPoint(float(x), float(y), float(visibility))
            for (x, y), visibility in zip(pose.points, pose.visibility, strict=True)
        ),
        regions=tuple(
            RegionView(
                common_pb2.BodyRegion.ValueType(one.region),
                tuple(Point(float(x), float(y)) for x, y in one.outline),
                one.visibility,
            )
            for one in regions_in_view(pose)
        ),
        template=None,
        candidates=(),
    )


def _nearest(poses: Sequence[Pose], tattoo: TattooSeen) -> str:
    """The baseline: which key point is nearest to the middle of the tattoo."""
    best, region = np.inf, "UNKNOWN"
    center = np.array([tattoo.box.center.x, tattoo.box.center.y])
    for pose in poses:
        for key in Key:
            distance = float(np.linalg.norm(pose.point(key) - center))
            if pose.visibility[key] >= _SEEN and distance < best:
                best, region = distance, _region_of(key)
    return region


def _region_of(key: Key) -> str:
    side, _, part = key.name.partition("_")
    return f"{side}_{_REGION_OF_KEY[part]}" if part in _REGION_OF_KEY else "HEAD"
