"""From what the signals saw to people with regions, coverage and proposed performers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chassis.geometry import Box
from gateway.association import PersonInstance, associate
from gateway.coverage import tattoo_coverage
from gateway.observations import BodySeen, Candidate, FaceSeen, Signal, TattooSeen
from gateway.regions import region_of, regions_in_view
from marquee.common.v1 import common_pb2
from marquee.common.v1.common_pb2 import BodyRegion

__all__ = ["PersonView", "Scene", "read_scene"]

# The most templates of one person that a signal compares at a time.
_MOST_TEMPLATES = 256


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person and what the picture alone says of them.

    tattoo_regions: one for each of the person's tattoos, in their order.
    coverage: share 0..1 of the visible skin that is tattooed.
    """

    person: PersonInstance
    tattoo_regions: tuple[BodyRegion.ValueType, ...]
    regions_in_view: tuple[BodyRegion.ValueType, ...]
    coverage: float

    @property
    def box(self) -> Box:
        return self.person.box

    def templates(self, signal: Signal) -> tuple[common_pb2.Template, ...]:
        """The person's templates of one signal, best first; none where nothing can be compared."""
        templates = sorted(self._templates(signal), key=lambda one: -one.quality)
        return tuple(templates[:_MOST_TEMPLATES])

    @property
    def compared_regions(self) -> tuple[BodyRegion.ValueType, ...]:
        """Where the tattoos are of which `templates` are, in the same order."""
        placed = zip(self.person.tattoos, self.tattoo_regions, strict=True)
        best_first = sorted(placed, key=lambda one: -one[0].template.quality)
        return tuple(region for _, region in best_first[:_MOST_TEMPLATES])

    def proposed(self, signal: Signal) -> Mapping[str, Candidate]:
        """The signal's own round-1 list: each performer with the best confidence over all that was seen."""
        best: dict[str, Candidate] = {}
        for candidate in self._candidates(signal):
            known = best.get(candidate.performer_id)
            if known is None or candidate.confidence > known.confidence:
                best[candidate.performer_id] = candidate
        return best

    def _templates(self, signal: Signal) -> list[common_pb2.Template]:
        face, body = self.person.face, self.person.body
        if signal is Signal.FACE:
            return [face.template] if face else []
        if signal is Signal.TATTOO:
            return [tattoo.template for tattoo in self.person.tattoos]
        return [body.template] if body and body.template is not None else []

    def _candidates(self, signal: Signal) -> Iterable[Candidate]:
        face, body = self.person.face, self.person.body
        if signal is Signal.FACE:
            return face.candidates if face else ()
        if signal is Signal.TATTOO:
            return (candidate for tattoo in self.person.tattoos for candidate in tattoo.candidates)
        return body.candidates if body else ()


@dataclass(frozen=True, slots=True)
class Scene:
    """The people of one image, in the order of the answer, and the tattoos of none of them."""

    people: tuple[PersonView, ...]
    unassigned: tuple[TattooSeen, ...]
    drawn: tuple[FaceSeen, ...] = ()
    """Faces in tattoos: no people."""


def read_scene(
    faces: Iterable[FaceSeen],
    bodies: Iterable[BodySeen],
    tattoos: Iterable[TattooSeen],
    *,
    width: int,
    height: int,
) -> Scene:
    """Associate, then find regions and coverage. `width`, `height`: of the image, pixels. Takes milliseconds
    for a crowd: call it in a thread.
    """
    association = associate(tuple(faces), tuple(bodies), tuple(tattoos))
    people = tuple(_view(person, width, height) for person in association.people)
    return Scene(people, association.unassigned, association.drawn)


def _view(person: PersonInstance, width: int, height: int) -> PersonView:
    return PersonView(
        person=person,
        tattoo_regions=tuple(region_of(tattoo, person) for tattoo in person.tattoos),
        regions_in_view=regions_in_view(person),
        coverage=tattoo_coverage(person, width=width, height=height),
    )
