"""The map of body regions: every region is there, and left is the person's own left."""

from __future__ import annotations

import numpy as np
import pytest

from services.body.region_names import Region
from services.body.skeleton import KeyPoint
from trainer.studio.arrays import Floats
from trainer.studio.atlas import limb_axis, load_atlas, vertex_normals
from trainer.studio.camera import Camera, look_at
from trainer.studio.key_points import key_points, true_ratios

PAIRS = [region.name.removeprefix("LEFT_") for region in Region if region.name.startswith("LEFT_")]


def middle_of(region: Region) -> Floats:
    """The mean of a region's triangles on the neutral body, (3,)."""
    atlas = load_atlas()
    return np.asarray(atlas.vertices[atlas.faces[atlas.faces_of(region)]].mean(axis=(0, 1)), np.float64)


def camera_at(yaw: float) -> Camera:
    return look_at(np.zeros(3), yaw=yaw, pitch=0, roll=0, distance=4, field=40, width=400, height=600)


def column(region: Region, yaw: float) -> float:
    """Where a camera that sees the person from `yaw` has a region, pixels from the left."""
    pixels, _ = camera_at(yaw).project(middle_of(region)[None])
    return float(pixels[0, 0])


@pytest.mark.parametrize("region", list(Region))
def test_every_region_has_skin(region: Region) -> None:
    """No region of the contract is missing on the body."""
    assert len(load_atlas().faces_of(region)) > 40


@pytest.mark.parametrize("name", PAIRS)
def test_left_is_on_the_right_of_a_frontal_picture(name: str) -> None:
    """And on the left of a picture from behind: left and right are anatomical."""
    left, right = Region[f"LEFT_{name}"], Region[f"RIGHT_{name}"]
    assert column(left, 0) > 200 > column(right, 0)
    assert column(left, 180) < 200 < column(right, 180)


@pytest.mark.parametrize("name", PAIRS)
def test_the_left_side_is_nearer_to_a_camera_at_the_left(name: str) -> None:
    """A camera at yaw 90 looks at the person's left side."""
    camera = camera_at(90)
    _, left = camera.project(middle_of(Region[f"LEFT_{name}"])[None])
    _, right = camera.project(middle_of(Region[f"RIGHT_{name}"])[None])
    assert left[0] < right[0]


@pytest.mark.parametrize("name", PAIRS)
def test_both_sides_are_alike(name: str) -> None:
    """Mirrored regions have about the same number of triangles."""
    left, right = (len(load_atlas().faces_of(Region[f"{side}_{name}"])) for side in ("LEFT", "RIGHT"))
    assert left == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize(
    ("region", "is_front"),
    [
        (Region.CHEST, True),
        (Region.ABDOMEN, True),
        (Region.UPPER_BACK, False),
        (Region.LOWER_BACK, False),
        (Region.LEFT_BUTTOCK, False),
        (Region.RIGHT_BUTTOCK, False),
    ],
)
def test_front_and_back_look_the_right_way(region: Region, is_front: bool) -> None:
    """The skin of a region in front looks forwards, that of one behind looks back."""
    atlas = load_atlas()
    normals = vertex_normals(atlas.vertices, atlas.faces)[atlas.faces[atlas.faces_of(region)]]
    forwards = -normals[..., 1].mean(axis=1)
    assert np.median(forwards if is_front else -forwards) > 0.5


def test_from_head_to_foot() -> None:
    """Regions follow each other down the body."""
    order = [Region.HEAD, Region.NECK, Region.CHEST, Region.ABDOMEN, Region.LEFT_THIGH, Region.LEFT_LOWER_LEG,
             Region.LEFT_FOOT_OR_ANKLE]  # fmt: skip
    heights = [float(middle_of(region)[2]) for region in order]
    assert heights == sorted(heights, reverse=True)


def test_up_on_an_arm_is_towards_the_shoulder() -> None:
    """A drawing on a limb stands upright when the limb hangs."""
    atlas = load_atlas()
    axis = limb_axis(Region.RIGHT_FOREARM, atlas.joints)
    to_elbow = atlas.joints["lowerarm01.R"] - atlas.joints["wrist.R"]
    assert float(axis @ to_elbow / np.linalg.norm(to_elbow)) == pytest.approx(1, abs=1e-3)


def test_key_points_are_on_their_own_side() -> None:
    """All 33, on the neutral body: left is x > 0, the nose is in front, heels are behind toes."""
    atlas = load_atlas()
    points = key_points(atlas.vertices, atlas.joints)
    for key in KeyPoint:
        if "LEFT" in key.name or "RIGHT" in key.name:
            assert (points[key, 0] > 0) == ("LEFT" in key.name), key.name
    assert points[KeyPoint.NOSE, 1] < points[KeyPoint.LEFT_EAR, 1]
    assert points[KeyPoint.LEFT_HEEL, 1] > points[KeyPoint.LEFT_FOOT_INDEX, 1]
    assert points[KeyPoint.NOSE, 2] > points[KeyPoint.MOUTH_LEFT, 2] > points[KeyPoint.LEFT_SHOULDER, 2]


def test_ratios_are_those_of_the_joints() -> None:
    """Scaling a body changes none of its proportions; widening its shoulders changes two."""
    joints = load_atlas().joints
    plain = true_ratios(joints)
    assert true_ratios({name: 1.3 * place for name, place in joints.items()}) == pytest.approx(plain)
    wider = {
        name: place * np.array([1.2, 1, 1]) if "upperarm01" in name else place
        for name, place in joints.items()
    }
    assert true_ratios(wider)["shoulder_hip_ratio"] == pytest.approx(1.2 * plain["shoulder_hip_ratio"])
    assert true_ratios(wider)["leg_torso_ratio"] == pytest.approx(plain["leg_torso_ratio"])
