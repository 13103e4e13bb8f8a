"""Between the contract's messages and the client's values: performers and vectors in bulk."""

from __future__ import annotations

import datetime

from client import _wire
from client.catalogue import AgeStatus, Rejection
from client.transfer.values import (
    ImportedPerformer,
    ImportedVectors,
    NotSearchable,
    Observation,
    PerformerRecord,
    PerformerRefusal,
    RefusedRow,
    TattooText,
    VectorRow,
)
from marquee.common.v1 import common_pb2, transfer_pb2
from marquee.gateway.v1 import catalogue_pb2
from marquee.gateway.v1 import transfer_pb2 as pb

__all__ = [
    "imported_performer",
    "imported_vectors",
    "not_searchable",
    "performer_record",
    "to_record",
    "to_row",
    "to_text",
    "vector_row",
]

_REGION_PREFIX = "BODY_REGION_"


def to_record(value: PerformerRecord) -> pb.PerformerRecord:
    return pb.PerformerRecord(performer=_wire.to_performer(value.performer), body_ratios=value.body_ratios)


def performer_record(message: pb.PerformerRecord) -> PerformerRecord:
    ratios = {name: message.body_ratios[name] for name in sorted(message.body_ratios)}
    return PerformerRecord(_wire.performer(message.performer), ratios)


def imported_performer(message: pb.ImportedPerformer) -> ImportedPerformer:
    refusal = _wire.named(pb.PerformerRefusal.DESCRIPTOR, message.refusal, PerformerRefusal.UNSPECIFIED)
    return ImportedPerformer(
        message.id,
        message.is_created,
        None if message.id else refusal,
        message.detail,
        _wire.named(catalogue_pb2.AgeStatus.DESCRIPTOR, message.age_status, AgeStatus.UNSPECIFIED),
    )


def to_row(value: VectorRow) -> transfer_pb2.VectorRow:
    seen = value.seen
    x, y, width, height = seen.box
    return transfer_pb2.VectorRow(
        performer_id=value.performer_id,
        embedding=common_pb2.Embedding(model=value.model, version=value.version, vector=value.vector),
        quality=seen.quality,
        box=common_pb2.Box(x=x, y=y, width=width, height=height),
        source=common_pb2.ImageSource(image_hash=seen.image_hash, uri=seen.uri, date=_iso(seen.date)),
        region=_region_value(seen.region),
        detection_confidence=seen.confidence,
        removed_date=_iso(seen.removed),
        tattoo_id=seen.tattoo_id,
        state=seen.state,
        state_reason=seen.state_reason,
        is_confirmed=seen.is_confirmed,
        since_date=_iso(seen.since),
        fingerprint=seen.fingerprint,
    )


def vector_row(message: transfer_pb2.VectorRow) -> VectorRow:
    box, source, embedding = message.box, message.source, message.embedding
    seen = Observation(
        quality=_plain(message.quality),
        image_hash=source.image_hash,
        uri=source.uri,
        date=_date(source.date),
        box=(box.x, box.y, box.width, box.height),
        region=_region_name(message.region),
        confidence=_plain(message.detection_confidence),
        removed=_date(message.removed_date),
        tattoo_id=message.tattoo_id,
        state=message.state,
        state_reason=message.state_reason,
        is_confirmed=message.is_confirmed,
        since=_date(message.since_date),
        fingerprint=message.fingerprint,
    )
    return VectorRow(message.performer_id, embedding.model, embedding.version, embedding.vector, seen)


def imported_vectors(message: pb.ImportVectorsResponse) -> ImportedVectors:
    return ImportedVectors(
        message.stored,
        message.known,
        tuple(_refused(one) for one in message.rejected),
        tuple(not_searchable(one) for one in message.not_searchable),
    )


def not_searchable(message: common_pb2.NotSearchable) -> NotSearchable:
    return NotSearchable(message.model, message.version, message.observations, message.reason)


def to_text(value: TattooText) -> transfer_pb2.TattooText:
    return transfer_pb2.TattooText(
        performer_id=value.performer_id,
        location=value.location,
        description=value.description,
        source=value.source,
    )


def _refused(message: common_pb2.EnrollOutcome) -> RefusedRow:
    reason = _wire.named(common_pb2.RejectionReason.DESCRIPTOR, message.reason, Rejection.UNSPECIFIED)
    return RefusedRow(message.index, reason, message.detail)


def _region_value(name: str) -> common_pb2.BodyRegion.ValueType:
    values = dict(common_pb2.BodyRegion.items())
    unnamed = common_pb2.BODY_REGION_UNKNOWN if name else common_pb2.BODY_REGION_UNSPECIFIED
    return values.get(_REGION_PREFIX + name.upper(), unnamed)


def _region_name(value: common_pb2.BodyRegion.ValueType) -> str:
    if value == common_pb2.BODY_REGION_UNSPECIFIED or value not in common_pb2.BodyRegion.values():
        return ""
    return common_pb2.BodyRegion.Name(value).removeprefix(_REGION_PREFIX).lower()


def _plain(value: float) -> float:
    """A float32 of the contract as the decimal that was meant."""
    return round(value, 6)


def _iso(day: datetime.date | None) -> str:
    return day.isoformat() if day else ""


def _date(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
