"""Between the body contract's messages and domain values, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chassis.errors import InvalidInput
from chassis.protos import (
    from_proto_box,
    parse_image_source,
    parse_uuid,
    to_proto_box,
    to_proto_embedding,
    vector_of,
)
from marquee.body.v1 import body_pb2 as pb
from marquee.common.v1 import common_pb2
from services.body.enroll import Outcome, Rejection
from services.body.lookup import BodyAttributes
from services.body.measurement import Measurement
from services.body.observe import ObservedBody, ObservedImage
from services.body.pose import Pose
from services.body.regions import RegionView
from services.body.score import BodyQuery, BodyScore
from services.body.store import NewMeasurement
from services.body.table import OPERATING_POINT, MeasurementModel, confidence_of
from services.body.template import DIMENSION, decode, encode

__all__ = ["BodyTranslation"]

_MOST_TEMPLATES, _MOST_PERFORMERS, _MOST_OBSERVATIONS, _MOST_COMPARED = 256, 1000, 256, 1000
_MOST_CANDIDATES = 1000

_REASONS = {
    Rejection.DUPLICATE_IMAGE: common_pb2.REJECTION_REASON_DUPLICATE_IMAGE,
    Rejection.LOW_QUALITY: common_pb2.REJECTION_REASON_LOW_QUALITY,
}


class BodyTranslation:
    """Messages of one measurement model. Parsing raises InvalidInput, naming the field."""

    def __init__(self, model: MeasurementModel) -> None:
        self._model = model

    def max_candidates(self, request: pb.ObserveRequest) -> int:
        if request.max_candidates > _MOST_CANDIDATES:
            raise InvalidInput(f"max_candidates: more than {_MOST_CANDIDATES}")
        return request.max_candidates

    def observed(self, image: ObservedImage) -> pb.ObserveResponse:
        return pb.ObserveResponse(
            image_width=image.width,
            image_height=image.height,
            bodies=[self._observation(body) for body in image.bodies],
            operating_points=[self._operating_point()],
        )

    def queries(self, request: pb.ScoreRequest) -> list[BodyQuery]:
        keys = [query.key for query in request.queries]
        if len(set(keys)) != len(keys):
            raise InvalidInput("queries: keys are not unique")
        return [self._query(query) for query in request.queries]

    def scored(self, queries: Sequence[BodyQuery], scores: Sequence[Sequence[BodyScore]]) -> pb.ScoreResponse:
        results = [
            pb.BodyScores(key=query.key, scores=[_score(one) for one in of_query])
            for query, of_query in zip(queries, scores, strict=True)
        ]
        return pb.ScoreResponse(results=results)

    def compared(self, request: pb.CompareRequest) -> list[Measurement | None]:
        _check_count("templates", len(request.templates), least=1, most=_MOST_COMPARED)
        return [self._measurement(one) for one in request.templates]

    def views(self, request: pb.EnrollRequest) -> list[NewMeasurement]:
        _check_count("observations", len(request.observations), least=1, most=_MOST_OBSERVATIONS)
        return [self._view(one) for one in request.observations]

    def performer_ids(self, request: pb.LookupRequest) -> list[str]:
        _check_count("performer_ids", len(request.performer_ids), least=0, most=_MOST_PERFORMERS)
        return [parse_uuid(one) for one in request.performer_ids]

    def outcomes(self, outcomes: Sequence[Outcome]) -> pb.EnrollResponse:
        return pb.EnrollResponse(outcomes=[_outcome(*pair) for pair in enumerate(outcomes)])

    def attributes(self, performers: Sequence[BodyAttributes]) -> pb.LookupResponse:
        return pb.LookupResponse(
            performers=[
                pb.BodyAttributes(
                    performer_id=one.performer_id, ratios=_ratios(one.measurement), measurements=one.count
                )
                for one in performers
            ]
        )

    def _observation(self, body: ObservedBody) -> pb.BodyObservation:
        return pb.BodyObservation(
            box=to_proto_box(body.box),
            detection_confidence=body.confidence,
            quality=body.quality,
            key_points=_key_points(body.pose),
            regions=[_region(one) for one in body.regions],
            ratios=_ratios(body.measurement),
            template=self._template(body),
            candidates=[
                common_pb2.Candidate(
                    performer_id=one.performer_id,
                    similarity=one.similarity,
                    confidence=confidence_of(one.similarity),
                )
                for one in body.look_alikes
            ],
        )

    def _template(self, body: ObservedBody) -> common_pb2.Template | None:
        if body.measurement is None:
            return None
        embedding = to_proto_embedding(self._model.name, self._model.version, encode(body.measurement))
        return common_pb2.Template(
            signal=common_pb2.SIGNAL_BODY, embeddings=[embedding], quality=body.quality
        )

    def _operating_point(self) -> common_pb2.OperatingPoint:
        return common_pb2.OperatingPoint(
            model=self._model.name,
            version=self._model.version,
            impostor_p99=OPERATING_POINT.impostor_p99,
            genuine_median=OPERATING_POINT.genuine_median,
            identification_confidence=OPERATING_POINT.identification_confidence,
        )

    def _query(self, query: common_pb2.ScoreQuery) -> BodyQuery:
        _check_count("templates", len(query.templates), least=1, most=_MOST_TEMPLATES)
        _check_count("performer_ids", len(query.performer_ids), least=0, most=_MOST_PERFORMERS)
        measurements = [self._measurement(one) for one in query.templates]
        return BodyQuery(
            key=query.key,
            measurements=tuple(one for one in measurements if one is not None),
            performer_ids=tuple(parse_uuid(one) for one in query.performer_ids),
        )

    def _view(self, observation: pb.BodyEnrolment) -> NewMeasurement:
        measurement = self._measurement(observation.template)
        if measurement is None:
            raise InvalidInput(f"template: no embedding of {self._model.name} {self._model.version}")
        source = parse_image_source(observation.source)
        return NewMeasurement(
            measurement=measurement,
            quality=_quality(observation.template),
            box=from_proto_box(observation.box),
            image_hash=source.image_hash,
            uri=source.uri,
            date=source.date,
        )

    def _measurement(self, template: common_pb2.Template) -> Measurement | None:
        """None when the template holds other models or versions only."""
        if template.signal != common_pb2.SIGNAL_BODY:
            raise InvalidInput("template: not of the body signal")
        if not template.embeddings:
            raise InvalidInput("template: no embeddings")
        for embedding in template.embeddings:
            if (embedding.model, embedding.version) == (self._model.name, self._model.version):
                return decode(vector_of(embedding, DIMENSION))
        return None


def _quality(template: common_pb2.Template) -> float:
    if not (math.isfinite(template.quality) and 0 <= template.quality <= 1):
        raise InvalidInput("template.quality: not in 0..1")
    return template.quality


def _check_count(field: str, count: int, *, least: int, most: int) -> None:
    if not least <= count <= most:
        raise InvalidInput(f"{field}: {count} given, {least} to {most} are accepted")


def _key_points(pose: Pose | None) -> list[pb.KeyPoint]:
    if pose is None:
        return []
    rows = zip(pose.points.tolist(), pose.visibility.tolist(), strict=True)
    return [pb.KeyPoint(x=x, y=y, visibility=visibility) for (x, y), visibility in rows]


def _region(view: RegionView) -> pb.RegionView:
    corners = [common_pb2.Point(x=x, y=y) for x, y in view.outline.tolist()]
    return pb.RegionView(
        region=common_pb2.BodyRegion.ValueType(view.region),
        outline=common_pb2.Polygon(points=corners),
        visibility=view.visibility,
    )


def _ratios(measurement: Measurement | None) -> list[pb.Ratio]:
    if measurement is None:
        return []
    return [
        pb.Ratio(kind=pb.RatioKind.ValueType(kind), value=value, log_error=error)
        for kind, (value, error) in measurement.ratios().items()
    ]


def _score(score: BodyScore) -> pb.BodyScore:
    return pb.BodyScore(
        performer_id=score.performer_id,
        similarity=score.similarity,
        confidence=confidence_of(score.similarity),
        llr=score.llr,
        is_compatible=score.is_compatible,
        compared_ratios=score.compared_ratios,
        measurements=score.measurements,
    )


def _outcome(index: int, outcome: Outcome) -> common_pb2.EnrollOutcome:
    return common_pb2.EnrollOutcome(
        index=index,
        is_accepted=outcome.rejection is None,
        reason=(
            common_pb2.REJECTION_REASON_UNSPECIFIED
            if outcome.rejection is None
            else _REASONS[outcome.rejection]
        ),
        detail=outcome.detail,
    )
