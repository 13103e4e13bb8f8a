"""Who is in a picture: from pixels to people with key points, by two networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.geometry import Box
from chassis.images import RGBImage
from chassis.inference import Inference, Outputs
from chassis.work import WorkPool
from services.body.crop import Crop, around, cut
from services.body.detector import Detection, decode_people
from services.body.frames import prepare
from services.body.landmarks import LandmarkOutput, decode_pose
from services.body.pose import Pose
from services.body.table import DETECTOR, LANDMARKS

__all__ = ["Person", "PeopleFinder"]

# Two skeletons nearer than this, in diagonals of the box, are one person: neighbours are farther apart.
_SAME_PERSON = 0.05
_LEAST_SIDE = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """One person in a picture."""

    confidence: float
    """Of the detector, 0..1."""
    box: Box
    """Around the key points in view; where there are none, around what the detector saw. Sides above 0."""
    pose: Pose | None
    """None for people beyond the number whose key points are looked for."""


class PeopleFinder:
    """Finds people with the detector, and the key points of the largest ones.

    Options:
        max_people: people whose key points are looked for, largest first; bounds the time of a picture.
        detection_threshold: least confidence of the detector, 0..1.
        presence_threshold: least probability of the landmark network that its crop shows a person, 0..1.
    """

    def __init__(
        self,
        inference: Inference,
        pool: WorkPool,
        *,
        max_people: int = 8,
        detection_threshold: float = 0.5,
        presence_threshold: float = 0.5,
    ) -> None:
        self._inference = inference
        self._pool = pool
        self._max_people = max_people
        self._detection_threshold = detection_threshold
        self._presence_threshold = presence_threshold

    async def find(self, picture: RGBImage) -> list[Person]:
        """The people of a picture, largest box first. Raises as `Inference.infer` and `WorkPool.run` do."""
        detections = await self._detect(picture)
        looked_at, others = detections[: self._max_people], detections[self._max_people :]
        posed = await self._pose(picture, looked_at) if looked_at else []
        height, width = picture.shape[:2]
        people = [*posed, *(_person(one, None, width, height) for one in others)]
        return sorted(people, key=lambda person: -person.box.area)

    async def _detect(self, picture: RGBImage) -> list[Detection]:
        """Largest first."""
        batch, frames = await self._pool.run(prepare, picture)
        outputs = await self._inference.infer(DETECTOR, batch)
        detections = await self._pool.run(
            decode_people,
            outputs["regressors"],
            outputs["logits"],
            frames,
            threshold=self._detection_threshold,
        )
        return sorted(detections, key=lambda one: -one.radius)

    async def _pose(self, picture: RGBImage, detections: Sequence[Detection]) -> list[Person]:
        crops = [around(one) for one in detections]
        batch = await self._pool.run(_cut_all, picture, crops)
        outputs = await self._inference.infer(LANDMARKS, batch)
        return await self._pool.run(self._people, picture, detections, crops, outputs)

    def _people(
        self, picture: RGBImage, detections: Sequence[Detection], crops: Sequence[Crop], outputs: Outputs
    ) -> list[Person]:
        height, width = picture.shape[:2]
        people = []
        for row, (detection, one) in enumerate(zip(detections, crops, strict=True)):
            pose = decode_pose(_row(outputs, row), one, width=width, height=height)
            if pose.presence >= self._presence_threshold:
                people.append(_person(detection, pose, width, height))
        return _distinct(people)


def _cut_all(picture: RGBImage, crops: Sequence[Crop]) -> NDArray[np.float32]:
    return np.stack([cut(picture, one) for one in crops])


def _row(outputs: Outputs, row: int) -> LandmarkOutput:
    try:
        return LandmarkOutput(
            landmarks=outputs["landmarks"][row],
            presence=float(outputs["presence"][row].reshape(-1)[0]),
            heatmap=outputs["heatmap"][row],
            world=outputs["world_landmarks"][row],
        )
    except KeyError as exc:  # another network than ours, by the owner's choice
        raise ModelError(f"model {LANDMARKS!r} has no output {exc}") from exc


def _person(detection: Detection, pose: Pose | None, width: int, height: int) -> Person:
    in_view = pose.box() if pose is not None else None
    return Person(detection.confidence, _with_area(in_view or _guess(detection, width, height)), pose)


def _guess(detection: Detection, width: int, height: int) -> Box:
    """Where the body is as far as the detector says: the square in its circle, inside the picture."""
    side = detection.radius * math.sqrt(2)
    body = Box(detection.hips.x - side / 2, detection.hips.y - side / 2, side, side)
    return body.intersection(Box(0, 0, width, height))


def _with_area(box: Box) -> Box:
    return Box(box.x, box.y, max(_LEAST_SIDE, box.width), max(_LEAST_SIDE, box.height))


def _distinct(people: Sequence[Person]) -> list[Person]:
    """Without second skeletons of one person; the surer one stays."""
    kept: list[Person] = []
    for person in sorted(people, key=lambda one: -one.confidence):
        if not any(_is_same(person, other) for other in kept):
            kept.append(person)
    return kept


def _is_same(first: Person, second: Person) -> bool:
    if first.pose is None or second.pose is None or first.box.iou(second.box) <= 0:
        return False
    distances = np.linalg.norm(first.pose.points - second.pose.points, axis=1)
    seen = (first.pose.visibility >= 0.5) & (second.pose.visibility >= 0.5)
    diagonal = float(np.hypot(first.box.width, first.box.height))
    return bool(seen.any()) and float(distances[seen].mean()) < _SAME_PERSON * diagonal
