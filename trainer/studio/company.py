"""Where several people stand, and the camera before them. Metres; the camera looks along +y, x to its right.

Nobody's flesh is in another's: who overlaps in the picture stands in front, at arm's length or nearer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.spatial.transform import Rotation

from trainer.studio.arrays import Floats
from trainer.studio.camera import Camera, look_at
from trainer.studio.figure import Posed
from trainer.studio.framing import Framing

__all__ = ["Gathering", "Kind", "arrange", "frame", "turned"]


class Kind(StrEnum):
    """How people are together."""

    APART = "side by side"
    OVERLAPPING = "overlapping"
    """Each partly in front of the one before."""
    HEADLESS = "a head out of the picture"
    TURNED = "one turned away"
    HEAD_ONLY = "only a head of one"
    """Of one person the picture's lower edge leaves the head and little more."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathering:
    """People in their places, from left to right as drawn; the first is the one that the kind is about."""

    kind: Kind
    people: tuple[Posed, ...]


_CUT = (Kind.HEADLESS, Kind.HEAD_ONLY)
"""The picture's edge is to leave out a part of the first person, who stands in front if anybody does."""
_SIZES = ((768, 576), (720, 720), (832, 512), (640, 720), (768, 512))
# Sideways from one trunk to the next where people overlap, and the gap where they do not.
_STEP, _GAP = (0.26, 0.55), (0.02, 0.3)
_CHIN = 0.05
"""Metres of a chin below where the head turns."""
_BEHIND = (0.01, 0.25)
# Shots end at the floor or here below the lowest top of a head.
_HALF = (0.75, 1.15)


def turned(posed: Posed, degrees: float) -> Posed:
    """Turned about its own upright middle, which is put at the origin with its lowest point at 0."""
    middle = (posed.vertices.min(axis=0) + posed.vertices.max(axis=0)) / 2
    middle[2] = posed.vertices[:, 2].min()
    turn = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    return Posed(
        vertices=((posed.vertices - middle) @ turn.T).astype(np.float32),
        normals=(posed.normals @ turn.T).astype(np.float32),
        joints={name: turn @ (joint - middle) for name, joint in posed.joints.items()},
        key_points=(posed.key_points - middle) @ turn.T,
    )


def arrange(rng: np.random.Generator, kind: Kind, people: Sequence[Posed]) -> Gathering:
    """People in a row or one before the other; each is already turned and stands at the origin."""
    overlaps = kind is Kind.OVERLAPPING or (kind is not Kind.APART and rng.random() < 0.5)
    side = int(rng.choice([-1, 1]))
    placed: dict[int, Posed] = {}
    order = list(rng.permutation(len(people)))
    if kind in _CUT:
        order = [*(number for number in order if number != 0), 0]
    for number in order:
        person, before = people[number], list(placed.values())
        shift = _overlapping(rng, person, before, side) if overlaps else _beside(rng, person, before)
        placed[int(number)] = _moved(person, shift)
    first = placed[0]
    if kind is Kind.HEADLESS:
        placed[0] = _moved(first, np.array([0, 0, _least_rise(first, placed) + rng.uniform(0.02, 0.1)]))
    elif kind is Kind.HEAD_ONLY:
        placed[0] = _moved(first, np.array([0, 0, -rng.uniform(0.45, 0.75)]))
    return Gathering(kind, tuple(placed[number] for number in range(len(people))))


def frame(rng: np.random.Generator, gathering: Gathering) -> Framing:
    """A camera that has everybody in the picture, as far as the kind wants it."""
    is_cut = gathering.kind in _CUT
    width, height = _SIZES[rng.integers(len(_SIZES))]
    low, high, is_half = _window(rng, gathering)
    pitch = float(rng.normal(1, 2) if is_cut else rng.normal(4, 6))
    field = float(rng.uniform(24, 46))
    across = np.tan(np.radians(field) / 2) * np.array([width, height]) / max(width, height)
    front = min(float(one.vertices[:, 1].min()) for one in gathering.people)
    target = np.array([(low[0] + high[0]) / 2, front, (low[1] + high[1]) / 2])
    # The height decides where the picture's edge is to cut somebody; else whatever needs more room.
    needed = (high - low) / 2 / across
    distance = float(needed[1]) if is_cut else float(needed.max()) * rng.uniform(1.03, 1.2)
    camera = look_at(
        target, yaw=float(rng.normal(0, 4)), pitch=pitch, roll=float(rng.normal(0, 1.5)), distance=distance,
        field=field, width=width, height=height, lowest=0.05,
    )  # fmt: skip
    if is_cut:
        camera = _wide_enough(_at_edge(camera, gathering), gathering)
    return Framing("half" if is_half else "full", camera, 0.0, pitch, field)


