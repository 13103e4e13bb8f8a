"""Finding faces: the detector at several scales, then the mesh of each, which rejects what is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.geometry import Box
from chassis.inference import Inference, Outputs
from chassis.work import WorkPool
from services.face import detector, mesh
from services.face.detector import Detection, decode_detections, detector_input, is_same_face
from services.face.looks import first_looks, further_looks
from services.face.mesh import FaceMesh, decode_mesh, mesh_input, square_of_detection, square_of_mesh
from services.face.picture import Picture, Square

__all__ = ["FoundFace", "Candidate", "FaceFinder", "choose"]

# Detections below this are not looked at.
_DOUBTFUL = 0.4
# MediaPipe's own limit for this detector. A face below it counts unless it would be larger than all above.
_CERTAIN = 0.6
# Least trust in a face.
_LEAST_TRUST = 0.4
# When nobody is trusted this much, the picture may be held wrongly: further looks are worth it.
_CONVINCING = 0.75
# Few pictures are held wrongly: a face in a turned look must be that much more convincing.
_TURNED = 0.85
# Meshes of one face, from looks that show it differently, overlap at least this much.
_SAME_FACE = 0.5
# Candidates that get a mesh, for each face that may be kept: a face is seen by a few looks.
_CANDIDATES_A_FACE = 4
# Meshes made at a time: bounds the memory that a crowd takes.
_PORTION = 32


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a picture, in pixels of the picture."""

    box: Box
    """What is seen of the face: the detector's box, cut at the picture's edges."""
    confidence: float
    """The detector's, 0..1."""
    mesh: FaceMesh


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one look takes for a face."""

    detection: Detection
    mesh: FaceMesh
    is_turned: bool
    """Whether the look showed the picture turned."""

    @property
    def trust(self) -> float:
        """Detector and mesh agreeing, 0..1: the detector alone also sees faces that are not there."""
        return self.detection.confidence * self.mesh.presence * (_TURNED if self.is_turned else 1.0)


class FaceFinder:
    """Finds the faces of pictures. Options: `max_faces` are kept, the largest."""

    def __init__(
        self, inference: Inference, pool: WorkPool, *, detector: str, mesh: str, max_faces: int
    ) -> None:
        self._inference = inference
        self._pool = pool
        self._detector = detector
        self._mesh = mesh
        self._max_faces = max_faces

    async def find(self, picture: Picture) -> list[FoundFace]:
        """Faces of the picture, largest first.

        Raises Overloaded, ModelError or Unavailable as the models and the pool do.
        """
        candidates = await self._candidates(picture, first_looks(picture.width, picture.height))
        if all(one.trust < _CONVINCING for one in candidates):
            candidates += await self._candidates(picture, further_looks(picture.width, picture.height))
        chosen = choose(candidates, width=picture.width, height=picture.height)[: self._max_faces]
        meshes = await self._meshes(picture, [square_of_mesh(one.mesh) for one in chosen])
        return [
            FoundFace(_seen(one.detection.box, picture.width, picture.height), one.detection.confidence, fine)
            for one, fine in zip(chosen, meshes, strict=True)
        ]

    async def _candidates(self, picture: Picture, squares: Sequence[Square]) -> list[Candidate]:
        """What the looks take for faces, each with its mesh."""
        batch = await self._pool.run(
            lambda: detector_input([picture.cut(square, detector.INPUT_SIDE) for square in squares])
        )
        outputs = await self._inference.infer(self._detector, batch)
        seen = await self._pool.run(_detections, outputs, squares)
        seen = seen[: self._max_faces * _CANDIDATES_A_FACE]
        meshes = await self._meshes(picture, [square_of_detection(detection) for detection, _ in seen])
        return [
            Candidate(detection, face_mesh, is_turned=square.angle != 0)
            for (detection, square), face_mesh in zip(seen, meshes, strict=True)
        ]

    async def _meshes(self, picture: Picture, squares: Sequence[Square]) -> list[FaceMesh]:
        portions = [squares[start : start + _PORTION] for start in range(0, len(squares), _PORTION)]
        return [one for portion in portions for one in await self._portion(picture, portion)]

    async def _portion(self, picture: Picture, squares: Sequence[Square]) -> list[FaceMesh]:
        batch = await self._pool.run(
            lambda: mesh_input([picture.cut(square, mesh.INPUT_SIDE) for square in squares])
        )
        outputs = await self._inference.infer(self._mesh, batch)
        return await self._pool.run(_decoded_meshes, outputs, squares)


def choose(candidates: Iterable[Candidate], *, width: int, height: int) -> list[Candidate]:
    """Faces of a picture of `width` x `height`, each as the most trusted look shows it, largest first."""
    chosen: list[Candidate] = []
    for one in sorted(candidates, key=lambda candidate: -candidate.trust):
        is_seen = _seen(one.detection.box, width, height).area > 0
        if one.trust >= _LEAST_TRUST and is_seen and not any(_is_same(one, other) for other in chosen):
            chosen.append(one)
    areas = {id(one): _seen(one.detection.box, width, height).area for one in chosen}
    certain = [areas[id(one)] for one in chosen if one.detection.confidence >= _CERTAIN]
    most = max(certain, default=float("inf"))
    kept = [one for one in chosen if one.detection.confidence >= _CERTAIN or areas[id(one)] < most]
    return sorted(kept, key=lambda one: (-areas[id(one)], one.detection.box.x, one.detection.box.y))


def _detections(outputs: Outputs, squares: Sequence[Square]) -> list[tuple[Detection, Square]]:
    """What every look shows, the surest first."""
    found = [
        (detection, square)
        for regressors, logits, square in zip(outputs["regressors"], outputs["logits"], squares, strict=True)
        for detection in decode_detections(regressors, logits, square, minimum=_DOUBTFUL)
    ]
    return sorted(found, key=lambda pair: -pair[0].confidence)


def _decoded_meshes(outputs: Outputs, squares: Sequence[Square]) -> list[FaceMesh]:
    return [
        decode_mesh(landmarks, float(logit[0]), square)
        for landmarks, logit, square in zip(
            outputs["landmarks"], outputs["presence_logit"], squares, strict=True
        )
    ]


def _is_same(one: Candidate, other: Candidate) -> bool:
    return is_same_face(one.detection, other.detection) or one.mesh.box.iou(other.mesh.box) > _SAME_FACE


def _seen(box: Box, width: int, height: int) -> Box:
    return box.intersection(Box(0.0, 0.0, float(width), float(height)))
