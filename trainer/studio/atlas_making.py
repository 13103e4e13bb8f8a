"""Names the place of every triangle of the body model: makes the committed map `body.npz`.

A triangle belongs to the limb whose bones move it most; the torso is divided by height and by the angle
around its axis. Left and right are the person's own: x > 0 is left.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from services.body.region_names import Region
from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.body_model import BodyModel, load_body_model
from trainer.studio.phenotype import ADULT_AGE, Phenotype

__all__ = ["make_atlas", "NEUTRAL"]

NEUTRAL = Phenotype(gender=0.5, age=ADULT_AGE, muscle=0.5, weight=0.5, height=0.5, proportions=0.5)
"""The body that the map is drawn on."""

# Shares of a limb's length where one region gives way to the next.
_SHOULDER_ENDS, _WRIST_BEGINS, _ANKLE_BEGINS = 0.2, 0.86, 0.86
# Degrees around the torso's axis from the front, and shares of the way from shoulders to hips.
_FRONT, _BACK = 52, 122
_MIDDLE, _SIDES, _HIPS = 0.5, (0.15, 0.82), 0.84


def make_atlas(path: Path) -> None:
    """Write the neutral body's mesh, its joints, and a region for each triangle."""
    model = load_body_model()
    body = model.rest_body(NEUTRAL)
    np.savez_compressed(
        path,
        faces=model.faces.astype(np.uint16),
        vertices=body.vertices.astype(np.float16),
        heads=body.heads.astype(np.float16),
        labels=np.array(model.rig.labels),
        regions=_of_faces(model.faces, _Regions(model, body.vertices, body.heads).of_vertices()),
        eyes=np.isin(_strongest(model), [model.rig.index("eye.L"), model.rig.index("eye.R")]),
    )


def _of_faces(faces: Ints, regions: Ints) -> Ints:
    """The region that at least two corners share, else the first corner's."""
    a, b, c = regions[faces].T
    return np.asarray(np.where(b == c, b, a), np.uint8)


def _strongest(model: BodyModel) -> Ints:
    rig = model.rig
    return np.asarray(rig.bones[np.arange(len(rig.bones)), rig.weights.argmax(axis=1)])