def _at_edge(camera: Camera, gathering: Gathering) -> Camera:
    """Higher or lower, so that the edge is at the first person's chin, or below it."""
    joints = gathering.people[0].joints
    is_headless = gathering.kind is Kind.HEADLESS
    spot = joints["head"] - [0, 0, _CHIN] if is_headless else joints["neck01"]
    pixels, depth = camera.project(spot[None].astype(np.float64))
    wrong = float(pixels[0, 1]) - (0.0 if is_headless else camera.height)
    drop = np.array([0.0, 0.0, -wrong / camera.focal * float(depth[0])])
    return replace(camera, position=camera.position + drop)


def _wide_enough(camera: Camera, gathering: Gathering) -> Camera:
    """With a picture wide enough for all joints, as far as that is not all too wide."""
    joints = np.concatenate([np.stack([*one.joints.values()]) for one in gathering.people])
    pixels, _ = camera.project(joints)
    reach = float(np.abs(pixels[:, 0] - camera.width / 2).max()) * 2
    return replace(camera, width=int(np.clip(reach, camera.width, 1.6 * camera.height)) // 16 * 16)


def _window(rng: np.random.Generator, gathering: Gathering) -> tuple[Floats, Floats, bool]:
    """Lowest and highest x and z of what the picture is to show, and whether it ends above the feet."""
    parts = [one.vertices for one in gathering.people]
    low = np.min([part.min(axis=0) for part in parts], axis=0)[[0, 2]].astype(np.float64)
    high = np.max([part.max(axis=0) for part in parts], axis=0)[[0, 2]].astype(np.float64)
    others = parts[1:]
    if gathering.kind is Kind.HEADLESS:
        chin = float(gathering.people[0].joints["head"][2])
        return np.array([low[0], chin - rng.uniform(*_HALF)]), np.array([high[0], chin]), True
    if gathering.kind is Kind.HEAD_ONLY:
        neck = float(gathering.people[0].joints["neck01"][2]) + rng.uniform(-0.03, 0.04)
        top = max(float(part[:, 2].max()) for part in others) + rng.uniform(0.03, 0.12)
        return np.array([low[0], neck]), np.array([high[0], top]), True
    is_half = bool(rng.random() < 0.6)
    if is_half:
        low[1] = min(float(part[:, 2].max()) for part in parts) - rng.uniform(*_HALF)
    return low, high, is_half


def _beside(rng: np.random.Generator, person: Posed, before: Sequence[Posed]) -> Floats:
    """Farther to the right than all before, with a gap."""
    edge = max((float(one.vertices[:, 0].max()) for one in before), default=0.0)
    gap = rng.uniform(*_GAP) - float(person.vertices[:, 0].min()) if before else 0.0
    return np.array([edge + gap, rng.normal(0, 0.12), 0.0])


def _overlapping(rng: np.random.Generator, person: Posed, before: Sequence[Posed], side: int) -> Floats:
    """A little to one side, 1 or -1, of all before, and in front of them."""
    if not before:
        return np.zeros(3)
    trunk = max(side * float(one.joints["spine03"][0]) for one in before) + rng.uniform(*_STEP)
    nearest = min(float(one.vertices[:, 1].min()) for one in before) - rng.uniform(*_BEHIND)
    return np.array([side * trunk, nearest - float(person.vertices[:, 1].max()), 0.0])


def _least_rise(first: Posed, placed: dict[int, Posed]) -> float:
    """How much higher the first must stand for the others' heads to be below its chin."""
    tops = [float(one.vertices[:, 2].max()) for number, one in placed.items() if number != 0]
    return max(tops) - float(first.joints["head"][2])


def _moved(posed: Posed, shift: Floats) -> Posed:
    return Posed(
        vertices=(posed.vertices + shift).astype(np.float32),
        normals=posed.normals,
        joints={name: joint + shift for name, joint in posed.joints.items()},
        key_points=posed.key_points + shift,
    )
