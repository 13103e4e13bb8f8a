"""How much of a person's visible skin is tattooed."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.geometry import Box, Point, union
from gateway.association import PersonInstance
from gateway.observations import TattooSeen
from gateway.polygons import grid, inside, inside_any
from gateway.tattoo_owner import IN_VIEW, reach_of, skin_points

__all__ = ["tattoo_coverage"]

# Sample points along each side of the box around the regions in view: their area is known to about 1%.
_PER_SIDE = 48
# The silhouette of a standing person has about the area of this many boxes around the face.
_FACES_IN_A_BODY = 12.0

_Outline = tuple[Point, ...]


def tattoo_coverage(person: PersonInstance, *, width: int, height: int) -> float:
    """Tattooed area / area of visible skin, 0..1; 0 without tattoos. `width`, `height`: of the image, pixels.

    The tattooed area is that of the masks, else of the boxes, inside the image; where tattoos overlap it
    counts once. Visible skin is the area of the body regions in view (clothes count as skin: nothing sees
    them) and of tattoos beyond their outlines, for a tattoo that is seen is on skin that is seen. Without
    regions it is estimated: from the face, as the part in the image of a body of 12 faces; without a face,
    as for a close-up, it is the whole image.
    """
    if not person.tattoos:
        return 0.0
    frame = Box(0.0, 0.0, float(width), float(height))
    outlines = (
        [view.outline for view in person.body.regions if view.visibility >= IN_VIEW] if person.body else []
    )
    on_regions, beyond = _ink_areas(person.tattoos, outlines, frame)
    if outlines:
        skin = _area_of(outlines, frame) + beyond
    else:
        skin = frame.area if person.face is None else _skin_around(person.face.box, frame)
    return min(1.0, (on_regions + beyond) / skin) if skin > 0 else 0.0


def _ink_areas(
    tattoos: Sequence[TattooSeen], outlines: Sequence[_Outline], frame: Box
) -> tuple[float, float]:
    """Square pixels of ink inside the outlines, and beyond them."""
    on_regions = beyond = 0.0
    earlier: list[TattooSeen] = []
    for tattoo in tattoos:
        points = skin_points(tattoo)
        is_new = inside(points, _corners(frame)) & ~inside_any(points, [_shape(one) for one in earlier])
        is_on_region = inside_any(points, outlines)
        each = _ink_area(tattoo) / len(points)
        on_regions += each * float((is_new & is_on_region).sum())
        beyond += each * float((is_new & ~is_on_region).sum())
        earlier.append(tattoo)
    return on_regions, beyond


def _ink_area(tattoo: TattooSeen) -> float:
    """Of the mask where there is one, else of the box."""
    corners = tattoo.mask
    if len(corners) < 3:
        return tattoo.box.area
    following = (*corners[1:], corners[0])
    doubled = sum(a.x * b.y - b.x * a.y for a, b in zip(corners, following, strict=True))
    return abs(doubled) / 2


def _area_of(outlines: Sequence[_Outline], frame: Box) -> float:
    area = union([_box_around(outline) for outline in outlines]).intersection(frame)
    return area.area * float(inside_any(grid(area, _PER_SIDE), outlines).mean())


def _skin_around(face: Box, frame: Box) -> float:
    reach = reach_of(face)
    in_view = reach.intersection(frame).area / reach.area if reach.area > 0 else 0.0
    return max(_FACES_IN_A_BODY * face.area * in_view, face.intersection(frame).area)


def _shape(tattoo: TattooSeen) -> _Outline:
    return tattoo.mask if len(tattoo.mask) >= 3 else _corners(tattoo.box)


def _corners(box: Box) -> _Outline:
    return (
        Point(box.x, box.y),
        Point(box.right, box.y),
        Point(box.right, box.bottom),
        Point(box.x, box.bottom),
    )


def _box_around(outline: _Outline) -> Box:
    xs, ys = [point.x for point in outline], [point.y for point in outline]
    return Box.from_corners(min(xs), min(ys), max(xs), max(ys))
