"""Finding faces: the detector at several scales, then the mesh of each, which rejects what is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.geometry import Box
from chassis.inference import Inference, Outputs
from chassis.work import WorkPool
from services.face import detector, mesh
from services.face.detector import Detection, best_of, decode_detections, detector_input
from services.face.looks import first_looks, further_looks
from services.face.mesh import FaceMesh, decode_mesh, mesh_input, square_of_detection, square_of_mesh
from services.face.picture import Picture, Square

__all__ = ["FoundFace", "FaceFinder"]

# MediaPipe's own limit for this detector.
_CERTAIN = 0.6
# A doubtful face counts too, unless it would be the largest beside certain ones.
_DOUBTFUL = 0.4
# When the first looks find nobody above this, the picture may be held wrongly: further looks are worth it.
_CONVINCING = 0.75
# Least product of the detector's confidence and the mesh's presence.
_LEAST_JOINT = 0.4
# Boxes of one face after the mesh, from looks that cut it differently, overlap at least this much.
_SAME_FACE = 0.5


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a picture, in pixels of the picture."""

    box: Box
    """What is seen of the face: the detector's box, cut at the picture's edges."""
    confidence: float
    """The detector's, 0..1."""
    mesh: FaceMesh


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
        detections = await self._look(picture, first_looks(picture.width, picture.height))
        if all(one.confidence < _CONVINCING for one in detections):
            more = await self._look(picture, further_looks(picture.width, picture.height))
            detections = best_of([*detections, *more])
        return await self._confirm(picture, detections)

    async def _look(self, picture: Picture, squares: Sequence[Square]) -> list[Detection]:
        batch = await self._pool.run(
            lambda: detector_input([picture.cut(square, detector.INPUT_SIDE) for square in squares])
        )
        outputs = await self._inference.infer(self._detector, batch)
        return await self._pool.run(_detections, outputs, squares)

    async def _confirm(self, picture: Picture, detections: Sequence[Detection]) -> list[FoundFace]:
        """Those in which the mesh sees a face too, largest first."""
        largest = sorted(detections, key=lambda one: -_seen(one.box, picture).area)[: self._max_faces]
        if not largest:
            return []
        rough = await self._meshes(picture, [square_of_detection(one) for one in largest])
        fine = await self._meshes(picture, [square_of_mesh(one) for one in rough])
        return await self._pool.run(_faces, picture, largest, fine)

    async def _meshes(self, picture: Picture, squares: Sequence[Square]) -> list[FaceMesh]:
        batch = await self._pool.run(
            lambda: mesh_input([picture.cut(square, mesh.INPUT_SIDE) for square in squares])
        )
        outputs = await self._inference.infer(self._mesh, batch)
        return await self._pool.run(_decoded_meshes, outputs, squares)


def _detections(outputs: Outputs, squares: Sequence[Square]) -> list[Detection]:
    """What all looks show, each face once, the surest first."""
    return best_of(
        detection
        for regressors, logits, square in zip(outputs["regressors"], outputs["logits"], squares, strict=True)
        for detection in decode_detections(regressors, logits, square, minimum=_DOUBTFUL)
    )


def _decoded_meshes(outputs: Outputs, squares: Sequence[Square]) -> list[FaceMesh]:
    return [
        decode_mesh(landmarks, float(logit[0]), square)
        for landmarks, logit, square in zip(
            outputs["landmarks"], outputs["presence_logit"], squares, strict=True
        )
    ]


def _faces(picture: Picture, detections: Sequence[Detection], meshes: Sequence[FaceMesh]) -> list[FoundFace]:
    """Those that the mesh confirms, each once, largest first."""
    faces: list[FoundFace] = []
    surest_first = sorted(zip(detections, meshes, strict=True), key=lambda pair: -pair[0].confidence)
    for detection, face_mesh in surest_first:
        seen = _seen(detection.box, picture)
        is_face = detection.confidence * face_mesh.presence >= _LEAST_JOINT and seen.area > 0
        if is_face and all(face_mesh.box.iou(other.mesh.box) < _SAME_FACE for other in faces):
            faces.append(FoundFace(seen, detection.confidence, face_mesh))
    return sorted(_trusted(faces), key=lambda face: (-face.box.area, face.box.x, face.box.y))


def _trusted(faces: Sequence[FoundFace]) -> list[FoundFace]:
    """Without the doubtful ones that would be larger than every certain one."""
    certain = [face.box.area for face in faces if face.confidence >= _CERTAIN]
    most = max(certain, default=float("inf"))
    return [face for face in faces if face.confidence >= _CERTAIN or face.box.area < most]


def _seen(box: Box, picture: Picture) -> Box:
    return box.intersection(Box(0.0, 0.0, float(picture.width), float(picture.height)))
