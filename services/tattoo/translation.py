"""Between the tattoo contract's messages and domain values, checked."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from chassis.errors import InvalidInput
from chassis.protos import (
    from_proto_box,
    parse_image_source,
    to_proto_box,
)
from chassis.signal.pending import PendingPage, to_proto_pending
from chassis.signal.requests import (
    MOST_COMPARED,
    MOST_OBSERVATIONS,
    check_count,
    check_queries,
    embeddings_of,
    parse_except_images,
    parse_fingerprint,
    parse_performer_ids,
    parse_share,
    unit_vector_of,
)
from chassis.signal.responses import to_proto_candidates, to_proto_operating_point, to_proto_template
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.enrolled import KnownTattoo
from services.tattoo.key_point_translation import parse_key_points, to_proto_key_points
from services.tattoo.lookup import TattooAttributes
from services.tattoo.observe import ObservedImage, ObservedTattoo
from services.tattoo.region_names import region_name, region_value
from services.tattoo.regions_store import Knowledge, RegionStatement
from services.tattoo.score import TattooQuery, TattooScore
from services.tattoo.store import NewTattoo
from services.tattoo.table import EmbedderRow
from services.tattoo.template import Template
from services.tattoo.whole import wholes_of

__all__ = ["TattooTranslation"]

_KNOWLEDGE = {
    Knowledge.KNOWN_TATTOOED: pb.REGION_KNOWLEDGE_KNOWN_TATTOOED,
    Knowledge.KNOWN_CLEAR: pb.REGION_KNOWLEDGE_KNOWN_CLEAR,
}


class TattooTranslation:
    """Messages of the active embedders, the primary first. Parsing raises InvalidInput, naming the field."""

    def __init__(self, rows: Sequence[EmbedderRow], *, generation: int = 0) -> None:
        self._generation = generation
        self._rows = {row.key: row for row in rows}
        self._primary = rows[0].operating_point

    def observed(self, image: ObservedImage) -> pb.ObserveResponse:
        return pb.ObserveResponse(
            image_width=image.width,
            image_height=image.height,
            tattoos=[self._observation(one) for one in image.tattoos],
            operating_points=[
                to_proto_operating_point(row.key, row.operating_point) for row in self._rows.values()
            ],
        )

    def queries(self, request: pb.ScoreRequest) -> list[TattooQuery]:
        check_queries(request.queries)
        return [self._query(query) for query in request.queries]

    def scored(
        self,
        queries: Sequence[TattooQuery],
        scores: Sequence[Sequence[TattooScore]],
        regions: Mapping[str, Sequence[RegionStatement]] | None,
        calibration: common_pb2.CalibrationInUse | None = None,
    ) -> pb.ScoreResponse:
        """`regions`: what is known of them, by performer, None: no facts are wanted; `calibration`: what the
        ratios rest on.
        """
        results = [
            pb.TattooScores(
                key=query.key,
                scores=[self._score(one, regions) for one in of_query],
            )
            for query, of_query in zip(queries, scores, strict=True)
        ]
        return pb.ScoreResponse(results=results, calibration=calibration)

    def compared(self, request: pb.CompareRequest) -> list[Template]:
        check_count("templates", len(request.templates), least=1, most=MOST_COMPARED)
        return [self._template(one) for one in request.templates]

    def tattoos(self, request: pb.EnrollRequest) -> list[NewTattoo]:
        check_count("observations", len(request.observations), least=1, most=MOST_OBSERVATIONS)
        return [self._enrolment(one) for one in request.observations]

    def attributes(
        self,
        performers: Sequence[TattooAttributes],
        calibration: common_pb2.CalibrationInUse | None = None,
    ) -> pb.LookupResponse:
        """`calibration`: as `scored` tells it."""
        return pb.LookupResponse(
            calibration=calibration,
            performers=[
                pb.TattooAttributes(
                    performer_id=one.performer_id,
                    tattoos=_known(one.tattoos),
                    regions=[_region(statement) for statement in one.regions],
                )
                for one in performers
            ],
        )

    def _observation(self, tattoo: ObservedTattoo) -> pb.TattooObservation:
        detection, template = tattoo.detection, tattoo.template
        corners = [common_pb2.Point(x=point.x, y=point.y) for point in detection.outline]
        sent = to_proto_template(
            common_pb2.SIGNAL_TATTOO, template.vectors, template.quality, self._generation
        )
        if template.key_points is not None:
            sent.key_points.CopyFrom(to_proto_key_points(template.key_points))
        if template.fingerprint is not None:
            sent.fingerprint = template.fingerprint.encode()
        candidates = to_proto_candidates(tattoo.matches, self._primary.confidence)
        for candidate, match in zip(candidates, tattoo.matches, strict=True):
            candidate.agreeing_points = match.agreeing
        return pb.TattooObservation(
            box=to_proto_box(detection.box),
            detection_confidence=detection.confidence,
            quality=template.quality,
            mask=common_pb2.Polygon(points=corners),
            template=sent,
            candidates=candidates,
        )

    def _score(
        self, score: TattooScore, regions: Mapping[str, Sequence[RegionStatement]] | None
    ) -> pb.TattooScore:
        return pb.TattooScore(
            performer_id=score.performer_id,
            similarity=score.similarity,
            confidence=self._primary.confidence(score.similarity),
            known=_known(score.known) if regions is not None else (),
            regions=[_region(one) for one in (regions or {}).get(score.performer_id, ())],
            agreeing_points=score.agreeing,
            llr=score.llr,
            matches=[
                pb.TattooMatch(tattoo_id=one.tattoo_id, similarity=one.similarity, llr=one.llr)
                for one in score.matches
            ],
        )

    def _query(self, query: common_pb2.ScoreQuery) -> TattooQuery:
        return TattooQuery(
            key=query.key,
            templates=tuple(self._template(one) for one in query.templates),
            performer_ids=tuple(parse_performer_ids(query.performer_ids)),
            except_images=parse_except_images(query.except_image_hashes),
        )

    def _enrolment(self, observation: pb.TattooEnrolment) -> NewTattoo:
        template = self._template(observation.template)
        if not template.vectors:
            raise InvalidInput(f"template: no embedding of {', '.join(' '.join(key) for key in self._rows)}")
        source = parse_image_source(observation.source)
        return NewTattoo(
            template=template,
            box=from_proto_box(observation.box),
            confidence=parse_share("detection_confidence", observation.detection_confidence),
            region=region_name(observation.region),
            image_hash=source.image_hash,
            uri=source.uri,
            date=source.date,
        )

    def _template(self, template: common_pb2.Template) -> Template:
        """Without vectors and key points of other models and versions; possibly without any."""
        vectors = {
            key: unit_vector_of(embedding, self._rows[key].dimension)
            for key, embedding in embeddings_of(template, common_pb2.SIGNAL_TATTOO).items()
            if key in self._rows
        }
        return Template(
            vectors,
            parse_share("template.quality", template.quality),
            parse_key_points(template),
            parse_fingerprint("template.fingerprint", template.fingerprint),
        )

    def pending(self, page: PendingPage) -> pb.ListPendingResponse:
        return pb.ListPendingResponse(
            observations=[to_proto_pending(one, region_value(one.region)) for one in page.observations],
            next_page_token=page.next_token,
            total=page.total,
        )


def _known(tattoos: Sequence[KnownTattoo]) -> list[pb.KnownTattoo]:
    wholes = wholes_of(tattoos)
    return [
        pb.KnownTattoo(
            tattoo_id=one.tattoo_id,
            region=region_value(wholes[one.tattoo_id].region),
            first_seen_date=_iso(wholes[one.tattoo_id].first_seen),
            removed_date=_iso(wholes[one.tattoo_id].removed),
            confidence=one.confidence,
            view_id=one.view_id,
            views=wholes[one.tattoo_id].views,
        )
        for one in tattoos
    ]


def _region(statement: RegionStatement) -> pb.KnownRegion:
    return pb.KnownRegion(
        region=region_value(statement.region),
        knowledge=_KNOWLEDGE[statement.knowledge],
        source=statement.source,
        description=statement.description,
        since_date=_iso(statement.since),
        until_date=_iso(statement.until),
    )


def _iso(day: datetime.date | None) -> str:
    return day.isoformat() if day else ""
