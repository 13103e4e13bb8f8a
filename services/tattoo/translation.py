"""Between the tattoo contract's messages and domain values, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chassis.errors import InvalidInput
from chassis.protos import (
    from_proto_box,
    parse_image_source,
    parse_uuid,
    to_proto_box,
    to_proto_embedding,
    vector_of,
)
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.enroll import Outcome, Rejection
from services.tattoo.enrolled import KnownTattoo, Match
from services.tattoo.lookup import TattooAttributes
from services.tattoo.observe import ObservedImage, ObservedTattoo
from services.tattoo.score import TattooQuery, TattooScore
from services.tattoo.store import NewTattoo
from services.tattoo.table import EmbedderRow
from services.tattoo.template import ModelKey, Template, Vector

__all__ = ["TattooTranslation"]

_MOST_TEMPLATES, _MOST_PERFORMERS, _MOST_OBSERVATIONS, _MOST_COMPARED = 256, 1000, 256, 1000
_MOST_CANDIDATES = 1000
_REGION_PREFIX = "BODY_REGION_"
_SHORTEST = 1e-6

_REASONS = {
    Rejection.DUPLICATE_IMAGE: common_pb2.REJECTION_REASON_DUPLICATE_IMAGE,
    Rejection.LOW_QUALITY: common_pb2.REJECTION_REASON_LOW_QUALITY,
}


class TattooTranslation:
    """Messages of the active embedders, the primary first. Parsing raises InvalidInput, naming the field."""

    def __init__(self, rows: Sequence[EmbedderRow]) -> None:
        self._rows = {row.key: row for row in rows}
        self._primary = rows[0].operating_point

    def max_candidates(self, request: pb.ObserveRequest) -> int:
        if request.max_candidates > _MOST_CANDIDATES:
            raise InvalidInput(f"max_candidates: more than {_MOST_CANDIDATES}")
        return request.max_candidates

    def observed(self, image: ObservedImage) -> pb.ObserveResponse:
        return pb.ObserveResponse(
            image_width=image.width,
            image_height=image.height,
            tattoos=[self._observation(one) for one in image.tattoos],
            operating_points=[_operating_point(row) for row in self._rows.values()],
        )

    def queries(self, request: pb.ScoreRequest) -> list[TattooQuery]:
        keys = [query.key for query in request.queries]
        if len(set(keys)) != len(keys):
            raise InvalidInput("queries: keys are not unique")
        return [self._query(query) for query in request.queries]

    def scored(
        self, queries: Sequence[TattooQuery], scores: Sequence[Sequence[TattooScore]]
    ) -> pb.ScoreResponse:
        results = [
            pb.TattooScores(key=query.key, scores=[self._score(one) for one in of_query])
            for query, of_query in zip(queries, scores, strict=True)
        ]
        return pb.ScoreResponse(results=results)

    def compared(self, request: pb.CompareRequest) -> list[Template]:
        _check_count("templates", len(request.templates), least=1, most=_MOST_COMPARED)
        return [self._template(one) for one in request.templates]

    def tattoos(self, request: pb.EnrollRequest) -> list[NewTattoo]:
        _check_count("observations", len(request.observations), least=1, most=_MOST_OBSERVATIONS)
        return [self._enrolment(one) for one in request.observations]

    def performer_ids(self, request: pb.LookupRequest) -> list[str]:
        _check_count("performer_ids", len(request.performer_ids), least=0, most=_MOST_PERFORMERS)
        return [parse_uuid(one) for one in request.performer_ids]

    def outcomes(self, outcomes: Sequence[Outcome]) -> pb.EnrollResponse:
        return pb.EnrollResponse(outcomes=[_outcome(*pair) for pair in enumerate(outcomes)])

    def attributes(self, performers: Sequence[TattooAttributes]) -> pb.LookupResponse:
        return pb.LookupResponse(
            performers=[
                pb.TattooAttributes(
                    performer_id=one.performer_id, tattoos=[_known(tattoo) for tattoo in one.tattoos]
                )
                for one in performers
            ]
        )

    def _observation(self, tattoo: ObservedTattoo) -> pb.TattooObservation:
        detection, template = tattoo.detection, tattoo.template
        corners = [common_pb2.Point(x=point.x, y=point.y) for point in detection.outline]
        return pb.TattooObservation(
            box=to_proto_box(detection.box),
            detection_confidence=detection.confidence,
            quality=template.quality,
            mask=common_pb2.Polygon(points=corners),
            template=_to_proto_template(template),
            candidates=[self._candidate(match) for match in tattoo.matches],
        )

    def _candidate(self, match: Match) -> common_pb2.Candidate:
        return common_pb2.Candidate(
            performer_id=match.performer_id,
            similarity=match.similarity,
            confidence=self._primary.confidence(match.similarity),
        )

    def _score(self, score: TattooScore) -> pb.TattooScore:
        return pb.TattooScore(
            performer_id=score.performer_id,
            similarity=score.similarity,
            confidence=self._primary.confidence(score.similarity),
            known=[_known(tattoo) for tattoo in score.known],
        )

    def _query(self, query: common_pb2.ScoreQuery) -> TattooQuery:
        _check_count("templates", len(query.templates), least=1, most=_MOST_TEMPLATES)
        _check_count("performer_ids", len(query.performer_ids), least=0, most=_MOST_PERFORMERS)
        return TattooQuery(
            key=query.key,
            templates=tuple(self._template(one) for one in query.templates),
            performer_ids=tuple(parse_uuid(one) for one in query.performer_ids),
        )

    def _enrolment(self, observation: pb.TattooEnrolment) -> NewTattoo:
        template = self._template(observation.template)
        if not template.vectors:
            raise InvalidInput(f"template: no embedding of {_names(self._rows)}")
        source = parse_image_source(observation.source)
        return NewTattoo(
            template=template,
            box=from_proto_box(observation.box),
            confidence=_share("detection_confidence", observation.detection_confidence),
            region=_region_name(observation.region),
            image_hash=source.image_hash,
            uri=source.uri,
            date=source.date,
        )

    def _template(self, template: common_pb2.Template) -> Template:
        """Without vectors of other models and versions; possibly without any."""
        if template.signal != common_pb2.SIGNAL_TATTOO:
            raise InvalidInput("template: not of the tattoo signal")
        if not template.embeddings:
            raise InvalidInput("template: no embeddings")
        vectors = {
            key: _unit_vector(one, self._rows[key])
            for one in template.embeddings
            if (key := (one.model, one.version)) in self._rows
        }
        return Template(vectors, _share("template.quality", template.quality))


def _to_proto_template(template: Template) -> common_pb2.Template:
    return common_pb2.Template(
        signal=common_pb2.SIGNAL_TATTOO,
        embeddings=[to_proto_embedding(*model, vector) for model, vector in template.vectors.items()],
        quality=template.quality,
    )


def _operating_point(row: EmbedderRow) -> common_pb2.OperatingPoint:
    return common_pb2.OperatingPoint(
        model=row.name,
        version=row.version,
        impostor_p99=row.operating_point.impostor_p99,
        genuine_median=row.operating_point.genuine_median,
        identification_confidence=row.operating_point.identification_confidence,
    )


def _unit_vector(embedding: common_pb2.Embedding, row: EmbedderRow) -> Vector:
    vector = vector_of(embedding, row.dimension)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if length < _SHORTEST:
        raise InvalidInput(f"embedding of {embedding.model}: has no direction")
    return np.ascontiguousarray(vector / length, np.float32)


def _known(tattoo: KnownTattoo) -> pb.KnownTattoo:
    return pb.KnownTattoo(
        tattoo_id=tattoo.tattoo_id,
        region=_region_value(tattoo.region),
        first_seen_date=tattoo.first_seen.isoformat() if tattoo.first_seen else "",
        removed_date=tattoo.removed.isoformat() if tattoo.removed else "",
        confidence=tattoo.confidence,
    )


def _region_name(region: common_pb2.BodyRegion.ValueType) -> str:
    if region == common_pb2.BODY_REGION_UNSPECIFIED or region not in common_pb2.BodyRegion.values():
        raise InvalidInput("region: not a body region; send UNKNOWN when nobody can tell")
    return common_pb2.BodyRegion.Name(region).removeprefix(_REGION_PREFIX).lower()


def _region_value(name: str) -> common_pb2.BodyRegion.ValueType:
    """UNKNOWN for a region that a newer version stored."""
    values = dict(common_pb2.BodyRegion.items())
    return values.get(_REGION_PREFIX + name.upper(), common_pb2.BODY_REGION_UNKNOWN)


def _outcome(index: int, outcome: Outcome) -> common_pb2.EnrollOutcome:
    return common_pb2.EnrollOutcome(
        index=index,
        is_accepted=outcome.rejection is None,
        reason=_REASONS[outcome.rejection] if outcome.rejection else common_pb2.REJECTION_REASON_UNSPECIFIED,
        detail=outcome.detail,
    )


def _share(field: str, value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise InvalidInput(f"{field}: not in 0..1")
    return value


def _check_count(field: str, count: int, *, least: int, most: int) -> None:
    if not least <= count <= most:
        raise InvalidInput(f"{field}: {count} given, {least} to {most} are accepted")


def _names(models: Sequence[ModelKey] | dict[ModelKey, EmbedderRow]) -> str:
    return ", ".join(" ".join(model) for model in models)
