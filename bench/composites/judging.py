"""Compares answers with who is truly where. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.composites.asking import Asked, Setting
from bench.composites.composing import Figure
from bench.composites.probing import Kind
from chassis.geometry import Box
from client.values import Identification, Person, Signal

__all__ = ["Fate", "Judged", "fate_of", "judged", "named_twice", "person_of"]

_SAME_TATTOO = 0.3
_LISTED = 5


class Fate(StrEnum):
    """What becomes of a tattoo that shows."""

    OWN = "its person"
    OTHER = "the other person"
    NOT_THERE = "somebody who is not there"
    """A face that is drawn in a tattoo or in the background, or a body apart from its face."""
    NOBODY = "nobody"
    MISSED = "not found"


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer about one person of a picture, in one setting."""

    kind: Kind
    setting: Setting
    owner: int
    is_stranger: bool
    is_right: bool
    """Whether the first candidate is the person; never for a stranger."""
    is_listed: bool
    is_identified: bool
    score: float
    fate: Fate | None
    """Of the tattoo; None where none shows."""

    @property
    def is_wrongly_named(self) -> bool:
        return self.is_identified and not self.is_right


def judged(asked: Asked, setting: Setting) -> list[Judged]:
    """Of each person in the picture."""
    seen, figures = asked.answers[setting], asked.composite.figures
    found = {figure.owner: person_of(figure, seen) for figure in figures}
    results = []
    for figure, role in zip(figures, asked.probe.roles, strict=True):
        person = found[figure.owner]
        names = [one.name for one in person.candidates] if person else []
        own = not role.person.is_stranger
        results.append(
            Judged(
                kind=asked.probe.kind,
                setting=setting,
                owner=figure.owner,
                is_stranger=role.person.is_stranger,
                is_right=own and names[:1] == [role.person.name],
                is_listed=own and role.person.name in names[:_LISTED],
                is_identified=person is not None and person.identified is not None,
                score=min(1.0, person.best.score) if person and person.best else 0.0,
                fate=fate_of(figure, seen, found),
            )
        )
    return results


def person_of(figure: Figure, seen: Identification) -> Person | None:
    """Whom the answer takes the figure for: who has its face; else, without one, its tattoo or its head."""
    faces = [one for one in seen.people if one.face and figure.face.contains(one.face.box.center)]
    if faces:
        return max(faces, key=lambda one: one.face.box.iou(figure.face) if one.face else 0.0)
    faceless = [one for one in seen.people if one.face is None]
    inked = [one for one in faceless if _has(one, figure.tattoo)]
    bodies = [one for one in faceless if one.box.contains(figure.face.center)]
    return next(iter([*inked, *bodies]), None)


def fate_of(figure: Figure, seen: Identification, found: Mapping[int, Person | None]) -> Fate | None:
    """found: by owner, whom the answer takes each figure for."""
    if figure.tattoo is None:
        return None
    wearer = next((one for one in seen.people if _has(one, figure.tattoo)), None)
    if wearer is None:
        unassigned = any(_is_same(one.box, figure.tattoo) for one in seen.unassigned)
        return Fate.NOBODY if unassigned else Fate.MISSED
    owner = next((owner for owner, one in found.items() if one is wearer), None)
    if owner is None:
        return Fate.NOT_THERE
    return Fate.OWN if owner == figure.owner else Fate.OTHER


def named_twice(seen: Identification) -> bool:
    """Whether one performer is identified as two of the people."""
    counts = Counter(one.identified.performer_id for one in seen.people if one.identified)
    return any(count > 1 for count in counts.values())


def _has(person: Person, tattoo: Box | None) -> bool:
    return tattoo is not None and any(_is_same(box, tattoo) for box in _tattoos(person))


def _is_same(box: Box, tattoo: Box) -> bool:
    return box.iou(tattoo) >= _SAME_TATTOO


def _tattoos(person: Person) -> Iterator[Box]:
    return (one.box for one in person.sightings if one.signal is Signal.TATTOO)
