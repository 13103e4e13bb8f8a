"""Between the body contract's messages and domain values, checked."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.errors import InvalidInput
from chassis.protos import (
    from_proto_box,
    parse_image_source,
    to_proto_box,
    vector_of,
)
from chassis.signal.requests import (
    MOST_COMPARED,
    MOST_OBSERVATIONS,
    check_count,
    check_queries,
    embeddings_of,
    parse_except_images,
    parse_performer_ids,
    parse_share,
)
from chassis.signal.responses import to_proto_candidates, to_proto_operating_point, to_proto_template
from marquee.body.v1 import body_pb2 as pb
from marquee.common.v1 import common_pb2
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


class BodyTranslation:
    """Messages of one measurement model. Parsing raises InvalidInput, naming the field."""

    def __init__(self, model: MeasurementModel) -> None:
        self._model = model

    def observed(self, image: ObservedImage) -> pb.ObserveResponse:
        return pb.ObserveResponse(
            image_width=image.width,
            image_height=image.height,
            bodies=[self._observation(body) for body in image.bodies],
            operating_points=[to_proto_operating_point(self._model.key, OPERATING_POINT)],
        )

    def queries(self, request: pb.ScoreRequest) -> list[BodyQuery]:
        check_queries(request.queries)
        return [self._query(query) for query in request.queries]

    def scored(
        self,
        queries: Sequence[BodyQuery],
        scores: Sequence[Sequence[BodyScore]],
        calibration: common_pb2.CalibrationInUse,
    ) -> pb.ScoreResponse:
        results = [
            pb.BodyScores(key=query.key, scores=[_score(one) for one in of_query])
            for query, of_query in zip(queries, scores, strict=True)
        ]
        return pb.ScoreResponse(results=results, calibration=calibration)

    def compared(self, request: pb.CompareRequest) -> list[Measurement | None]:
        check_count("templates", len(request.templates), least=1, most=MOST_COMPARED)
        return [self._measurement(one) for one in request.templates]

    def views(self, request: pb.EnrollRequest) -> list[NewMeasurement]:
        check_count("observations", len(request.observations), least=1, most=MOST_OBSERVATIONS)
        return [self._view(one) for one in request.observations]

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
            candidates=to_proto_candidates(body.look_alikes, confidence_of),
        )

    def _template(self, body: ObservedBody) -> common_pb2.Template | None:
        if body.measurement is None:
            return None
        vectors = {self._model.key: encode(body.measurement)}
        return to_proto_template(common_pb2.SIGNAL_BODY, vectors, body.quality)

    def _query(self, query: common_pb2.ScoreQuery) -> BodyQuery:
        measurements = [self._measurement(one) for one in query.templates]
        return BodyQuery(
            key=query.key,
            measurements=tuple(one for one in measurements if one is not None),
            performer_ids=tuple(parse_performer_ids(query.performer_ids)),
            except_images=parse_except_images(query.except_image_hashes),
        )

    def _view(self, observation: pb.BodyEnrolment) -> NewMeasurement:
        measurement = self._measurement(observation.template)
        if measurement is None:
            raise InvalidInput(f"template: no embedding of {self._model.name} {self._model.version}")
        source = parse_image_source(observation.source)
        return NewMeasurement(
            measurement=measurement,
            quality=parse_share("template.quality", observation.template.quality),
            box=from_proto_box(observation.box),
            image_hash=source.image_hash,
            uri=source.uri,
            date=source.date,
        )

    def _measurement(self, template: common_pb2.Template) -> Measurement | None:
        """None when the template holds other models or versions only."""
        embedding = embeddings_of(template, common_pb2.SIGNAL_BODY).get(self._model.key)
        return None if embedding is None else decode(vector_of(embedding, DIMENSION))


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
        full_views=score.full_views,
    )
