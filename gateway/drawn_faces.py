"""Faces that are drawn in a tattoo, and so nobody's."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.geometry import Box
from gateway.heads import has_visible_head, match_heads
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from gateway.polygons import grid, inside_any
from gateway.tattoo_owner import IN_VIEW, owner_of
from marquee.common.v1.common_pb2 import BODY_REGION_HEAD

__all__ = ["drawn_faces"]

# Of a drawn face so much lies in the box of the tattoo, which has so many times its area. Of eight that were
# found in photographed tattoos all lay in it, and it had 3.8 to 14 times their area.
_INSIDE = 0.9
_MOST_OF_TATTOO = 1 / 3
# It is so much smaller than the wearer's own face; a person farther behind seldom is.
_SMALLER = 0.6
# And so much of it lies on a body, below the head.
_ON_SKIN = 0.7
_PER_SIDE = 8


def drawn_faces(
    faces: Sequence[FaceSeen], bodies: Sequence[BodySeen], tattoos: Sequence[TattooSeen]
) -> frozenset[int]:
    """Which of the faces are drawn in a tattoo: index of each.

    A face lies in the box of a tattoo, fills a third of it at most, and is no body's head. That alone is not
    enough, for a tattoo's box may wrongly hold a head: the tattoo must clearly be somebody else's, on whose
    body, below the head, the face lies, and whose own face is far larger. Where no body is seen it stays: a
    person beside somebody would lose the tattoo to them.
    """
    heads = match_heads(faces, bodies)
    inside = {
        index: around
        for index, face in enumerate(faces)
        if index not in heads and (around := [one for one in tattoos if _is_part_of(face.box, one.box)])
    }
    if not inside:
        return frozenset()
    people = [
        (face, bodies[heads[index]] if index in heads else None)
        for index, face in enumerate(faces)
        if index not in inside
    ]
    taken = set(heads.values())
    wearers = [*people, *((None, body) for index, body in enumerate(bodies) if index not in taken)]
    return frozenset(
        index
        for index, around in inside.items()
        if any(_is_worn(faces[index], tattoo, wearers) for tattoo in around)
    )


def _is_part_of(face: Box, tattoo: Box) -> bool:
    held = face.intersection(tattoo).area
    return held >= _INSIDE * face.area and face.area <= _MOST_OF_TATTOO * tattoo.area


def _is_worn(
    drawn: FaceSeen, tattoo: TattooSeen, people: Sequence[tuple[FaceSeen | None, BodySeen | None]]
) -> bool:
    """Whether somebody clearly wears the tattoo, on whose skin and under whose larger face the face lies."""
    owner = owner_of(tattoo, people).person
    if owner is None:
        return False
    face, body = people[owner]
    if body is None or not _is_below_head(drawn.box, body):
        return False
    # Where the wearer's own head is not seen, this may be it.
    return has_visible_head(body) if face is None else drawn.box.area <= _SMALLER**2 * face.box.area


def _is_below_head(face: Box, body: BodySeen) -> bool:
    outlines = [
        view.outline
        for view in body.regions
        if view.visibility >= IN_VIEW and view.region != BODY_REGION_HEAD
    ]
    return bool(inside_any(grid(face, _PER_SIDE), outlines).mean() >= _ON_SKIN)
