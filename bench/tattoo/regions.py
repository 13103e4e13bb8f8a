"""Whether tattoos get the right region of the body: the body service's outlines, the gateway's choice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.tattoo.figures import Share, share
from chassis.geometry import Box, Point
from chassis.images import RGBImage
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from gateway.association import associate
from gateway.observations import BodySeen, KeyPoint, RegionView, TattooSeen
from gateway.regions import region_of
from marquee.common.v1 import common_pb2
from services.body.people import PeopleFinder, Person
from services.body.regions import regions_in_view
from services.body.table import DETECTOR, LANDMARKS
from trainer.learning.truth import Picture, load_pixels

__all__ = ["RegionFigures", "named_regions", "region_figures", "open_finder"]

_UNKNOWN = "UNKNOWN"
_PREFIX = "BODY_REGION_"


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """Of tattoos that are seen plainly."""

    answered: Share
    """That got a region at all."""
    right: Share
    """Of those, the one that holds most of the ink."""
    wrong_side: Share
    """Of those, the same part of the other side."""


@asynccontextmanager
async def open_finder() -> AsyncIterator[PeopleFinder]:
    """The body service's own. Raises ModelError where its models are not built."""
    store = ModelStore()
    paths = {name: store.path(name) for name in (DETECTOR, LANDMARKS)}
    async with OnnxInference.open(paths) as inference, WorkPool(1, 8) as pool:
        yield PeopleFinder(inference, pool)


async def named_regions(finder: PeopleFinder, pictures: Sequence[Picture]) -> list[tuple[str, str]]:
    """Of every plain tattoo its true region and the one it gets, or UNKNOWN; boxes are the true ones."""
    return [pair for picture in pictures if picture.tattoos for pair in await _named(finder, picture)]


def region_figures(pairs: Sequence[tuple[str, str]]) -> RegionFigures:
    """Count true and given regions."""
    answered = [(true, given) for true, given in pairs if given != _UNKNOWN]
    right = sum(true == given for true, given in answered)
    swapped = sum(true != given and _part(true) == _part(given) for true, given in answered)
    count = len(answered)
    return RegionFigures(share(count, len(pairs)), share(right, count), share(swapped, count))


async def _named(finder: PeopleFinder, picture: Picture) -> list[tuple[str, str]]:
    pixels: RGBImage = load_pixels(picture)
    bodies = [_body_of(person) for person in await finder.find(pixels)]
    pairs = []
    for one in picture.tattoos:
        if not one.is_plain:
            continue
        tattoo = TattooSeen(Box.from_corners(*one.box), 1.0, 1.0, (), common_pb2.Template(), ())
        owners = [person for person in associate([], bodies, [tattoo]).people if person.tattoos]
        given = region_of(tattoo, owners[0]) if owners else common_pb2.BODY_REGION_UNKNOWN
        pairs.append((one.region, common_pb2.BodyRegion.Name(given).removeprefix(_PREFIX)))
    return pairs


def _body_of(person: Person) -> BodySeen:
    """What the gateway gets of a person."""
    pose = person.pose
    if pose is None:
        return BodySeen(person.box, 0.0, person.confidence, (), (), None, ())
    rows = zip(pose.points.tolist(), pose.visibility.tolist(), strict=True)
    points = tuple(KeyPoint(x, y, visibility) for (x, y), visibility in rows)
    regions = tuple(
        RegionView(
            common_pb2.BodyRegion.ValueType(view.region),
            tuple(Point(x, y) for x, y in view.outline.tolist()),
            view.visibility,
        )
        for view in regions_in_view(pose)
    )
    return BodySeen(person.box, 1.0, person.confidence, points, regions, None, ())


def _part(region: str) -> str:
    return region.removeprefix("LEFT_").removeprefix("RIGHT_")
