"""Copies of a picture are told from other pictures."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from chassis.fingerprint import FINGERPRINT_BYTES, Fingerprint
from chassis.geometry import Box
from chassis.images import RGBImage, decode
from tests.fakes.picture_copies import encoded_again, framed
from tests.fakes.tattoo_pictures import SPOT, clean_skin, tattooed_skin

_LFW = Path("../shared/data/lfw/identities")
_BOX = Box(SPOT.x - 80, SPOT.y - 90, 160, 180)
_PICTURE = tattooed_skin("rose", 1)


def _of(picture: RGBImage) -> Fingerprint:
    found = Fingerprint.of(picture)
    assert found is not None
    return found


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("quality", [30, 60, 95])
def test_a_picture_encoded_again_is_a_copy(quality: int, scale: float) -> None:
    """Also smaller; and what lay in a box lies in the box that is told."""
    copy = _of(encoded_again(_PICTURE, quality=quality, scale=scale))
    place = copy.place_in(_of(_PICTURE), Box(*(side * scale for side in (_BOX.x, _BOX.y, 160, 180))))
    assert place is not None
    assert place.iou(_BOX) > 0.98


@pytest.mark.parametrize("bars", [{"above": 40}, {"beside": 60}, {"above": 25, "beside": 15}])
def test_a_picture_in_a_black_frame_is_a_copy(bars: dict[str, int]) -> None:
    """Also when it went through a JPEG afterwards; places are told without the frame, both ways."""
    copy = _of(encoded_again(framed(_PICTURE, **bars), quality=70))
    place = _of(_PICTURE).place_in(copy, _BOX)
    moved = Box(_BOX.x + bars.get("beside", 0), _BOX.y + bars.get("above", 0), _BOX.width, _BOX.height)
    assert place is not None
    assert place.iou(moved) > 0.95
    back = copy.place_in(_of(_PICTURE), moved)
    assert back is not None
    assert back.iou(_BOX) > 0.95


@pytest.mark.parametrize(
    "other",
    [
        tattooed_skin("rose", 3),
        tattooed_skin("figure", 1),
        clean_skin(1),
        np.ascontiguousarray(_PICTURE[:, ::-1]),
        np.ascontiguousarray(_PICTURE[30:, 30:]),
    ],
    ids=["another light and angle", "another tattoo", "without it", "mirrored", "cut by a tenth"],
)
def test_another_picture_is_no_copy(other: RGBImage) -> None:
    assert _of(other).place_in(_of(_PICTURE), _BOX) is None


def test_a_plain_picture_has_none() -> None:
    """There is nothing to tell it by."""
    assert Fingerprint.of(np.full((80, 60, 3), 90, np.uint8)) is None
    assert Fingerprint.of(np.zeros((1, 1, 3), np.uint8)) is None


def test_it_is_read_as_it_was_written() -> None:
    data = _of(_PICTURE).encode()
    assert len(data) == FINGERPRINT_BYTES
    assert Fingerprint.decode(data) == _of(_PICTURE)


@pytest.mark.parametrize(
    "data", [b"x", bytes(FINGERPRINT_BYTES), b"\xff" * FINGERPRINT_BYTES], ids=["short", "empty", "outside"]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes|inside"):
        Fingerprint.decode(data)


@pytest.mark.skipif(not _LFW.is_dir(), reason="needs ../shared/data/lfw")
def test_photographs_of_one_person_are_no_copies_of_each_other() -> None:
    """Four photographs each of forty people; and each is known when it is encoded again at half the size."""
    whole = Box(0, 0, 250, 250)
    for person in sorted(_LFW.iterdir())[::12][:40]:
        photographs = [_read(path) for path in sorted(person.iterdir())[:4]]
        prints = [_of(one) for one in photographs]
        assert all(first.place_in(second, whole) is None for first, second in combinations(prints, 2))
        for photograph, own in zip(photographs, prints, strict=True):
            copy = _of(encoded_again(photograph, quality=50, scale=0.5))
            assert copy.place_in(own, Box(0, 0, 125, 125)) is not None


def _read(path: Path) -> RGBImage:
    return decode(path.read_bytes())
