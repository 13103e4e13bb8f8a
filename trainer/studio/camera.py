"""A pinhole camera and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.studio.arrays import Floats, unit

__all__ = ["Camera", "look_at"]


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Where a camera is, which way it looks, and the size of its picture."""

    position: Floats
    """(3,) metres."""
    axes: Floats
    """(3, 3) rows: to the right, down, and into the picture."""
    focal: float
    """Pixels."""
    width: int
    height: int

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Points (n, 3) metres to (n, 2) pixels and their depth (n,) metres, at most 0 behind the camera."""
        seen = (points - self.position) @ self.axes.T
        depth = seen[:, 2]
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        pixels = self.focal * seen[:, :2] / safe[:, None] + [self.width / 2, self.height / 2]
        return pixels, depth

    def rays(self, supersampling: int) -> Floats:
        """(height x s, width x s, 3) unit directions through the middles of the samples, float32."""
        s = supersampling
        x, y = (np.arange(self.width * s) + 0.5) / s, (np.arange(self.height * s) + 0.5) / s
        places = np.stack(np.meshgrid(x.astype(np.float32), y.astype(np.float32)), axis=-1)
        return self.rays_through(places.reshape(-1, 2)).reshape(*places.shape[:2], 3)

    def rays_through(self, pixels: Floats) -> Floats:
        """(n, 3) unit directions through places (n, 2) of the picture, float32."""
        flat = (
            pixels.astype(np.float32) - np.array([self.width / 2, self.height / 2], np.float32)
        ) / np.float32(self.focal)
        axes = self.axes.astype(np.float32)
        directions = flat @ axes[:2] + axes[2]
        lengths = np.sqrt(1 + np.einsum("ni,ni->n", flat, flat))
        return np.asarray(directions / lengths[:, None], np.float32)

    def contains(self, pixels: Floats, depth: Floats) -> Floats:
        """Whether points (n, 2) lie inside the picture and in front of the camera."""
        inside = (pixels >= 0).all(axis=1) & (pixels < [self.width, self.height]).all(axis=1)
        return np.asarray(inside & (depth > 0))


def look_at(
    target: Floats,
    *,
    yaw: float,
    pitch: float,
    roll: float,
    distance: float,
    field: float,
    width: int,
    height: int,
    lowest: float = -np.inf,
) -> Camera:
    """A camera `distance` metres from a target (3,).

    All angles in degrees. Yaw 0 looks at the front of a person who stands, 90 at the left side, 180 at the
    back; a positive pitch looks down. The camera stays above `lowest`.
    `field` is the angle of view along the longer side.
    """
    around, above = np.radians(yaw), np.radians(pitch)
    toward = np.array([np.sin(around) * np.cos(above), -np.cos(around) * np.cos(above), np.sin(above)])
    position = np.asarray(target + toward * distance, np.float64)
    position[2] = max(position[2], lowest)
    into = unit(target - position)
    right = unit(np.cross(into, [0, 0, 1.0]))
    down = np.cross(into, right)
    turn = np.radians(roll)
    axes = np.stack(
        [np.cos(turn) * right + np.sin(turn) * down, -np.sin(turn) * right + np.cos(turn) * down, into]
    )
    focal = max(width, height) / 2 / np.tan(np.radians(field) / 2)
    return Camera(position, axes, float(focal), width, height)
