"""Average precision, against cases worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.learning.precision import average_precision, judge

_A, _B = [0.0, 0, 10, 10], [100.0, 100, 120, 120]


def boxes(*corners: list[float]) -> NDArray[np.float64]:
    return np.array(corners, float).reshape(-1, 4)


def test_all_found_and_nothing_else_is_1() -> None:
    """Whatever the scores are."""
    one = judge(boxes(_A, _B), [0.3, 0.2], boxes(_B, _A), [True, True])
    assert average_precision([one]) == 1


def test_a_wrong_box_costs_by_its_score() -> None:
    """Surer than the right one it halves precision; less sure it costs nothing."""
    wrong = [50.0, 50, 60, 60]
    first = judge(boxes(_A, wrong), [0.5, 0.9], boxes(_A), [True])
    last = judge(boxes(_A, wrong), [0.9, 0.5], boxes(_A), [True])
    assert average_precision([first]) == 0.5
    assert average_precision([last]) == 1


def test_a_second_box_on_a_tattoo_is_wrong() -> None:
    """One box finds one tattoo, the surest does."""
    one = judge(boxes(_A, _A, _B), [0.9, 0.8, 0.7], boxes(_A, _B), [True, True])
    assert one.is_right.tolist() == [True, False, True]
    assert average_precision([one]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_miss_limits_recall() -> None:
    """Half of the tattoos found without a wrong box is 0.5."""
    pictures = [judge(boxes(_A), [0.9], boxes(_A), [True]), judge(boxes(), [], boxes(_A), [True])]
    assert average_precision(pictures) == 0.5


def test_what_is_passed_over_is_no_miss_and_makes_no_box_wrong() -> None:
    """A faint tattoo: found or not, nothing changes; but the box must be on it."""
    found = judge(boxes(_A, _B), [0.9, 0.8], boxes(_A, _B), [False, True])
    assert found.tattoos == 1
    assert average_precision([found]) == 1
    beside = judge(boxes([30.0, 0, 40, 10], _B), [0.9, 0.8], boxes(_A, _B), [False, True])
    assert average_precision([beside]) == 0.5


def test_too_little_overlap_is_wrong() -> None:
    """Below the IoU that is asked for."""
    shifted = boxes([4.0, 0, 14, 10])
    assert average_precision([judge(shifted, [0.9], boxes(_A), [True])]) == 0
    assert average_precision([judge(shifted, [0.9], boxes(_A), [True], iou=0.4)]) == 1


def test_without_a_tattoo_there_is_no_figure() -> None:
    """Not 0 and not 1."""
    assert np.isnan(average_precision([judge(boxes(_A), [0.9], boxes(), [])]))
