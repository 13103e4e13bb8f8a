"""Compares the gateway's grouping of a picture with who is truly there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bench.people.truth import NOBODY, TrueGroup, TruePerson, TrueTattoo
from chassis.geometry import Box
from gateway.association import Association, PersonInstance
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from gateway.tattoo_owner import skin_points

__all__ = ["Fate", "Grouped", "Judged", "judge", "owner_of_body", "owner_of_face", "owner_of_skin"]

_SAME_TATTOO = 0.3
# A skeleton is a person's whose true one is at most this far, in diagonals of the person: mean over points.
_SAME_BODY = 0.12
_LEAST_POINTS = 4
_SEEN = 0.5
# Of the points of a body that is no skeleton of anybody, at least so many are on whose it is.
_ON_BODY = 0.5
# BlazePose's points with left and right exchanged.
_MIRRORED = (
    0,
    4,
    5,
    6,
    1,
    2,
    3,
    8,
    7,
    10,
    9,
    *(number + (1 if number % 2 else -1) for number in range(11, 33)),
)
# A body without key points.
_SAME_BOX = 0.5
# A face's middle lies at most this many spreads of the true one away.
_SAME_FACE = 2.0
# A tattoo is on the skin of somebody of whom most of it shows.
_ON_SKIN = 0.6


class Fate(StrEnum):
    """What becomes of a tattoo, or of a face whose person's body is found."""

    OWN = "its person"
    OTHER = "another person"
    NOT_THERE = "somebody who is not there"
    NOBODY = "nobody"
    MISSED = "not found"


@dataclass(frozen=True, slots=True)
class Judged:
    """One person who is seen in a picture."""

    has_face: bool
    """Whether the face is seen."""
    is_face_found: bool
    is_body_found: bool
    instances: int
    """As how many people."""
    is_merged: bool
    """Whether one of these has the face or the body of somebody else."""
    face: Fate | None
    """Where the body is that the face was grouped with; None unless both are found. NOBODY: apart."""
    tattoos: tuple[Fate, ...]
    """Of those that show."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """One person of the gateway."""

    has_joined: bool
    """Whether anything was put together."""
    clearness: float
    is_pure: bool
    """Whether all of it is of one person."""
    is_there: bool
    """Whether that person is there: neither face nor body is of nobody."""


def judge(truth: TrueGroup, association: Association) -> tuple[list[Judged], list[Grouped], list[Fate]]:
    """Of everybody who is seen; of everybody whom the gateway tells of; and of each tattoo on somebody."""
    people = association.people
    tattoos = [*(one for person in people for one in person.tattoos), *association.unassigned]
    faces = [owner_of_face(truth, one.face) if one.face else None for one in people]
    bodies = [owner_of_body(truth, one.body) if one.body else None for one in people]
    judged = [
        _judged(number, person, truth, people, faces, bodies, tattoos)
        for number, person in enumerate(truth.people)
        if person.box is not None
    ]
    grouped = [_grouped(truth, *of) for of in zip(people, faces, bodies, strict=True)]
    return judged, grouped, list(_fates_of_boxes(truth, people, faces, bodies, tattoos))


def owner_of_face(truth: TrueGroup, face: FaceSeen) -> int:
    """Whose face it is: a place in the truth's people, or NOBODY."""
    middle = np.array([face.box.center.x, face.box.center.y])
    distances = {
        number: float(np.linalg.norm(points.mean(axis=0) - middle)) / _spread(points)
        for number, person in enumerate(truth.people)
        for points in [person.key_points[list(_HEAD)]]
        if owner_at(truth, middle) == number
    }
    best = min(distances, key=lambda number: distances[number], default=NOBODY)
    return best if best != NOBODY and distances[best] <= _SAME_FACE else NOBODY


_HEAD = (0, 2, 5, 9, 10)


def owner_at(truth: TrueGroup, point: NDArray[np.float64]) -> int:
    """Who is seen at a point (2,), the nearest one inside the picture."""
    height, width = truth.owners.shape
    row, column = int(np.clip(point[1], 0, height - 1)), int(np.clip(point[0], 0, width - 1))
    return int(truth.owners[row, column])


def owner_of_body(truth: TrueGroup, body: BodySeen) -> int:
    """Whose body it is: a place in the truth's people, or NOBODY.

    Whose skeleton is nearest, front taken for back or not; where limbs are wrong, on whom most points are.
    """
    distances = [_distance(person, body) for person in truth.people]
    best = int(np.argmin(distances))
    if np.isfinite(distances[best]):
        return best
    seen = [point for point in body.key_points if point.visibility >= _SEEN]
    owners = [owner_at(truth, np.array([point.x, point.y])) for point in seen]
    most = max(set(owners), key=owners.count, default=NOBODY)
    return most if owners.count(most) >= _ON_BODY * len(owners) else NOBODY


