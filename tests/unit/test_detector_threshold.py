"""From which confidence on a box is a tattoo: whose faces may say so, and what is read off them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.detector.threshold import enlarged, faces_for_calibration, threshold_for
from trainer.drawings.calibration import is_for_calibration


def test_faces_are_of_the_half_that_may_set_numbers(tmp_path: Path) -> None:
    """One photograph a person; a folder without any is passed over."""
    for name in "ABCDEFGH":
        (tmp_path / "identities" / name).mkdir(parents=True)
        if name != "B":
            (tmp_path / "identities" / name / "1.jpg").touch()
            (tmp_path / "identities" / name / "2.jpg").touch()
    found = faces_for_calibration(tmp_path)
    assert [path.parent.name for path in found] == [one for one in "ACDEFGH" if is_for_calibration(one)]
    assert all(path.name == "1.jpg" for path in found)


def test_the_threshold_lies_above_what_the_share_reaches() -> None:
    """Of a hundred faces one may alarm."""
    best = np.linspace(0, 0.99, 100)
    threshold = threshold_for(best, alarms=0.01)
    assert (best >= threshold).sum() <= 1
    assert threshold_for(best, alarms=0.0) > 0.99


@pytest.mark.parametrize(("count", "alarms"), [(0, 0.01), (10, 1.0), (10, -0.1)])
def test_without_faces_or_with_all_alarms_there_is_none(count: int, alarms: float) -> None:
    """Said in words."""
    with pytest.raises(ValueError, match="a threshold needs pictures"):
        threshold_for(np.zeros(count), alarms=alarms)


def test_a_small_picture_is_enlarged_and_a_large_one_stays() -> None:
    """To what the fine look sees."""
    assert enlarged(np.zeros((125, 250, 3), np.uint8)).shape == (320, 640, 3)
    assert enlarged(np.zeros((1080, 1920, 3), np.uint8)).shape == (1080, 1920, 3)
