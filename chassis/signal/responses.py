"""What answers of signal services have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.gallery import Gallery
from chassis.models import ModelSpec
from chassis.protos import to_proto_embedding
from chassis.recall import Recall, is_low
from chassis.signal.enrolment import Outcome, Rejection
from chassis.signal.followed import Followed
from chassis.signal.generations import InUse
from chassis.signal.model_change import ModelChange
from chassis.signal.model_sets import ModelKey
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
    role: str, in_use: InUse[Any, Any], *, least_recall: float
) -> list[common_pb2.ModelStatus]:
    """The embedders that serve, then those being prepared; a recall below `least_recall` is low."""
    serving = [
        _embedder(role, row, common_pb2.MODEL_USE_SERVING, in_use.serving.followed, least_recall)
        for row in in_use.serving.rows
    ]
    preparing = in_use.preparing
    if preparing is None:
        return serving
    return serving + [
        _embedder(role, row, common_pb2.MODEL_USE_PREPARING, preparing.followed, least_recall)
        for row in in_use.new_rows
    ]


def _embedder(
    role: str,
    row: Any,
    use: common_pb2.ModelUse.ValueType,
    followed: Followed[Any, Any],
    least_recall: float,
) -> common_pb2.ModelStatus:
    gallery = followed.known.galleries[row.key]
    return common_pb2.ModelStatus(
        role=role,
        name=row.name,
        version=row.version,
        dimension=row.dimension,
        vectors=len(gallery),
        use=use,
        index=_index(followed, row.key, gallery, least_recall),
    )


def _index(
    followed: Followed[Any, Any], key: ModelKey, gallery: Gallery, least_recall: float
) -> common_pb2.IndexStatus:
    state, recall = followed.state, followed.recalls.get(key)
    manifest = followed.files.manifest(key) if followed.files is not None else None
    return common_pb2.IndexStatus(
        tombstones=gallery.index.tombstones,
        seconds_behind=max(0.0, time.monotonic() - state.caught_up_at),
        rebuilding=state.rebuilding,
        problem=followed.problem,
        snapshot_generation=manifest.generation if manifest is not None else 0,
        snapshot_at=manifest.created_at.isoformat() if manifest is not None else "",
        recall=_recall(recall, least_recall) if recall is not None else None,
    )


def _recall(recall: Recall, least: float) -> common_pb2.IndexRecall:
    return common_pb2.IndexRecall(
        at_10=recall.at_10,
        same_performer=recall.same_performer,
        sample=recall.sample,
        is_low=is_low(recall, least),
    )
