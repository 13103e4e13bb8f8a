"""What a ranking is made of and what comes out, whatever the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.observations import Signal
from gateway.people import PersonView
from gateway.signals import SignalScore
from marquee.gateway.v1.identification_pb2 import ContributionKind, PersonStatus

__all__ = ["Contribution", "Evidence", "PersonScores", "Ranked", "RankedPerson"]

PersonScores = Mapping[Signal, Mapping[str, SignalScore]]
"""Signal -> performer id -> score, for one person; a signal whose Score did not answer is missing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one signal says for or against one candidate; units as in the contract."""

    signal: Signal
    similarity: float
    confidence: float
    weight: float
    is_proposed: bool
    llr: float | None
    is_compatible: bool | None
    summary: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """One term of a candidate's log odds; natural log, above 0 speaks for the candidate."""

    kind: ContributionKind.ValueType
    log_ratio: float
    summary: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with score 0..1.2 and evidence; `probability` 0..1, None under WEIGHTED.

    contributions: by kind; they sum to log(probability / unknown). None under WEIGHTED.
    """

    performer_id: str
    score: float
    evidence: tuple[Evidence, ...]
    probability: float | None = None
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class RankedPerson:
    """The answer for one person; candidates best first.

    unknown: probability that it is nobody of the gallery; margin: how much more probable the first candidate
        is than the next one, or than unknown, negative where unknown is more probable. None under WEIGHTED.
    is_uncalibrated: whether probabilities rest on calibrations from other libraries.
    has_uncounted: whether face or tattoos were compared and count nothing.
    """

    view: PersonView
    status: PersonStatus.ValueType
    threshold: float
    candidates: tuple[Ranked, ...]
    unknown: float | None = None
    margin: float | None = None
    is_uncalibrated: bool = False
    has_uncounted: bool = False
