"""Which face, tattoos and body belong to the same person; docs/fusion.md has the rules with pictures.

Evidence belongs to a person instance. Where the geometry leaves a doubt, a tattoo counts for nobody rather
than for the wrong person, and a face and a body stay two people rather than become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.geometry import Box, union
from gateway.drawn_faces import drawn_faces
from gateway.duplicates import distinct_bodies, distinct_faces, distinct_tattoos
from gateway.heads import head_clearness, match_heads
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from gateway.tattoo_owner import Ownership, owner_of

__all__ = ["PersonInstance", "Association", "associate"]


@dataclass(frozen=True, slots=True)
class PersonInstance:
    """One person in one image: at least a face, a body or a tattoo."""

    face: FaceSeen | None
    body: BodySeen | None
    tattoos: tuple[TattooSeen, ...]
    clearness: float = 1.0
    """How clearly all this is one person, 0..1: that of the least clear join; 1 where nothing was joined."""

    @property
    def box(self) -> Box:
        """Around everything seen of the person."""
        parts = [self.face, self.body, *self.tattoos]
        return union([part.box for part in parts if part is not None])


@dataclass(frozen=True, slots=True)
class Association:
    """The people, largest face first, then those without a face by size; and the tattoos of none of them."""

    people: tuple[PersonInstance, ...]
    unassigned: tuple[TattooSeen, ...]
    drawn: tuple[FaceSeen, ...] = ()
    """Faces in tattoos: no people."""


def associate(
    faces: Sequence[FaceSeen], bodies: Sequence[BodySeen], tattoos: Sequence[TattooSeen]
) -> Association:
    """People from what the signals saw in one image; duplicates of a detection count once.

    A face without a body and a body without a face are people. Tattoos without anybody are one person
    together; where people are, a tattoo that belongs to none of them is unassigned. A face that is drawn in a
    tattoo is nobody.
    """
    skins = distinct_tattoos(tattoos)
    found, distinct = distinct_faces(faces), distinct_bodies(bodies)
    drawn = drawn_faces(found, distinct, skins)
    bare = _people([face for index, face in enumerate(found) if index not in drawn], distinct)
    if not bare:
        # Nothing says that several are on one person's skin.
        alone = (PersonInstance(None, None, skins, 1.0 if len(skins) == 1 else 0.0),) if skins else ()
        return Association(alone, ())
    owners = [owner_of(tattoo, bare) for tattoo in skins]
    people = [
        PersonInstance(face, body, _owned_by(index, skins, owners), _clearness(index, face, body, owners))
        for index, (face, body) in enumerate(bare)
    ]
    return Association(
        tuple(sorted(people, key=_order)),
        _owned_by(None, skins, owners),
        tuple(found[index] for index in sorted(drawn)),
    )


def _clearness(
    index: int, face: FaceSeen | None, body: BodySeen | None, owners: Sequence[Ownership]
) -> float:
    joined = [one.clearness for one in owners if one.person == index]
    if face is not None and body is not None:
        joined.append(head_clearness(face, body))
    return min(joined, default=1.0)


def _people(
    faces: Sequence[FaceSeen], bodies: Sequence[BodySeen]
) -> list[tuple[FaceSeen | None, BodySeen | None]]:
    body_of = match_heads(faces, bodies)
    with_face: list[tuple[FaceSeen | None, BodySeen | None]] = [
        (face, bodies[body_of[index]] if index in body_of else None) for index, face in enumerate(faces)
    ]
    taken = set(body_of.values())
    return with_face + [(None, body) for index, body in enumerate(bodies) if index not in taken]


def _owned_by(
    person: int | None, tattoos: Sequence[TattooSeen], owners: Sequence[Ownership]
) -> tuple[TattooSeen, ...]:
    return tuple(tattoo for tattoo, owner in zip(tattoos, owners, strict=True) if owner.person == person)


def _order(person: PersonInstance) -> tuple[bool, float, float, float]:
    box = person.box if person.face is None else person.face.box
    return (person.face is None, -box.area, box.x, box.y)
