"""Share of the visible skin that is tattooed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.geometry import Point
from gateway.association import PersonInstance
from gateway.coverage import tattoo_coverage
from gateway.observations import BodySeen, FaceSeen, RegionView, TattooSeen
from marquee.common.v1 import common_pb2
from tests.fakes.scenes import body_at, face_at, rectangle, tattoo_at

_CHEST = common_pb2.BODY_REGION_CHEST


def _body(*outlines: tuple[Point, ...], visibility: float = 0.9) -> BodySeen:
    views = tuple(RegionView(_CHEST, outline, visibility) for outline in outlines)
    return replace(body_at(500, 500), regions=views)


def _coverage(
    *tattoos: TattooSeen, face: FaceSeen | None = None, body: BodySeen | None = None, side: int = 1000
) -> float:
    return tattoo_coverage(PersonInstance(face, body, tattoos), width=side, height=side)


def test_no_tattoo_covers_nothing() -> None:
    """Coverage is 0 without tattoos, whatever is in view."""
    assert _coverage(face=face_at(500, 100), body=body_at(500, 100)) == 0.0


def test_area_of_ink_over_area_of_the_regions_in_view() -> None:
    """A tattoo of 100 x 100 on two regions of 200 x 200 that touch covers an eighth."""
    body = _body(rectangle(100, 100, 200, 200), rectangle(300, 100, 200, 200))
    assert _coverage(tattoo_at(200, 200, 100), body=body) == pytest.approx(0.125, rel=0.03)


def test_overlapping_regions_count_once() -> None:
    """Outlines overlap at the joints; skin is not counted twice."""
    body = _body(rectangle(100, 100, 200, 200), rectangle(100, 100, 200, 200))
    assert _coverage(tattoo_at(200, 200, 100), body=body) == pytest.approx(0.25, rel=0.03)


def test_regions_out_of_view_are_no_visible_skin() -> None:
    """A guessed outline of a hidden leg makes the coverage no smaller."""
    seen = RegionView(_CHEST, rectangle(100, 100, 200, 200), 0.9)
    hidden = RegionView(common_pb2.BODY_REGION_LEFT_THIGH, rectangle(100, 300, 200, 600), 0.2)
    body = replace(body_at(500, 500), regions=(seen, hidden))
    assert _coverage(tattoo_at(200, 200, 100), body=body) == pytest.approx(0.25, rel=0.03)


def test_the_mask_counts_rather_than_the_box() -> None:
    """A triangle of ink is half of its box."""
    mask = (Point(150, 150), Point(250, 150), Point(150, 250))
    body = _body(rectangle(100, 100, 200, 200))
    assert _coverage(tattoo_at(200, 200, 100, mask=mask), body=body) == pytest.approx(0.125, rel=0.03)


def test_ink_counts_once_where_tattoos_overlap() -> None:
    """Two tattoos that share half of their area cover one and a half of one."""
    body = _body(rectangle(100, 100, 400, 400))
    alone = _coverage(tattoo_at(200, 200, 80), body=body)
    both = _coverage(tattoo_at(200, 200, 80), tattoo_at(240, 200, 80), body=body)
    assert both == pytest.approx(1.5 * alone, rel=0.03)


def test_ink_beyond_the_outlines_is_on_visible_skin_too() -> None:
    """A tattoo beside the drawn regions adds its area to ink and to skin: it never covers nothing."""
    body = _body(rectangle(100, 100, 200, 200))
    assert _coverage(tattoo_at(600, 600, 100), body=body) == pytest.approx(1 / 5, rel=0.03)


def test_skin_and_ink_end_at_the_edge_of_the_image() -> None:
    """What the picture cuts off is not in view."""
    body = _body(rectangle(-200, 100, 400, 200))
    assert _coverage(tattoo_at(0, 200, 100), body=body) == pytest.approx(0.125, rel=0.05)


def test_a_small_tattoo_is_not_lost() -> None:
    """Ten pixels on a thousand count by their area, not by chance."""
    body = _body(rectangle(0, 0, 1000, 1000))
    assert _coverage(tattoo_at(503, 507, 10), body=body) == pytest.approx(1e-4, rel=0.01)


def test_without_a_body_skin_is_estimated_from_the_face() -> None:
    """A body of twelve faces, as far as the picture shows its place."""
    face = face_at(5000, 1000, 100)
    assert _coverage(tattoo_at(5000, 1200, 100), face=face, side=10_000) == pytest.approx(1 / 12)
    # The reach is 700 high; the picture ends 150 below its top.
    cut = face_at(5000, 0, 100)
    assert _coverage(tattoo_at(5000, 50, 10), face=cut, side=10_000) > 1 / 1200


def test_a_close_up_of_a_tattoo_is_skin_all_over() -> None:
    """Without face and body the whole image is skin."""
    assert _coverage(tattoo_at(500, 500, 500)) == pytest.approx(0.25)


def test_ink_all_over_is_one() -> None:
    """Coverage ends at 1."""
    body = _body(rectangle(400, 400, 50, 50))
    assert _coverage(tattoo_at(500, 500, 900), body=body) <= 1.0
    assert _coverage(tattoo_at(500, 500, 900), face=face_at(500, 500, 20)) == 1.0


_boxes = st.lists(
    st.tuples(st.floats(-100, 1100), st.floats(-100, 1100), st.floats(1, 500)), min_size=0, max_size=4
)


@settings(max_examples=100, deadline=None)
@given(_boxes, st.booleans(), st.booleans())
def test_coverage_is_a_share_and_more_ink_never_lowers_it(
    spots: list[tuple[float, float, float]], has_face: bool, has_body: bool
) -> None:
    """0..1 for any geometry, and growing with each further tattoo."""
    face = face_at(500, 200) if has_face else None
    body = body_at(500, 200) if has_body else None
    values = [
        _coverage(*(tattoo_at(*spot) for spot in spots[:count]), face=face, body=body)
        for count in range(len(spots) + 1)
    ]
    assert all(0.0 <= value <= 1.0 for value in values)
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(values))
