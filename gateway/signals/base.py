"""What all signals have in common: values, the calls that need no image, and errors in our own words."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import grpc

from chassis.errors import InvalidInput, Unavailable
from chassis.geometry import Point
from chassis.status import error_from
from gateway.known_tattoos import TattooFacts, TattooMatch
from gateway.observations import Candidate, OperatingPoint, Signal
from gateway.signals.counted import Counted
from marquee.common.v1 import common_pb2, counts_pb2

__all__ = [
    "Query",
    "Trust",
    "SignalScore",
    "Scores",
    "Similarities",
    "SignalOutcome",
    "Rejection",
    "SignalClient",
    "answered",
    "well_formed",
    "plain",
    "outline_of",
    "candidates_of",
    "operating_points_of",
    "to_queries",
    "range_of",
    "outcome_of",
    "trust_of",
]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Query:
    """The templates of one person, and the performers to compare them with."""

    key: str
    templates: tuple[common_pb2.Template, ...]
    performer_ids: tuple[str, ...]
    except_images: tuple[str, ...] = ()
    """Hashes of images what is enrolled from which is not compared; up to 1000."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a signal's ratios are believed: whether they were fitted on this library, and a weight 0..1."""

    is_of_this_library: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SignalScore:
    """How well one performer fits one person: similarity in the signal's measure, confidence 0..1.

    `llr`: natural log of the likelihood ratio, None until the signal is calibrated. `is_compatible`: None
    where the signal has no such notion. `agreeing_points`: as in `Candidate`. `full_views`: full frontal
    views enrolled of the performer's body. `facts`: what is known of the performer's tattoos, and `matches`,
    one for each template in the query's order: which of them it is most like; only from the tattoo signal.
    `trust`: in `llr`.
    """

    similarity: float
    confidence: float
    llr: float | None = None
    is_compatible: bool | None = None
    agreeing_points: int = 0
    trust: Trust = Trust()
    full_views: int = 0
    facts: TattooFacts = field(default_factory=TattooFacts)
    matches: tuple[TattooMatch, ...] = ()


Scores = Mapping[str, Mapping[str, SignalScore]]
"""Query key -> performer id -> score; a performer whom the signal has never seen is missing."""


Similarities = Mapping[str, Mapping[str, float]]
"""The same of similarities alone, in the signal's measure."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one observation was not enrolled."""

    index: int
    reason: common_pb2.RejectionReason.ValueType
    detail: str


@dataclass(frozen=True, slots=True)
class SignalOutcome:
    """What a signal made of the observations of one image: how many are committed, and why others are not."""

    accepted: int = 0
    rejected: tuple[Rejection, ...] = ()

    @classmethod
    def refused(cls, reason: common_pb2.RejectionReason.ValueType, detail: str) -> SignalOutcome:
        """Nothing was enrolled, for one reason."""
        return cls(0, (Rejection(0, reason, detail),))


class SignalClient(Protocol):
    """What the gateway can ask of any signal. All raise Unavailable, DeadlineExceeded or Overloaded."""

    @property
    def signal(self) -> Signal: ...

    async def score(self, queries: Sequence[Query], *, timeout: float) -> Scores: ...

    async def forget(self, performer_id: str, *, timeout: float) -> int:
        """Rows deleted by this call."""

    async def discard_image(self, performer_id: str, image_hash: str, *, timeout: float) -> int:
        """Observations deleted by this call. Raises NotFound too."""

    async def count(self, performer_ids: Sequence[str], *, timeout: float) -> Mapping[str, int]:
        """Enrolled observations of each performer who has any; up to 1000 ids."""

    async def count_range(self, after: str, through: str, *, timeout: float) -> Counted:
        """The same of performers after one id and up to another one; "": from the first one on."""

    async def status(self, *, timeout: float) -> common_pb2.ServiceStatus: ...


async def answered(call: Awaitable[_T]) -> _T:
    """The answer of a gRPC call, or the error that the service meant."""
    try:
        return await call
    except grpc.aio.AioRpcError as exc:
        raise error_from(exc) from exc


@contextmanager
def well_formed(signal: Signal) -> Iterator[None]:
    """A malformed answer is the service's fault, not that of the gateway's caller."""
    try:
        yield
    except InvalidInput as exc:
        raise Unavailable(f"{signal.label} gave a malformed answer") from exc


def range_of(after: str, through: str) -> counts_pb2.PerformerRange:
    return counts_pb2.PerformerRange(after=after, through=through)


def plain(value: float) -> float:
    """A float32 of the contract as the decimal that was meant: 0.8 and not 0.800000011920929."""
    return round(value, 6)


def outline_of(polygon: common_pb2.Polygon) -> tuple[Point, ...]:
    return tuple(Point(point.x, point.y) for point in polygon.points)


def candidates_of(candidates: Sequence[common_pb2.Candidate]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(one.performer_id, plain(one.similarity), plain(one.confidence), one.agreeing_points)
        for one in candidates
    )


def operating_points_of(points: Sequence[common_pb2.OperatingPoint]) -> tuple[OperatingPoint, ...]:
    return tuple(
        OperatingPoint(one.model, one.version, plain(one.identification_confidence)) for one in points
    )


def to_queries(queries: Sequence[Query]) -> list[common_pb2.ScoreQuery]:
    return [
        common_pb2.ScoreQuery(
            key=one.key,
            templates=one.templates,
            performer_ids=one.performer_ids,
            except_image_hashes=one.except_images,
        )
        for one in queries
    ]


def outcome_of(outcomes: Sequence[common_pb2.EnrollOutcome]) -> SignalOutcome:
    rejected = tuple(Rejection(one.index, one.reason, one.detail) for one in outcomes if not one.is_accepted)
    return SignalOutcome(len(outcomes) - len(rejected), rejected)


def trust_of(calibration: common_pb2.CalibrationInUse | None) -> Trust:
    """None, from a service that does not say: as what ships."""
    return (
        Trust() if calibration is None else Trust(calibration.is_of_this_library, plain(calibration.weight))
    )
