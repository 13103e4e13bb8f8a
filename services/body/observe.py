"""What a picture shows of bodies: the story of Observe."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.geometry import Box
from chassis.images import ImageLimits, decode
from chassis.work import WorkPool
from services.body.enrolled import FollowedBodies, LookAlike
from services.body.measurement import Measurement
from services.body.people import PeopleFinder, Person
from services.body.pose import Pose
from services.body.quality import view_quality
from services.body.ratios import measure
from services.body.regions import RegionView, regions_in_view
from services.body.view import view_of

__all__ = ["ObservedBody", "ObservedImage", "ObserveBodies"]


@dataclass(frozen=True, slots=True)
class ObservedBody:
    """One person in an image."""

    box: Box
    confidence: float
    """Of the detector, 0..1."""
    quality: float
    """View quality, 0..1; 0 without key points."""
    pose: Pose | None
    regions: tuple[RegionView, ...]
    measurement: Measurement | None
    """None when no proportion could be measured."""
    look_alikes: tuple[LookAlike, ...]


@dataclass(frozen=True, slots=True)
class ObservedImage:
    """Sizes in pixels; bodies largest first."""

    width: int
    height: int
    bodies: tuple[ObservedBody, ...]


class ObserveBodies:
    """Finds people, says where their parts are, measures them, and names performers of like build."""

    def __init__(
        self, finder: PeopleFinder, bodies: FollowedBodies, pool: WorkPool, limits: ImageLimits
    ) -> None:
        self._finder = finder
        self._bodies = bodies
        self._pool = pool
        self._limits = limits

    async def __call__(self, image: bytes, max_candidates: int) -> ObservedImage:
        """`max_candidates`: look-alikes of each body, 0 or more.

        Raises InvalidImage for bytes that are no acceptable image, ModelError or Unavailable when a model is
        not there, Overloaded when there is too much to do.
        """
        picture = await self._pool.run(decode, image, self._limits)
        people = await self._finder.find(picture)
        bodies = await self._pool.run(self._describe_all, people, max_candidates) if people else ()
        height, width = picture.shape[:2]
        return ObservedImage(width, height, bodies)

    def _describe_all(self, people: list[Person], max_candidates: int) -> tuple[ObservedBody, ...]:
        return tuple(self._describe(person, max_candidates) for person in people)

    def _describe(self, person: Person, max_candidates: int) -> ObservedBody:
        if person.pose is None:
            return ObservedBody(person.box, person.confidence, 0.0, None, (), None, ())
        measurement = measure(person.pose)
        is_measured = bool(measurement.is_measured.any())
        return ObservedBody(
            box=person.box,
            confidence=person.confidence,
            quality=view_quality(person.pose, view_of(person.pose)),
            pose=person.pose,
            regions=tuple(regions_in_view(person.pose)),
            measurement=measurement if is_measured else None,
            look_alikes=tuple(self._bodies.known.search(measurement, max_candidates)) if is_measured else (),
        )
