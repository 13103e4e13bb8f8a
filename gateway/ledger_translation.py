"""Coverage and the images of performers, between domain values and the contract's messages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence

from chassis.errors import InvalidInput
from chassis.protos import parse_date, parse_uuid
from gateway.catalogue.coverage_listing import Wanted
from gateway.catalogue.image_counts import SourceCounts
from gateway.catalogue.image_record import (
    ImageOutcome,
    ImageRecord,
    ImageState,
    clean_failure,
    clean_source,
)
from gateway.catalogue.target import Target
from gateway.observations import Signal
from gateway.signals import FaceCounts
from gateway.translation import to_proto_signal
from marquee.gateway.v1 import catalogue_pb2 as pb

__all__ = [
    "reports_from",
    "wanted_from",
    "ids_from",
    "to_proto_records",
    "to_proto_sources",
    "to_proto_faces",
    "to_proto_target",
    "encode_place",
    "decode_place",
]

_MOST_IMAGES = 1000
_LONGEST_URI = 4096
_STATES = {
    ImageState.KNOWN: pb.IMAGE_STATE_KNOWN,
    ImageState.FAILED: pb.IMAGE_STATE_FAILED,
    ImageState.ACCEPTED: pb.IMAGE_STATE_ACCEPTED,
    ImageState.REJECTED: pb.IMAGE_STATE_REJECTED,
}
_SIGNALS = {signal.label: to_proto_signal(signal) for signal in Signal}


def reports_from(images: Sequence[pb.ImageReport]) -> list[ImageOutcome]:
    """Raises InvalidInput naming the field."""
    if not 1 <= len(images) <= _MOST_IMAGES:
        raise InvalidInput(f"images: not 1 to {_MOST_IMAGES}")
    return [_report_from(one) for one in images]


def _report_from(one: pb.ImageReport) -> ImageOutcome:
    if not 1 <= len(one.uri) <= _LONGEST_URI:
        raise InvalidInput(f"images.uri: empty, or longer than {_LONGEST_URI} characters")
    failure = clean_failure(one.failure)
    return ImageOutcome(
        performer_id=parse_uuid(one.performer_id, field="images.performer_id"),
        source=clean_source(one.source),
        uri=one.uri,
        image_date=parse_date(one.date, field="images.date"),
        state=ImageState.FAILED if failure else ImageState.KNOWN,
        reason=failure,
        detail=one.detail if failure else "",
    )


def wanted_from(request: pb.ListCoverageRequest) -> Wanted:
    """Raises InvalidInput for a source that is no name."""
    return Wanted(
        only_below_target=request.only_below_target,
        only_without_faces=request.only_without_faces,
        without_faces_from=clean_source(request.without_faces_from),
        only_with_open_images=request.only_with_open_images,
        open_images_from=clean_source(request.open_images_from),
    )


def ids_from(performer_ids: Sequence[str]) -> list[str]:
    """Raises InvalidInput."""
    if len(performer_ids) > _MOST_IMAGES:
        raise InvalidInput(f"performer_ids: more than {_MOST_IMAGES}")
    return [parse_uuid(one, field="performer_ids") for one in performer_ids]


def to_proto_records(records: Iterable[ImageRecord]) -> list[pb.ImageRecord]:
    return [
        pb.ImageRecord(
            source=one.source,
            uri=one.uri,
            image_hash=one.image_hash,
            date=one.image_date.isoformat() if one.image_date else "",
            state=_STATES[one.state],
            reason=one.reason,
            detail=one.detail,
            signals=[_SIGNALS[label] for label in one.signals if label in _SIGNALS],
            is_open=one.is_open,
        )
        for one in records
    ]


def to_proto_sources(sources: Iterable[SourceCounts]) -> list[pb.SourceCoverage]:
    return [
        pb.SourceCoverage(
            source=one.source,
            seen=one.seen,
            downloaded=one.downloaded,
            accepted=one.by_state.get(ImageState.ACCEPTED, 0),
            with_face=one.with_face,
            rejected=one.by_state.get(ImageState.REJECTED, 0),
            failed=one.by_state.get(ImageState.FAILED, 0),
            known=one.by_state.get(ImageState.KNOWN, 0),
            open=one.opened,
            reasons=[
                pb.ImageReasonCount(state=_STATES[each.state], reason=each.reason, images=each.images)
                for each in one.reasons
            ],
            has_brought_nothing=one.has_brought_nothing,
        )
        for one in sources
    ]


def to_proto_faces(faces: FaceCounts | None) -> pb.FaceCoverage | None:
    """None stays unset."""
    if faces is None:
        return None
    return pb.FaceCoverage(
        good=faces.good,
        usable=faces.usable,
        weak=faces.weak,
        best_quality=faces.best_quality,
        reserve=faces.reserve,
        quarantined=faces.quarantined,
        unsearchable=faces.unsearchable,
    )


def to_proto_target(target: Target) -> pb.CoverageTarget:
    return pb.CoverageTarget(faces=target.faces, good_faces=target.good_faces, bodies=target.bodies)


def encode_place(record: ImageRecord) -> str:
    """The page token after a record."""
    return base64.urlsafe_b64encode(json.dumps([record.source, record.image_key]).encode()).decode()


def decode_place(token: str) -> tuple[str, str]:
    """Source and key of the record a token was made for; two empty texts for an empty one.

    Raises InvalidInput for a token that is not ours.
    """
    if not token:
        return ("", "")
    try:
        source, key = json.loads(base64.urlsafe_b64decode(token.encode()))
        if not isinstance(source, str) or not isinstance(key, str) or "\0" in source + key:
            raise InvalidInput("page_token: not a token of this server")
        (source + key).encode()  # refuses half characters, which the database cannot take
        return source, key
    except (binascii.Error, ValueError, TypeError, RecursionError) as exc:
        raise InvalidInput("page_token: not a token of this server") from exc
