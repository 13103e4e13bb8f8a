"""Where a tattoo is on the body: a region when it is clear, UNKNOWN when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chassis.geometry import Point
from gateway.association import PersonInstance
from gateway.observations import RegionView
from gateway.regions import region_of, regions_in_view, visibilities
from marquee.common.v1 import common_pb2
from tests.fakes.scenes import body_at, face_at, rectangle, tattoo_at

_CHEST = common_pb2.BODY_REGION_CHEST
_UNKNOWN = common_pb2.BODY_REGION_UNKNOWN
_PERSON = PersonInstance(face_at(500, 100), body_at(500, 100), ())


@pytest.mark.parametrize(
    ("x", "y", "region"),
    [
        (500, 270, _CHEST),
        (500, 400, common_pb2.BODY_REGION_ABDOMEN),
        # The person faces the camera, so the left arm is on the right of the picture.
        (625, 270, common_pb2.BODY_REGION_LEFT_UPPER_ARM),
        (375, 420, common_pb2.BODY_REGION_RIGHT_FOREARM),
        (500, 110, common_pb2.BODY_REGION_HEAD),
        # Half on the left thigh and half on the right one.
        (500, 550, _UNKNOWN),
        # Beside the body.
        (900, 300, _UNKNOWN),
    ],
)
def test_the_region_that_holds_the_ink(x: float, y: float, region: common_pb2.BodyRegion.ValueType) -> None:
    """Inside one outline it is that region; on a border or outside it is unknown."""
    assert region_of(tattoo_at(x, y, 30), _PERSON) == region


def test_overlapping_outlines_are_decided_by_what_is_better_in_view() -> None:
    """Where shoulder and chest both hold the ink, clearly different visibilities decide, like ones do not."""
    tattoo = tattoo_at(500, 270)
    outline = rectangle(400, 200, 200, 150)

    def region(shoulder: float) -> common_pb2.BodyRegion.ValueType:
        views = (
            RegionView(_CHEST, outline, 1.0),
            RegionView(common_pb2.BODY_REGION_LEFT_SHOULDER, outline, shoulder),
        )
        return region_of(tattoo, PersonInstance(None, replace(body_at(500, 100), regions=views), ()))

    assert region(0.5) == _CHEST
    assert region(0.6) == _UNKNOWN


def test_a_region_that_is_not_in_view_holds_nothing() -> None:
    """Outlines guessed by the pose model for hidden parts do not count."""
    hidden = PersonInstance(None, body_at(500, 100, visibility=0.3), ())
    assert region_of(tattoo_at(500, 270), hidden) == _UNKNOWN
    assert regions_in_view(hidden) == ()


def test_a_person_without_a_body_has_no_regions_but_the_head() -> None:
    """A close-up of a tattoo says nothing about where it is; a face says head."""
    assert region_of(tattoo_at(50, 50), PersonInstance(None, None, (tattoo_at(50, 50),))) == _UNKNOWN
    assert regions_in_view(PersonInstance(face_at(10, 10), None, ())) == (common_pb2.BODY_REGION_HEAD,)


def test_regions_in_view_are_listed_once_and_in_order() -> None:
    """Several outlines of one region are one region."""
    body = body_at(500, 100)
    twice = PersonInstance(face_at(500, 100), replace(body, regions=body.regions + body.regions), ())
    regions = regions_in_view(twice)
    assert list(regions) == sorted(set(regions))
    assert set(regions) == {view.region for view in body.regions} | {common_pb2.BODY_REGION_HEAD}


def test_visibilities_are_those_of_the_regions_in_view() -> None:
    """The best outline of a region counts; a face alone shows one side of the head."""
    body = body_at(500, 100, visibility=0.6)
    better = tuple(replace(one, visibility=0.8) for one in body.regions[:1])
    person = PersonInstance(face_at(500, 100), replace(body, regions=body.regions + better), ())
    found = visibilities(person)
    assert tuple(sorted(found)) == regions_in_view(person)
    assert found[body.regions[0].region] == 0.8
    assert found[body.regions[1].region] == 0.6
    assert found[common_pb2.BODY_REGION_HEAD] == 0.5
    assert visibilities(PersonInstance(None, body_at(500, 100, visibility=0.3), ())) == {}


def test_the_mask_counts_rather_than_the_box() -> None:
    """A slanted tattoo's box spans two regions; its ink is in one."""
    mask = (Point(560, 210), Point(590, 210), Point(590, 340), Point(560, 340))
    tattoo = tattoo_at(600, 275, 140, mask=mask)
    assert region_of(tattoo, _PERSON) == _CHEST
    assert region_of(replace(tattoo, mask=()), _PERSON) == _UNKNOWN
