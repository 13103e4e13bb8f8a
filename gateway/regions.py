"""Where on the body a tattoo is, and which regions of a person are in view."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chassis.geometry import Point
from gateway.association import PersonInstance
from gateway.observations import TattooSeen
from gateway.polygons import inside
from gateway.tattoo_owner import IN_VIEW, skin_points
from marquee.common.v1.common_pb2 import BODY_REGION_HEAD, BODY_REGION_UNKNOWN, BodyRegion

__all__ = ["region_of", "regions_in_view", "visibilities"]

# At least this share of the tattoo, times the region's visibility, lies in its region ...
_LEAST_SHARE = 0.7
# ... and this much more than in any other: outlines overlap at the joints and where limbs cross the trunk.
_CLEAR_SHARE = 0.5
# Both chosen on rendered people, see docs/body.md.


def region_of(tattoo: TattooSeen, person: PersonInstance) -> BodyRegion.ValueType:
    """The body region of one of the person's tattoos; BODY_REGION_UNKNOWN when it is not clear.

    In the face: HEAD. Else the region in view whose outline, weighted by its visibility, holds the largest
    share of the inked skin; at least 0.7 of it and 0.5 more than the next region.
    """
    points = skin_points(tattoo)
    center = Point(float(points[:, 0].mean()), float(points[:, 1].mean()))
    if person.face is not None and person.face.box.contains(center):
        return BODY_REGION_HEAD
    shares = _shares(person, points)
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    if not ranked or ranked[0][1] < _LEAST_SHARE:
        return BODY_REGION_UNKNOWN
    if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < _CLEAR_SHARE:
        return BODY_REGION_UNKNOWN
    return ranked[0][0]


def regions_in_view(person: PersonInstance) -> tuple[BodyRegion.ValueType, ...]:
    """The regions of the person that are in view, in the contract's order; HEAD when the face is."""
    regions = (
        {view.region for view in person.body.regions if view.visibility >= IN_VIEW} if person.body else set()
    )
    if person.face is not None:
        regions.add(BODY_REGION_HEAD)
    return tuple(sorted(regions))


def visibilities(person: PersonInstance) -> Mapping[BodyRegion.ValueType, float]:
    """How visible each region in view is, IN_VIEW..1; of a head of which only the face is seen IN_VIEW."""
    found = {BODY_REGION_HEAD: IN_VIEW} if person.face is not None else {}
    for view in person.body.regions if person.body else ():
        if view.visibility >= IN_VIEW:
            found[view.region] = max(min(1.0, view.visibility), found.get(view.region, 0.0))
    return found


def _shares(
    person: PersonInstance, points: np.typing.NDArray[np.float64]
) -> dict[BodyRegion.ValueType, float]:
    """Share of the points in each region in view, times its visibility.

    Several outlines of one region add up.
    """
    covered: dict[BodyRegion.ValueType, np.typing.NDArray[np.float64]] = {}
    for view in person.body.regions if person.body else ():
        if view.visibility >= IN_VIEW:
            weight = inside(points, view.outline) * view.visibility
            covered[view.region] = np.maximum(covered.get(view.region, np.zeros(len(points))), weight)
    return {region: float(weights.mean()) for region, weights in covered.items()}
