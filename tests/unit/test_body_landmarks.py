"""Reading the landmark network: refinement by heat maps, visibility, directions in space."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.body.crop import Crop
from services.body.landmarks import LandmarkOutput, decode_pose, refine
from services.body.skeleton import KEY_POINTS

_SURE, _SILENT = 8.0, -12.0


def _heatmap(*peaks: tuple[int, int, int]) -> NDArray[np.float32]:
    """(64, 64, 39) log odds with sure cells at (row of the point, x, y)."""
    heatmap = np.full((64, 64, 39), _SILENT, np.float32)
    for point, x, y in peaks:
        heatmap[y, x, point] = _SURE
    return heatmap


def _output(**changes: NDArray[np.float32] | float) -> LandmarkOutput:
    landmarks = np.zeros((39, 5), np.float32)
    landmarks[:, :2] = 128
    landmarks[:, 3:] = 6
    values: dict[str, NDArray[np.float32] | float] = {
        "landmarks": landmarks,
        "presence": 0.9,
        "heatmap": _heatmap(),
        "world": np.zeros((39, 3), np.float32),
        **changes,
    }
    return LandmarkOutput(**values)  # type: ignore[arg-type]  # the names decide the types


def test_a_point_moves_to_the_peak_near_it() -> None:
    """A sure cell two cells away wins over the regression: 4 pixels of the crop a cell."""
    moved = refine(np.array([[100.0, 100.0]]), _heatmap((0, 27, 24)))
    assert moved[0] == pytest.approx([108.0, 96.0], abs=0.01)


def test_two_peaks_pull_equally() -> None:
    """The point goes to the centre of mass."""
    moved = refine(np.array([[100.0, 100.0]]), _heatmap((0, 24, 25), (0, 26, 25)))
    assert moved[0] == pytest.approx([100.0, 100.0], abs=0.01)


@pytest.mark.parametrize(
    ("point", "peak"),
    [((100.0, 100.0), (40, 25)), ((-20.0, 100.0), (0, 25)), ((300.0, 100.0), (63, 25))],
    ids=["too far", "left of the map", "right of the map"],
)
def test_a_point_without_a_peak_near_it_stays(point: tuple[float, float], peak: tuple[int, int]) -> None:
    """A peak out of reach, or a point outside the map, changes nothing."""
    assert refine(np.array([point]), _heatmap((0, *peak)))[0] == pytest.approx(point)


def test_an_unsure_map_changes_nothing() -> None:
    """Probabilities under one half do not move a point, however many."""
    heatmap = np.full((64, 64, 39), -0.5, np.float32)
    heatmap[24:, :, 0] = -0.01
    assert refine(np.array([[101.0, 99.0]]), heatmap)[0] == pytest.approx([101.0, 99.0])


def test_a_point_at_the_border_is_refined_within_the_map() -> None:
    """The window around it is cut, not wrapped."""
    moved = refine(np.array([[1.0, 254.0]]), _heatmap((0, 0, 62), (0, 63, 62), (0, 0, 2)))
    assert moved[0] == pytest.approx([0.0, 248.0], abs=0.05)


def test_a_pose_lies_in_the_picture() -> None:
    """The middle of the crop is its centre in the picture; only the 33 published points are kept."""
    pose = decode_pose(_output(), Crop(x=70, y=90, side=100, angle=0.7), width=200, height=200)
    assert pose.points.shape == (KEY_POINTS, 2)
    assert pose.points == pytest.approx(np.tile([70.0, 90.0], (KEY_POINTS, 1)))
    assert pose.presence == pytest.approx(0.9)


def test_a_point_must_be_both_unhidden_and_in_the_crop() -> None:
    """Confidence is the lesser of the network's two probabilities."""
    landmarks = np.zeros((39, 5), np.float32)
    landmarks[0, 3:], landmarks[1, 3:], landmarks[2, 3:] = (5, -5), (-5, 5), (5, 5)
    pose = decode_pose(_output(landmarks=landmarks), Crop(50, 50, 256, 0.0), width=100, height=100)
    low, high = 1 / (1 + np.exp(5)), 1 / (1 + np.exp(-5))
    assert pose.confidence[:3] == pytest.approx([low, low, high])


def test_directions_in_space_turn_with_the_crop() -> None:
    """What points up in the crop points where the person's head is in the picture; depth stays."""
    world = np.tile(np.array([0.0, -1.0, 0.25], np.float32), (39, 1))
    pose = decode_pose(_output(world=world), Crop(0, 0, 256, np.pi / 2), width=100, height=100)
    assert pose.world[0] == pytest.approx([1.0, 0.0, 0.25], abs=1e-6)
