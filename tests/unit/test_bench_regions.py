"""How bench.regions counts: shares over people, mistakes, regions in view, the studio's truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.regions.figures import in_view, mistakes, placing, share_of, view_name
from bench.regions.placing import Looked, Placed
from bench.regions.truth import TruePicture, TrueTattoo, read_folder
from chassis.geometry import Box, Point

_SEED = 1


def _placed(said: str, **shares: float) -> Placed:
    region = max(shares, key=lambda name: shares[name])
    truth = TrueTattoo(region, shares, Box(0, 0, 9, 9), (), 100, 0.0)
    return Placed(truth, said, "UNKNOWN")


def _looked(
    *placed: Placed, performer: str = "a", seen: frozenset[str] = frozenset(), **pixels: int
) -> Looked:
    truth = TruePicture(
        Path("x.jpg"), performer, "full", 0.0, "standing", sum(pixels.values()), pixels, 100,
        tuple(one.truth for one in placed),
    )  # fmt: skip
    return Looked(truth, placed, seen, 0.1, 1)


def test_unknown_is_no_error_and_the_other_side_is_one_of_its_own() -> None:
    """Answered, right, right for a quarter of the ink, and left for right."""
    looked = [
        _looked(_placed("LEFT_THIGH", LEFT_THIGH=1.0), _placed("UNKNOWN", CHEST=1.0)),
        _looked(
            _placed("RIGHT_THIGH", LEFT_THIGH=1.0), _placed("ABDOMEN", CHEST=0.7, ABDOMEN=0.3), performer="b"
        ),
    ]
    shares = placing(looked, lambda one: one.region, seed=_SEED)
    assert {name: (round(one.value * one.of), one.of) for name, one in shares.items()} == {
        "answered": (3, 4),
        "right": (1, 3),
        "right for a quarter": (2, 3),
        "other side": (1, 3),
        "right of all": (1, 4),
    }
    assert mistakes(looked) == {("LEFT_THIGH", "RIGHT_THIGH"): 1}


def test_intervals_are_over_people() -> None:
    """A hundred pictures of two people who differ say as little as two."""
    rows = [("a", True)] * 50 + [("b", False)] * 50
    share = share_of(rows, seed=_SEED)
    assert (share.value, share.low, share.high, share.of) == (0.5, 0.0, 1.0, 100)


@pytest.mark.parametrize(("holds", "low", "high"), [(True, 0.025**0.2, 1.0), (False, 0.0, 1 - 0.025**0.2)])
def test_all_of_five_people_are_not_everybody(holds: bool, low: float, high: float) -> None:
    """Drawing people again would say 100% to 100%."""
    share = share_of([(str(person), holds) for person in range(5)], seed=_SEED)
    assert (share.low, share.high) == pytest.approx((low, high))


def test_nothing_has_no_share() -> None:
    """No row, no number."""
    assert str(share_of([], seed=_SEED)) == "-"


def test_regions_in_view_are_right_with_any_skin_and_missed_with_much() -> None:
    """The neck has no skin that is seen; the thigh's few pixels are nobody's miss."""
    looked = _looked(seen=frozenset({"CHEST", "NECK"}), CHEST=5000, ABDOMEN=5000, LEFT_THIGH=20)
    shares = in_view([looked], seed=_SEED)
    assert (shares["in view as said"].value, shares["in view as said"].of) == (0.5, 2)
    assert (shares["said of those in view"].value, shares["said of those in view"].of) == (0.5, 2)


def test_views_by_the_cameras_yaw() -> None:
    """The same on both sides."""
    assert [view_name(yaw) for yaw in (0, -45, 100, -130, 180)] == [
        "front", "front, turned", "side", "back, turned", "back",
    ]  # fmt: skip


def _record(**tattoo: Any) -> str:
    seen = {
        "region": "CHEST", "region_shares": {"CHEST": 1.0}, "pixels": 500, "visible_fraction": 1.0,
        "contrast": 0.5, "view_angle": 3.0, "box": {"x": 1, "y": 2, "w": 3, "h": 4},
        "polygon": [[1, 2], [4, 2], [4, 6]],
    }  # fmt: skip
    record = {
        "picture": "pictures/0.jpg", "performer_id": "p", "camera": {"shot": "full", "yaw": 3.0},
        "pose": "standing", "skin_pixels": 900, "region_pixels": {"CHEST": 900}, "tattoos": [seen | tattoo],
    }  # fmt: skip
    return json.dumps(record) + "\n"


@pytest.mark.parametrize("name", ["truth.jsonl", "truth/000/000000.json"])
def test_truth_is_read_while_and_after_a_set_is_rendered(tmp_path: Path, name: str) -> None:
    """From the lines of a set that is done, else from a file for each picture."""
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(_record())
    [picture] = read_folder(tmp_path)
    assert picture.path == tmp_path / "pictures/0.jpg"
    [tattoo] = picture.tattoos
    assert (tattoo.box, tattoo.outline[2]) == (Box(1, 2, 3, 4), Point(4, 6))


@pytest.mark.parametrize(
    "hidden", [{"contrast": 0.05}, {"visible_fraction": 0.2}, {"pixels": 10}, {"box": None}]
)
def test_what_nobody_sees_is_not_placed(tmp_path: Path, hidden: dict[str, Any]) -> None:
    """Too faint, mostly hidden, tiny, or out of the picture; its pixels stay in the ink."""
    (tmp_path / "truth.jsonl").write_text(_record(**hidden))
    [picture] = read_folder(tmp_path)
    assert picture.tattoos == ()
