"""What the services' own finders see of a picture, as the gateway gets it; nothing is recognised."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.regions.placing import body_seen
from bench.tattoo.detectors import built_in
from chassis.geometry import Point
from chassis.images import RGBImage
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from marquee.common.v1 import common_pb2
from services.body.people import PeopleFinder
from services.body.table import DETECTOR, LANDMARKS
from services.face.finder import FaceFinder, FoundFace
from services.face.models import FACE_DETECTOR, FACE_MESH
from services.face.observe import quality_of
from services.face.picture import Picture
from services.face.templates import landmarks_of
from services.tattoo.detect import Detection
from services.tattoo.finder import TattooFinder

__all__ = ["Finders", "Found", "open_finders"]

_MOST_FACES = 64


@dataclass(frozen=True, slots=True)
class Found:
    """Faces, bodies and tattoos of one picture."""

    faces: tuple[FaceSeen, ...]
    bodies: tuple[BodySeen, ...]
    tattoos: tuple[TattooSeen, ...]


@dataclass(frozen=True, slots=True)
class Finders:
    """Those of the three services, with their built-in models."""

    faces: FaceFinder
    bodies: PeopleFinder
    tattoos: TattooFinder

    async def find(self, pixels: RGBImage) -> Found:
        """All that is seen; as the services it raises ModelError and Unavailable."""
        picture = Picture(pixels)
        faces = [_face(picture, one) for one in await self.faces.find(picture)]
        bodies = [body_seen(one) for one in await self.bodies.find(pixels)]
        tattoos = [_tattoo(one) for one in await self.tattoos.find(pixels)]
        return Found(tuple(faces), tuple(bodies), tuple(tattoos))


@asynccontextmanager
async def open_finders() -> AsyncIterator[Finders]:
    """Ready to find; one thread."""
    store = ModelStore()
    store.build((FACE_DETECTOR, FACE_MESH))
    names = (FACE_DETECTOR.name, FACE_MESH.name, DETECTOR, LANDMARKS)
    paths = {name: store.path(name) for name in names}
    async with (
        built_in().open() as tattoos,
        OnnxInference.open(paths) as inference,
        WorkPool(1, 8) as pool,
    ):
        faces = FaceFinder(
            inference, pool, detector=FACE_DETECTOR.name, mesh=FACE_MESH.name, max_faces=_MOST_FACES
        )
        yield Finders(faces, PeopleFinder(inference, pool), tattoos)


def _face(picture: Picture, found: FoundFace) -> FaceSeen:
    return FaceSeen(
        box=found.box,
        quality=quality_of(picture, found).quality,
        detection_confidence=found.confidence,
        landmarks=tuple(Point(float(x), float(y)) for x, y in landmarks_of(found.mesh)),
        template=common_pb2.Template(signal=common_pb2.SIGNAL_FACE),
        candidates=(),
    )


def _tattoo(found: Detection) -> TattooSeen:
    return TattooSeen(
        box=found.box,
        quality=1.0,
        detection_confidence=found.confidence,
        mask=found.outline,
        template=common_pb2.Template(signal=common_pb2.SIGNAL_TATTOO),
        candidates=(),
    )
