"""What answers of signal services have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.models import ModelSpec
from chassis.protos import to_proto_embedding
from chassis.signal.enrolment import Outcome, Rejection
from chassis.signal.operating_point import OperatingPoint
from marquee.common.v1 import common_pb2

__all__ = [
    "Found",
    "to_proto_template",
    "to_proto_candidates",
    "to_proto_operating_point",
    "to_proto_outcomes",
    "to_proto_model",
]

_REASONS = {
    None: common_pb2.REJECTION_REASON_UNSPECIFIED,
    Rejection.DUPLICATE_IMAGE: common_pb2.REJECTION_REASON_DUPLICATE_IMAGE,
    Rejection.LOW_QUALITY: common_pb2.REJECTION_REASON_LOW_QUALITY,
}


class Found(Protocol):
    """A performer whom an index found, such as `chassis.gallery.Match`."""

    @property
    def performer_id(self) -> str: ...

    @property
    def similarity(self) -> float: ...


def to_proto_template(
    signal: common_pb2.Signal.ValueType,
    vectors: Mapping[tuple[str, str], NDArray[np.float32]],
    quality: float,
) -> common_pb2.Template:
    """`vectors` by model and version, float32 of one dimension; `quality` 0..1."""
    embeddings = [to_proto_embedding(*key, vector) for key, vector in vectors.items()]
    return common_pb2.Template(signal=signal, embeddings=embeddings, quality=quality)


def to_proto_candidates(
    found: Iterable[Found], confidence_of: Callable[[float], float]
) -> list[common_pb2.Candidate]:
    """In the order given; `confidence_of` turns a similarity into 0..1."""
    return [
        common_pb2.Candidate(
            performer_id=one.performer_id,
            similarity=one.similarity,
            confidence=confidence_of(one.similarity),
        )
        for one in found
    ]


def to_proto_operating_point(key: tuple[str, str], point: OperatingPoint) -> common_pb2.OperatingPoint:
    """`key`: model and version."""
    return common_pb2.OperatingPoint(
        model=key[0],
        version=key[1],
        impostor_p99=point.impostor_p99,
        genuine_median=point.genuine_median,
        identification_confidence=point.identification_confidence,
    )


def to_proto_outcomes(outcomes: Iterable[Outcome]) -> list[common_pb2.EnrollOutcome]:
    """In the order of the request."""
    return [
        common_pb2.EnrollOutcome(
            index=index,
            is_accepted=outcome.rejection is None,
            reason=_REASONS[outcome.rejection],
            detail=outcome.detail,
        )
        for index, outcome in enumerate(outcomes)
    ]


def to_proto_model(spec: ModelSpec) -> common_pb2.ModelStatus:
    """A built-in model that makes no vectors, such as a detector."""
    return common_pb2.ModelStatus(role=spec.role, name=spec.name, version=spec.version)
