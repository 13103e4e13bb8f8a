"""Designs have their real size and aspect wherever they lie."""

from __future__ import annotations

import numpy as np
import pytest

from services.body.region_names import Region
from trainer.studio.arrays import Floats, Ints
from trainer.studio.atlas import limb_axis, load_atlas, vertex_normals
from trainer.studio.log_map import Surface, chart_around

UP = np.array([0.0, 0.0, 1.0])
MIDDLE = np.full(3, 1 / 3)


def grid(columns: int, rows: int) -> Ints:
    """Triangles of a grid of vertices, numbered row by row, that look along +x cross +z turned forwards."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + columns], axis=1)
    upper = np.stack([corner + 1, corner + columns + 1, corner + columns], axis=1)
    return np.concatenate([lower, upper])


def surface_of(points: Floats, faces: Ints) -> Surface:
    return Surface(points, faces, vertex_normals(points, faces))


def wall() -> Surface:
    """A flat wall of 1 x 1 metre that is seen from -y, as a person's front is."""
    x, z = np.meshgrid(np.linspace(-0.5, 0.5, 21), np.linspace(-0.5, 0.5, 21))
    return surface_of(np.stack([x.ravel(), np.zeros(441), z.ravel()], axis=1), grid(21, 21))


def test_a_flat_wall_is_its_own_map() -> None:
    """Coordinates are metres to the right and up as seen from outside."""
    surface = wall()
    chart = chart_around(surface, 210, MIDDLE, UP, radius=0.3)
    centre = surface.vertices[surface.faces[210]].mean(axis=0)
    reached = np.isfinite(chart.positions[:, 0])
    assert reached.sum() > 50
    exact = (surface.vertices - centre)[reached][:, [0, 2]]
    assert chart.positions[reached] == pytest.approx(exact, abs=1e-6)


def test_the_map_ends_at_its_radius() -> None:
    """What is farther along the surface is not covered."""
    surface = wall()
    chart = chart_around(surface, 210, MIDDLE, UP, radius=0.2)
    reached = chart.positions[np.isfinite(chart.positions[:, 0])]
    assert np.linalg.norm(reached, axis=1).max() <= 0.2 + 1e-6
    assert not chart.covered.all()


def test_a_limb_unrolls() -> None:
    """On a cylinder of 5 cm a drawing keeps its width along the skin, not along the line of sight."""
    turns, heights = np.linspace(0, 2 * np.pi, 72, endpoint=False), np.linspace(-0.3, 0.3, 61)
    turn, height = np.meshgrid(turns, heights)
    points = np.stack([0.05 * np.sin(turn).ravel(), -0.05 * np.cos(turn).ravel(), height.ravel()], axis=1)
    first = np.arange(60) * 72
    seam = [
        np.stack([first + 71, first, first + 143], axis=1),
        np.stack([first, first + 72, first + 143], axis=1),
    ]
    closed = np.concatenate([grid(72, 61), *seam])
    surface = surface_of(points, closed)
    front = int(np.argmin(np.abs(points[closed].mean(axis=1) - [0, -0.05, 0]).sum(axis=1)))
    chart = chart_around(surface, front, MIDDLE, UP, radius=0.12)
    quarter = int(np.argmin(np.linalg.norm(points - [0.05, 0, 0], axis=1)))
    assert chart.positions[quarter] == pytest.approx([0.05 * np.pi / 2, 0], abs=0.006)


@pytest.mark.parametrize(
    "region",
    [Region.UPPER_BACK, Region.LEFT_THIGH, Region.RIGHT_FOREARM, Region.CHEST, Region.RIGHT_LOWER_LEG],
)
def test_an_area_of_skin_is_as_large_on_the_map(region: Region) -> None:
    """Half of the triangles are true to area within a quarter; none is turned over, so no letter is."""
    atlas = load_atlas()
    surface = surface_of(atlas.vertices, atlas.faces)
    face = int(atlas.faces_of(region)[len(atlas.faces_of(region)) // 2])
    chart = chart_around(surface, face, MIDDLE, limb_axis(region, atlas.joints), radius=0.08)
    flat, whole = chart.positions[atlas.faces[chart.covered]], atlas.vertices[atlas.faces[chart.covered]]
    first, second = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    on_map = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    on_body = np.linalg.norm(np.cross(whole[:, 1] - whole[:, 0], whole[:, 2] - whole[:, 0]), axis=1) / 2
    assert np.median(np.abs(on_map / on_body - 1)) < 0.25
    assert on_map[on_body > 1e-6].min() > 0


def test_the_seams_of_a_texture_do_not_exist() -> None:
    """Neighbouring triangles of the chart share their vertices, so that no drawing is torn between them."""
    atlas = load_atlas()
    surface = surface_of(atlas.vertices, atlas.faces)
    face = int(atlas.faces_of(Region.RIBS_OR_SIDE)[0])
    chart = chart_around(surface, face, MIDDLE, UP, radius=0.1)
    steps = chart.positions[atlas.faces[chart.covered]]
    edges = np.linalg.norm(steps - np.roll(steps, 1, axis=1), axis=2)
    real = atlas.vertices[atlas.faces[chart.covered]]
    lengths = np.linalg.norm(real - np.roll(real, 1, axis=1), axis=2)
    assert (edges <= 2.2 * lengths + 2e-4).all()