class _Regions:
    def __init__(self, model: BodyModel, vertices: Floats, heads: Floats) -> None:
        self._rig, self._points = model.rig, vertices.astype(np.float64)
        self._heads = dict(zip(model.rig.labels, heads.astype(np.float64), strict=True))
        self._names = np.array(model.rig.labels)[_strongest(model)]

    def of_vertices(self) -> Ints:
        regions = np.full(len(self._points), int(Region.ABDOMEN))
        self._torso(regions)
        for side, left in ((".L", True), (".R", False)):
            self._leg(regions, side, left)
            self._arm(regions, side, left)
        regions[self._moved_by("neck")] = Region.NECK
        head = self._moved_by("head") | self._moved_by("eye")
        throat = head & (self._points[:, 2] < self._heads["head"][2] - 0.055)
        regions[head], regions[throat] = Region.HEAD, Region.NECK
        regions[self._low_neck()] = self._front_or_back(self._low_neck(), Region.CHEST, Region.UPPER_BACK)
        return regions

    def _moved_by(self, *prefixes: str, side: str = "") -> Bools:
        return np.array([name.startswith(prefixes) and name.endswith(side) for name in self._names])

    def _along(self, start: str, end: str) -> Floats:
        """Share of the way from one joint to another, of every vertex."""
        a, b = self._heads[start], self._heads[end]
        return np.asarray((self._points - a) @ (b - a) / ((b - a) @ (b - a)))

    def _low_neck(self) -> Bools:
        """What the neck's bones move below the base of the throat belongs to the torso."""
        return np.asarray(self._moved_by("neck") & (self._points[:, 2] < self._heads["neck01"][2] - 0.01))

    def _front_or_back(self, chosen: Bools, front: Region, back: Region) -> Ints:
        return np.where(self._points[chosen, 1] < self._heads["neck01"][1], int(front), int(back))

    def _torso(self, regions: Ints) -> None:
        top = (self._heads["upperarm01.L"] + self._heads["upperarm01.R"]) / 2
        bottom = (self._heads["upperleg01.L"] + self._heads["upperleg01.R"]) / 2
        down = (top[2] - self._points[:, 2]) / (top[2] - bottom[2])
        axis = top + np.clip(down, 0, 1)[:, None] * (bottom - top)
        x, y = self._points[:, 0], self._points[:, 1] - axis[:, 1]
        angle = np.degrees(np.arctan2(np.abs(x) * 0.75, -y))
        front, back = angle < _FRONT, angle > _BACK
        side = ~front & ~back
        regions[front] = np.where(down[front] < _MIDDLE, Region.CHEST, Region.ABDOMEN)
        regions[~front] = np.where(down[~front] < _MIDDLE, Region.UPPER_BACK, Region.LOWER_BACK)
        flank = side & (down > _SIDES[0]) & (down < _SIDES[1])
        regions[flank] = Region.RIBS_OR_SIDE
        high = side & (down <= _SIDES[0]) & (y < 0)
        regions[high] = Region.CHEST
        low = down >= _HIPS
        regions[low & side] = np.where(x[low & side] > 0, Region.LEFT_HIP, Region.RIGHT_HIP)
        regions[low & back] = np.where(x[low & back] > 0, Region.LEFT_BUTTOCK, Region.RIGHT_BUTTOCK)

    def _leg(self, regions: Ints, side: str, left: bool) -> None:
        own = self._points[:, 0] > 0 if left else self._points[:, 0] < 0
        thigh = self._moved_by("upperleg", side=side) & own
        along = self._along("upperleg01" + side, "lowerleg01" + side)
        y = self._points[:, 1] - self._heads["upperleg01" + side][1]
        reach = np.abs(self._points[:, 0]) - abs(self._heads["upperleg01" + side][0])
        behind = y > 0.02
        buttock = thigh & behind & (along < 0.27) & (reach < 0.06)
        hip = thigh & ~buttock & (reach > 0.015) & (along < 0.12)
        regions[thigh] = Region.LEFT_THIGH if left else Region.RIGHT_THIGH
        regions[buttock] = Region.LEFT_BUTTOCK if left else Region.RIGHT_BUTTOCK
        regions[hip] = Region.LEFT_HIP if left else Region.RIGHT_HIP
        calf = self._moved_by("lowerleg", side=side)
        regions[calf] = Region.LEFT_LOWER_LEG if left else Region.RIGHT_LOWER_LEG
        ankle = calf & (self._along("lowerleg01" + side, "foot" + side) > _ANKLE_BEGINS)
        foot = self._moved_by("foot", "toe", side=side) | ankle
        regions[foot] = Region.LEFT_FOOT_OR_ANKLE if left else Region.RIGHT_FOOT_OR_ANKLE

    def _arm(self, regions: Ints, side: str, left: bool) -> None:
        along = self._along("upperarm01" + side, "lowerarm01" + side)
        upper = self._moved_by("upperarm", side=side)
        joint = self._heads["upperarm01" + side]
        near = np.linalg.norm(self._points - joint, axis=1) < 0.1
        outside = np.abs(self._points[:, 0]) > abs(joint[0]) - 0.02
        above = self._points[:, 2] > joint[2] - 0.045
        torso = self._moved_by("spine", "shoulder", "clavicle")
        own = self._points[:, 0] > 0 if left else self._points[:, 0] < 0
        shoulder = (upper & (along < _SHOULDER_ENDS)) | (torso & near & own & (outside | above))
        regions[upper] = Region.LEFT_UPPER_ARM if left else Region.RIGHT_UPPER_ARM
        regions[shoulder] = Region.LEFT_SHOULDER if left else Region.RIGHT_SHOULDER
        fore = self._moved_by("lowerarm", side=side)
        regions[fore] = Region.LEFT_FOREARM if left else Region.RIGHT_FOREARM
        wrist = fore & (self._along("lowerarm01" + side, "wrist" + side) > _WRIST_BEGINS)
        hand = self._moved_by("wrist", "metacarpal", "finger", side=side) | wrist
        regions[hand] = Region.LEFT_HAND_OR_WRIST if left else Region.RIGHT_HAND_OR_WRIST
