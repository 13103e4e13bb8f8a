"""Between the contract's messages and the client's values: coverage and the images of performers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from client._wire import counts, named, performer, signal
from client.coverage import (
    Coverage,
    CoverageFilter,
    FaceCounts,
    ImageState,
    PerformerCoverage,
    ReasonCount,
    SourceCoverage,
    Target,
)
from client.images import ImageRecord, ImageReport
from marquee.gateway.v1 import catalogue_pb2 as pb

__all__ = ["coverage", "performer_coverage", "to_list_coverage", "to_report", "image_record"]


def to_list_coverage(wanted: CoverageFilter, *, page_size: int, page_token: str) -> pb.ListCoverageRequest:
    return pb.ListCoverageRequest(
        page_size=page_size,
        page_token=page_token,
        only_below_target=wanted.only_below_target,
        only_without_faces=wanted.only_without_faces,
        without_faces_from=wanted.without_faces_from,
        only_with_open_images=wanted.only_with_open_images,
        open_images_from=wanted.open_images_from,
    )


def to_report(value: ImageReport) -> pb.ImageReport:
    return pb.ImageReport(
        performer_id=value.performer_id,
        source=value.source,
        uri=value.uri,
        date=value.date.isoformat() if value.date else "",
        failure=value.failure,
        detail=value.detail,
    )


def coverage(reply: pb.GetCoverageResponse) -> Coverage:
    return Coverage(
        performers=reply.performers,
        age_unverified=reply.age_unverified,
        without_observations=reply.without_observations,
        signals=counts(reply.signals),
        unavailable=tuple(signal(each) for each in reply.unavailable),
        target=Target(reply.target.faces, reply.target.good_faces, reply.target.bodies),
        below_target=reply.below_target if reply.HasField("below_target") else None,
        faces=_faces(reply.faces) if reply.HasField("faces") else None,
        sources=_sources(reply.sources),
    )


def performer_coverage(reply: pb.PerformerCoverage) -> PerformerCoverage:
    return PerformerCoverage(
        performer=performer(reply.performer),
        signals=counts(reply.signals),
        faces=_faces(reply.faces) if reply.HasField("faces") else None,
        is_below_target=reply.is_below_target if reply.HasField("is_below_target") else None,
        sources=_sources(reply.sources),
    )


def image_record(reply: pb.ImageRecord) -> ImageRecord:
    return ImageRecord(
        source=reply.source,
        uri=reply.uri,
        image_hash=reply.image_hash,
        date=date.fromisoformat(reply.date) if reply.date else None,
        state=_state(reply.state),
        reason=reply.reason,
        detail=reply.detail,
        signals=tuple(signal(each) for each in reply.signals),
        is_open=reply.is_open,
    )


def _faces(reply: pb.FaceCoverage) -> FaceCounts:
    # A float of the contract as the decimal that was meant.
    best = round(reply.best_quality, 6)
    return FaceCounts(
        reply.good, reply.usable, reply.weak, best, reply.reserve, reply.quarantined, reply.unsearchable
    )


def _sources(reply: Iterable[pb.SourceCoverage]) -> tuple[SourceCoverage, ...]:
    return tuple(_source(each) for each in reply)


def _source(reply: pb.SourceCoverage) -> SourceCoverage:
    return SourceCoverage(
        source=reply.source,
        seen=reply.seen,
        downloaded=reply.downloaded,
        accepted=reply.accepted,
        with_face=reply.with_face,
        rejected=reply.rejected,
        failed=reply.failed,
        known=reply.known,
        open=reply.open,
        reasons=tuple(ReasonCount(_state(each.state), each.reason, each.images) for each in reply.reasons),
        has_brought_nothing=reply.has_brought_nothing,
    )


def _state(value: int) -> ImageState:
    return named(pb.ImageState.DESCRIPTOR, value, ImageState.UNSPECIFIED)