def owner_of_skin(truth: TrueGroup, tattoo: TattooSeen) -> int:
    """On whose skin or clothes a box lies for the most part, or NOBODY."""
    owners = [owner_at(truth, point) for point in skin_points(tattoo)]
    best = max(set(owners), key=owners.count)
    return best if owners.count(best) >= _ON_SKIN * len(owners) else NOBODY


def _distance(person: TruePerson, body: BodySeen) -> float:
    """Of two skeletons; infinite where they are not of one person."""
    if person.box is None:
        return np.inf
    seen = np.array([point.visibility >= _SEEN for point in body.key_points], bool)
    if seen.sum() < _LEAST_POINTS:
        overlap = person.box.iou(body.box)
        return 1 - overlap if overlap >= _SAME_BOX else np.inf
    points = np.array([(point.x, point.y) for point in body.key_points])
    diagonal = float(np.linalg.norm(np.ptp(person.key_points, axis=0)))
    sides = (person.key_points, person.key_points[list(_MIRRORED)])
    apart = min(float(np.linalg.norm(points - one, axis=1)[seen].mean()) for one in sides) / diagonal
    return apart if apart <= _SAME_BODY else np.inf


def _spread(points: NDArray[np.float64]) -> float:
    return max(1.0, float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())))


_Owners = Sequence[int | None]


def _judged(
    number: int,
    person: TruePerson,
    truth: TrueGroup,
    people: Sequence[PersonInstance],
    faces: _Owners,
    bodies: _Owners,
    tattoos: Sequence[TattooSeen],
) -> Judged:
    own = [place for place in range(len(people)) if number in (faces[place], bodies[place])]
    both = [{faces[place], bodies[place]} - {None} for place in own]
    return Judged(
        has_face=person.face is not None,
        is_face_found=number in faces,
        is_body_found=number in bodies,
        instances=len(own),
        is_merged=any(len(one - {NOBODY}) > 1 for one in both),
        face=_fate_of_face(number, faces, bodies),
        tattoos=tuple(_fate(number, one, truth, people, faces, bodies, tattoos) for one in person.tattoos),
    )


def _fate_of_face(number: int, faces: _Owners, bodies: _Owners) -> Fate | None:
    if number not in faces or number not in bodies:
        return None
    of_face = [bodies[place] for place, owner in enumerate(faces) if owner == number]
    if number in of_face:
        return Fate.OWN
    lent = [owner for owner in of_face if owner is not None]
    if not lent:
        return Fate.NOBODY
    return Fate.NOT_THERE if lent[0] == NOBODY else Fate.OTHER


def _fate(
    number: int,
    tattoo: TrueTattoo,
    truth: TrueGroup,
    people: Sequence[PersonInstance],
    faces: _Owners,
    bodies: _Owners,
    tattoos: Sequence[TattooSeen],
) -> Fate:
    """Of the found tattoo that is most like the true one."""
    found = max(tattoos, key=lambda one: one.box.iou(tattoo.box), default=None)
    if found is None or found.box.iou(tattoo.box) < _SAME_TATTOO:
        return Fate.MISSED
    return _fate_of_box(number, found.box, truth, people, faces, bodies)


def _fates_of_boxes(
    truth: TrueGroup,
    people: Sequence[PersonInstance],
    faces: _Owners,
    bodies: _Owners,
    tattoos: Sequence[TattooSeen],
) -> Iterator[Fate]:
    """Of all that were found on somebody, whether a tattoo is there or not."""
    for tattoo in tattoos:
        owner = owner_of_skin(truth, tattoo)
        if owner != NOBODY:
            yield _fate_of_box(owner, tattoo.box, truth, people, faces, bodies)


def _fate_of_box(
    number: int,
    box: Box,
    truth: TrueGroup,
    people: Sequence[PersonInstance],
    faces: _Owners,
    bodies: _Owners,
) -> Fate:
    for person, face, body in zip(people, faces, bodies, strict=True):
        if any(one.box == box for one in person.tattoos):
            owners = _owners(truth, person, face, body)
            if owners <= {number}:
                return Fate.OWN
            return Fate.OTHER if owners - {number, NOBODY} else Fate.NOT_THERE
    return Fate.NOBODY


def _owners(truth: TrueGroup, person: PersonInstance, face: int | None, body: int | None) -> set[int]:
    """Whose the person's face and body are; of one who is tattoos alone, on whose skin they are."""
    of_parts = {owner for owner in (face, body) if owner is not None}
    return of_parts or {owner_of_skin(truth, one) for one in person.tattoos}


def _grouped(truth: TrueGroup, person: PersonInstance, face: int | None, body: int | None) -> Grouped:
    parts = {owner for owner in (face, body) if owner is not None}
    skins = {owner_of_skin(truth, one) for one in person.tattoos}
    pieces = len(person.tattoos) + (person.face is not None) + (person.body is not None)
    return Grouped(
        has_joined=pieces > 1,
        clearness=person.clearness,
        is_pure=len((parts | skins) - {NOBODY}) <= 1 and NOBODY not in parts,
        is_there=NOBODY not in parts,
    )
