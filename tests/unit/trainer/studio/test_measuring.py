"""Boxes, outlines and shares of what is seen."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.studio.measuring import box_of, ink_shares, polygon_of
from trainer.studio.truth import Box


def test_a_box_is_tight_and_in_pixels() -> None:
    """Two samples a pixel: half pixels are possible."""
    mask = np.zeros((20, 30), bool)
    mask[4:9, 6:13] = True
    assert box_of(mask, scale=2) == Box(x=3.0, y=2.0, w=3.5, h=2.5)


def test_what_is_not_seen_has_no_box() -> None:
    """None rather than an empty box."""
    assert box_of(np.zeros((5, 5), bool), scale=2) is None
    assert polygon_of(np.zeros((5, 5), bool), scale=2) == []


def test_the_outline_is_of_the_largest_part() -> None:
    """A stray speck does not move it."""
    mask = np.zeros((60, 60), bool)
    mask[10:40, 20:50] = True
    mask[55, 2] = True
    outline = np.array(polygon_of(mask, scale=1))
    assert outline.min(axis=0) == pytest.approx([20, 10], abs=1)
    assert outline.max(axis=0) == pytest.approx([50, 40], abs=1)


def test_shares_are_by_area() -> None:
    """A large patch that is hidden counts more than a small one that is seen."""
    areas = np.array([3.0, 1.0, 2.0, 2.0])
    shares = ink_shares(
        areas,
        facing=np.array([True, True, True, False]),
        inside=np.array([True, True, False, True]),
        unhidden=np.array([False, True, True, False]),
    )
    assert shares.visible == pytest.approx(1 / 8)
    assert shares.facing == pytest.approx(6 / 8)
    assert shares.inside == pytest.approx(6 / 8)
    assert shares.occlusion == pytest.approx(3 / 4)


def test_nothing_in_reach_is_not_occluded() -> None:
    """A tattoo that looks away is not said to be hidden by something."""
    away = np.array([False])
    shares = ink_shares(np.array([1.0]), facing=away, inside=~away, unhidden=away)
    assert (shares.visible, shares.occlusion) == (0.0, 0.0)
