"""Measured views of people: what the body service makes of each picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chassis.images import RGBImage, decode
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from services.body.measurement import Measurement
from services.body.people import PeopleFinder
from services.body.quality import view_quality
from services.body.ratios import measure
from services.body.table import DETECTOR, LANDMARKS
from services.body.view import View, view_of

__all__ = ["MeasuredView", "measure_folder", "measure_pictures"]


@dataclass(frozen=True, slots=True)
class MeasuredView:
    """One picture of one person."""

    person: str
    view: View
    quality: float
    measurement: Measurement


async def measure_folder(folder: Path) -> tuple[list[MeasuredView], int]:
    """The largest person of each FOLDER/PERSON/*.jpg, and in how many pictures nobody was found."""
    found = await measure_pictures(_pictures(folder))
    views = [view for view in found if view is not None]
    return views, len(found) - len(views)


async def measure_pictures(pictures: Iterable[tuple[str, RGBImage]]) -> list[MeasuredView | None]:
    """The largest person of each picture, with whose it is; None where nobody was found."""
    store = ModelStore()
    paths = {name: store.path(name) for name in (DETECTOR, LANDMARKS)}
    async with OnnxInference.open(paths) as inference, WorkPool(1, 8) as pool:
        finder = PeopleFinder(inference, pool)
        return [await _measured(person, picture, finder) for person, picture in pictures]


def _pictures(folder: Path) -> Iterator[tuple[str, RGBImage]]:
    for path in sorted(folder.glob("*/*.jpg")):
        yield path.parent.name, decode(path.read_bytes())


async def _measured(name: str, picture: RGBImage, finder: PeopleFinder) -> MeasuredView | None:
    people = await finder.find(picture)
    poses = [person.pose for person in people if person.pose is not None]
    if not poses:
        return None
    view = view_of(poses[0])
    return MeasuredView(name, view, view_quality(poses[0], view), measure(poses[0]))
