"""What answers of signal services have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.models import ModelSpec
from chassis.protos import to_proto_embedding
from chassis.signal.enrolment import Outcome, Rejection
from chassis.signal.generations import InUse
from chassis.signal.model_change import ModelChange
from chassis.signal.operating_point import OperatingPoint
from marquee.common.v1 import common_pb2

__all__ = [
    "Found",
    "to_proto_template",
    "to_proto_candidates",
    "to_proto_operating_point",
    "to_proto_outcomes",
    "to_proto_model",
    "to_proto_change",
    "to_proto_embedders",
]

_REASONS = {
    None: common_pb2.REJECTION_REASON_UNSPECIFIED,
    Rejection.DUPLICATE_IMAGE: common_pb2.REJECTION_REASON_DUPLICATE_IMAGE,
    Rejection.LOW_QUALITY: common_pb2.REJECTION_REASON_LOW_QUALITY,
    Rejection.NEAR_DUPLICATE: common_pb2.REJECTION_REASON_NEAR_DUPLICATE,
    Rejection.SURPLUS: common_pb2.REJECTION_REASON_SURPLUS,
    Rejection.OUTLIER: common_pb2.REJECTION_REASON_OUTLIER,
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
    generation: int = 0,
) -> common_pb2.Template:
    """`vectors` by model and version, float32; `quality` 0..1; `generation` of models, 0 when unknown."""
    embeddings = [to_proto_embedding(*key, vector) for key, vector in vectors.items()]
    return common_pb2.Template(signal=signal, embeddings=embeddings, quality=quality, generation=generation)


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


def to_proto_change(change: ModelChange[Any, Any]) -> common_pb2.ModelChange | None:
    """The change that is going on, or what one left behind; None when everything is described."""
    progress, is_changing = change.progress, change.in_use.preparing is not None
    if not is_changing and progress.is_complete and not change.problem:
        return None
    return common_pb2.ModelChange(
        observations=progress.observations,
        described=progress.described,
        switch_coverage=change.least_share,
        problem=change.problem,
    )


def to_proto_embedders(
    role: str, in_use: InUse[Any, Any], count: Callable[[Any, tuple[str, str]], int]
) -> list[common_pb2.ModelStatus]:
    """The embedders that serve, then those being prepared; `count` has the vectors of a key in a gallery."""
    serving = [
        _embedder(role, row, common_pb2.MODEL_USE_SERVING, count(in_use.serving.known, row.key))
        for row in in_use.serving.rows
    ]
    preparing = in_use.preparing
    if preparing is None:
        return serving
    return serving + [
        _embedder(role, row, common_pb2.MODEL_USE_PREPARING, count(preparing.known, row.key))
        for row in in_use.new_rows
    ]


def _embedder(
    role: str, row: Any, use: common_pb2.ModelUse.ValueType, vectors: int
) -> common_pb2.ModelStatus:
    return common_pb2.ModelStatus(
        role=role, name=row.name, version=row.version, dimension=row.dimension, vectors=vectors, use=use
    )
