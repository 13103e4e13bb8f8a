"""What became of each signal in one identification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chassis.errors import DeadlineExceeded, MarqueeError
from gateway.fan_out import Branch, describe
from gateway.observations import Signal
from gateway.observing import Look
from gateway.signals import Scores
from marquee.gateway.v1.identification_pb2 import SignalReport

__all__ = ["Report", "report_of"]


@dataclass(frozen=True, slots=True)
class Report:
    """As in the contract; times in milliseconds."""

    signal: Signal
    state: SignalReport.State.ValueType
    observations: int = 0
    observe_ms: float = 0.0
    score_ms: float = 0.0
    detail: str = ""


def report_of(look: Look[Any], scoring: Branch[Scores] | None) -> Report:
    """From both rounds; `scoring` is None when there was nothing to score.

    A signal that looked but then did not score keeps what it saw and proposed, and is reported as missing.
    """
    branch = look.branch
    if branch is None:
        return Report(look.signal, SignalReport.STATE_NOT_REQUESTED, detail="not requested")
    score_ms = scoring.milliseconds if scoring else 0.0
    if branch.error is not None:
        state, detail = _state_of(branch.error), describe(branch.error)
    elif scoring is not None and scoring.error is not None:
        state, detail = _state_of(scoring.error), f"compared nothing: {describe(scoring.error)}"
    elif look.seen:
        state, detail = SignalReport.STATE_OK, ""
    else:
        state, detail = SignalReport.STATE_NOTHING_VISIBLE, "nothing is visible"
    return Report(look.signal, state, len(look.seen), branch.milliseconds, score_ms, detail)


def _state_of(error: MarqueeError) -> SignalReport.State.ValueType:
    if isinstance(error, DeadlineExceeded):
        return SignalReport.STATE_DEADLINE_EXCEEDED
    return SignalReport.STATE_UNAVAILABLE
