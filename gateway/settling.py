"""Which policy answers where the caller leaves it to the server. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.fan_out import Branch
from gateway.observations import Signal
from gateway.signals import Scores
from marquee.gateway.v1.identification_pb2 import (
    FUSION_POLICY_BAYESIAN,
    FUSION_POLICY_WEIGHTED,
    FusionPolicy,
)

__all__ = ["settled_policy"]

_LEADING = (Signal.FACE, Signal.TATTOO)


def settled_policy(
    wanted: FusionPolicy.ValueType, scoring: Mapping[Signal, Branch[Scores]]
) -> FusionPolicy.ValueType:
    """What the caller wants; else BAYESIAN, or WEIGHTED where a face or tattoo was compared without a ratio.

    That is so with an embedder of the owner's for which no calibration ships, until `marquee calibrate`:
    BAYESIAN would know nothing of it.
    """
    if wanted:
        return wanted
    compared = [
        score
        for signal in _LEADING
        if signal in scoring and (scores := scoring[signal].value) is not None
        for of_person in scores.values()
        for score in of_person.values()
    ]
    is_calibrated = all(score.llr is not None for score in compared)
    return FUSION_POLICY_BAYESIAN if is_calibrated else FUSION_POLICY_WEIGHTED
