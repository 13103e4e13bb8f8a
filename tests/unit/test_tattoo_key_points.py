"""Key points of tattoos: found, packed, compared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chassis.errors import InvalidInput
from chassis.images import RGBImage, cv2
from marquee.common.v1 import common_pb2
from services.tattoo.agreement import LEAST_AGREEING, agreeing_points, is_plausible
from services.tattoo.key_point_translation import parse_key_points, to_proto_key_points
from services.tattoo.key_points import MOST_POINTS, VERSION, KeyPoints, find_key_points, from_bytes, to_bytes
from tests.fakes.drawings import drawing, turned

POINTS = find_key_points(drawing(1))


def blurred(picture: RGBImage) -> RGBImage:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 3), np.uint8)


def part(picture: RGBImage) -> RGBImage:
    return picture[20:160, 50:195]


def seen_from_the_side(picture: RGBImage) -> RGBImage:
    return np.asarray(cv2.resize(picture, (130, 200)), np.uint8)


def relit(picture: RGBImage) -> RGBImage:
    return (picture * 0.7 + 30).astype(np.uint8)


@pytest.mark.parametrize("change", [turned, blurred, part, seen_from_the_side, relit])
def test_copies_of_a_tattoo_agree(change: Callable[[RGBImage], RGBImage]) -> None:
    """Turned, blurred, cut, from the side, in another light: many points agree, in both directions."""
    copy = find_key_points(change(drawing(1)))
    assert agreeing_points(copy, POINTS) >= LEAST_AGREEING
    assert agreeing_points(POINTS, copy) >= LEAST_AGREEING


def test_different_tattoos_do_not_agree() -> None:
    """Of none of many pairs enough points to count."""
    others = [find_key_points(drawing(seed)) for seed in range(2, 14)]
    assert [agreeing_points(POINTS, one) for one in others] == [0] * len(others)
    assert max(agreeing_points(POINTS, one, least=4) for one in others) < LEAST_AGREEING


def test_a_mirror_image_does_not_agree() -> None:
    """Nobody's tattoo is its own mirror image."""
    assert agreeing_points(POINTS, find_key_points(np.ascontiguousarray(drawing(1)[:, ::-1]))) == 0


def test_nothing_agrees_with_nothing() -> None:
    """Plain skin has no points, which is no error."""
    none = find_key_points(np.full((60, 40, 3), 200, np.uint8))
    assert len(none) == 0
    assert agreeing_points(none, POINTS) == agreeing_points(POINTS, none) == agreeing_points(none, none) == 0


def test_of_much_detail_the_strongest_fine_and_coarse_points_are_kept() -> None:
    """As many as are promised, and a coarse copy still agrees."""
    rng = np.random.default_rng(0)
    grains = [rng.integers(0, 128, (cells, cells, 3), np.uint8) for cells in (12, 90)]
    coarse, fine = (cv2.resize(one, (400, 400), interpolation=cv2.INTER_CUBIC) for one in grains)
    points = find_key_points(np.asarray(coarse + fine, np.uint8))
    assert len(points) == 160
    assert agreeing_points(find_key_points(np.asarray(coarse, np.uint8)), points) >= LEAST_AGREEING


def test_points_at_one_place_count_once() -> None:
    """Thirty points that are one agree with themselves, and mean nothing."""
    one = KeyPoints(np.full((30, 2), 64, np.float32), POINTS.values[:30])
    assert agreeing_points(one, one) == 0


@pytest.mark.parametrize(
    ("linear", "is_right"),
    [
        ([[1, 0], [0, 1]], True),
        ([[0, -1.5], [1.5, 0]], True),
        ([[1, 0.5], [0, 1]], True),
        ([[1, 0], [0, 0.45]], True),
        ([[-1, 0], [0, 1]], False),
        ([[0.1, 0], [0, 0.1]], False),
        ([[5, 0], [0, 5]], False),
        ([[1, 0], [0, 0.3]], False),
        ([[1, 2.5], [0, 1]], False),
        ([[1, 1], [1, 1]], False),
        ([[np.nan, 0], [0, 1]], False),
    ],
)
def test_only_maps_that_a_camera_makes_are_plausible(linear: list[list[float]], is_right: bool) -> None:
    """Turned, nearer, from the side: yes. Mirrored, a fleck, far stretched, sheared, flat, no number: no."""
    assert is_plausible(np.column_stack([np.array(linear, np.float64), [3, 4]])) is is_right


def test_what_cannot_be_a_picture_of_it_does_not_agree() -> None:
    """Points that agree exactly on a map that squeezes a tattoo to a tenth are no tattoo."""
    squeezed = KeyPoints((POINTS.places * [1, 0.1]).astype(np.float32), POINTS.values)
    assert agreeing_points(POINTS, squeezed) == 0


def test_points_survive_the_wire() -> None:
    """What is found is exactly what is read again, 132 bytes each, at most 160 of them."""
    data = to_bytes(POINTS)
    assert len(data) == 132 * len(POINTS)
    assert LEAST_AGREEING < len(POINTS) <= 160
    read = from_bytes(data)
    assert (read.places == POINTS.places).all()
    assert (read.values == POINTS.values).all()
    template = common_pb2.Template(key_points=to_proto_key_points(POINTS))
    assert template.key_points.version == VERSION
    parsed = parse_key_points(template)
    assert parsed is not None
    assert to_bytes(parsed) == data


def test_a_template_without_points_or_with_those_of_another_version_has_none() -> None:
    """Neutral: an older or a newer service made it."""
    assert parse_key_points(common_pb2.Template()) is None
    other = common_pb2.KeyPoints(version="sift.0", points=b"of another form")
    assert parse_key_points(common_pb2.Template(key_points=other)) is None


def at(x: float, y: float) -> KeyPoints:
    return KeyPoints(np.array([[x, y]], np.float32), POINTS.values[:1])


GOOD = to_bytes(POINTS)


@pytest.mark.parametrize(
    ("points", "version", "field"),
    [
        (GOOD[:-1], VERSION, "key_points.points"),
        (b"", VERSION, "key_points.points"),
        (GOOD[:132] * (MOST_POINTS + 1), VERSION, "key_points.points"),
        (to_bytes(at(-1, 5)), VERSION, "key_points.points"),
        (to_bytes(at(5, 193)), VERSION, "key_points.points"),
        (b"\0" * 65537, "sift.9", "key_points.points"),
        (GOOD, "", "key_points.version"),
        (GOOD, "x" * 65, "key_points.version"),
        (GOOD, "a\nb", "key_points.version"),
    ],
    ids=["cut off", "empty", "too many", "left of it", "below it", "too long", "no version", "long", "lines"],
)
def test_malformed_points_are_refused(points: bytes, version: str, field: str) -> None:
    """With the name of the field."""
    template = common_pb2.Template(key_points=common_pb2.KeyPoints(version=version, points=points))
    with pytest.raises(InvalidInput, match=field):
        parse_key_points(template)
