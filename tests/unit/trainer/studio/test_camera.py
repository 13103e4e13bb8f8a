"""Pixels and rays of the studio's camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.studio.camera import Camera, look_at


def camera(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, lowest: float = -9.0) -> Camera:
    return look_at(
        np.array([0.1, 0.2, 1.0]), yaw=yaw, pitch=pitch, roll=roll, distance=3, field=40, width=64, height=48,
        lowest=lowest,
    )  # fmt: skip


@given(st.floats(-180, 180), st.floats(-60, 60), st.floats(-20, 20))
def test_a_ray_comes_back_to_its_pixel(yaw: float, pitch: float, roll: float) -> None:
    """A point along the ray through a pixel is seen in the middle of that pixel."""
    taken = camera(yaw, pitch, roll)
    rays = taken.rays(1)
    pixels, depth = taken.project(taken.position + 2.0 * rays[30, 50][None].astype(np.float64))
    assert pixels[0] == pytest.approx([50.5, 30.5], abs=1e-2)
    assert depth[0] > 0


def test_up_is_up_and_left_is_left() -> None:
    """A point above the target is higher in the picture; the person's left is on the right of it."""
    taken = camera()
    pixels, _ = taken.project(np.array([[0.1, 0.2, 1.3], [0.4, 0.2, 1.0]]))
    assert pixels[0, 1] < 24
    assert pixels[1, 0] > 32


def test_what_is_behind_the_camera_is_not_inside() -> None:
    """Its pixel may lie in the frame, its depth does not."""
    taken = camera()
    pixels, depth = taken.project(np.array([[0.1, -9.0, 1.0]]))
    assert not taken.contains(pixels, depth)[0]


def test_a_camera_stays_above_the_floor_and_keeps_its_target() -> None:
    """One that would be under the floor is lifted and still looks at the same point."""
    taken = camera(pitch=-60, lowest=0.1)
    assert taken.position[2] == pytest.approx(0.1)
    pixels, _ = taken.project(np.array([[0.1, 0.2, 1.0]]))
    assert pixels[0] == pytest.approx([32, 24], abs=1e-6)
