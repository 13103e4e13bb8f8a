"""Between the contract's messages and the face service's values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.protos import from_proto_box, parse_image_source, to_proto_box
from chassis.signal.requests import (
    MOST_COMPARED,
    MOST_OBSERVATIONS,
    check_count,
    check_queries,
    embeddings_of,
    parse_except_images,
    parse_performer_ids,
    parse_share,
    unit_vector_of,
)
from chassis.signal.responses import to_proto_operating_point, to_proto_template
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from services.face.ensemble import Ensemble
from services.face.library import FaceCandidate
from services.face.observe import Observation, ObservedFace
from services.face.score import PerformerScore
from services.face.store import FaceAttributes, NewFace
from services.face.template import FaceTemplate

__all__ = ["Query", "FaceTranslation", "to_template"]


@dataclass(frozen=True, slots=True)
class Query:
    """The templates of one person and the performers to compare them with."""

    key: str
    templates: tuple[FaceTemplate, ...]
    performer_ids: tuple[str, ...]
    except_images: frozenset[str] = frozenset()
    """Hashes of images whose faces are not compared."""


class FaceTranslation:
    """Translates for the embedders in use. Reading raises InvalidInput naming the field."""

    def __init__(self, ensemble: Ensemble, *, generation: int = 0) -> None:
        self._ensemble = ensemble
        self._generation = generation

    def queries(self, request: pb.ScoreRequest) -> list[Query]:
        check_queries(request.queries)
        return [
            Query(
                query.key,
                tuple(self._template(one) for one in query.templates),
                tuple(parse_performer_ids(query.performer_ids)),
                parse_except_images(query.except_image_hashes),
            )
            for query in request.queries
        ]

    def compared(self, request: pb.CompareRequest) -> list[FaceTemplate]:
        check_count("templates", len(request.templates), least=1, most=MOST_COMPARED)
        return [self._template(one) for one in request.templates]

    def faces(self, request: pb.EnrollRequest) -> list[NewFace]:
        check_count("observations", len(request.observations), least=1, most=MOST_OBSERVATIONS)
        return [self._new_face(one) for one in request.observations]

    def observed(self, observation: Observation) -> pb.ObserveResponse:
        return pb.ObserveResponse(
            image_width=observation.width,
            image_height=observation.height,
            faces=[_to_face(face, self._generation) for face in observation.faces],
            operating_points=self._operating_points(),
        )

    def scored(self, key: str, scores: Iterable[PerformerScore]) -> pb.FaceScores:
        return pb.FaceScores(key=key, scores=[_to_score(one) for one in scores])

    def similarities(self, matrix: NDArray[np.float32]) -> pb.CompareResponse:
        return pb.CompareResponse(similarities=matrix.reshape(-1).tolist())

    def attributes(self, attributes: Iterable[FaceAttributes]) -> pb.LookupResponse:
        return pb.LookupResponse(performers=[_to_attributes(one) for one in attributes])

    def _template(self, message: common_pb2.Template) -> FaceTemplate:
        """The vectors of the embedders in use, made unit vectors; perhaps none."""
        embeddings = embeddings_of(message, common_pb2.SIGNAL_FACE)
        vectors = {
            row.key: unit_vector_of(embeddings[row.key], row.dimension)
            for row in self._ensemble.rows
            if row.key in embeddings
        }
        return FaceTemplate(vectors, parse_share("template.quality", message.quality))

    def _new_face(self, message: pb.FaceEnrolment) -> NewFace:
        template = self._template(message.template)
        if not template.vectors:
            raise InvalidInput("template: of no embedder in use here; observe the picture again")
        return NewFace(template, from_proto_box(message.box), parse_image_source(message.source))

    def _operating_points(self) -> list[common_pb2.OperatingPoint]:
        """Of each embedder; the identification confidence is that of all together, as the confidences are."""
        points = [to_proto_operating_point(row.key, row.operating_point) for row in self._ensemble.rows]
        for point in points:
            point.identification_confidence = self._ensemble.identification_confidence
        return points


def to_template(template: FaceTemplate, generation: int = 0) -> common_pb2.Template:
    """The template as the contract has it."""
    return to_proto_template(common_pb2.SIGNAL_FACE, template.vectors, template.quality, generation)


def _to_face(face: ObservedFace, generation: int) -> pb.FaceObservation:
    return pb.FaceObservation(
        box=to_proto_box(face.box),
        detection_confidence=face.confidence,
        quality=face.template.quality,
        landmarks=[common_pb2.Point(x=point.x, y=point.y) for point in face.landmarks],
        template=to_template(face.template, generation),
        candidates=_to_candidates(face.candidates),
    )


def _to_candidates(candidates: Sequence[FaceCandidate]) -> list[common_pb2.Candidate]:
    return [
        common_pb2.Candidate(
            performer_id=one.performer_id,
            similarity=one.likeness.similarity,
            confidence=one.likeness.confidence,
        )
        for one in candidates
    ]


def _to_score(score: PerformerScore) -> pb.FaceScore:
    return pb.FaceScore(
        performer_id=score.performer_id,
        similarity=score.likeness.similarity,
        confidence=score.likeness.confidence,
        faces=score.faces,
        llr=score.llr,
    )


def _to_attributes(attributes: FaceAttributes) -> pb.FaceAttributes:
    return pb.FaceAttributes(
        performer_id=attributes.performer_id,
        faces=attributes.faces,
        good_faces=attributes.good_faces,
        weak_faces=attributes.weak_faces,
        best_quality=attributes.best_quality,
        reserve_faces=attributes.reserve,
        quarantined_faces=attributes.quarantined,
        unsearchable_faces=attributes.unsearchable,
    )
