"""Which policy answers where the caller leaves it to the server."""

from __future__ import annotations

import pytest

from gateway.fan_out import Branch
from gateway.observations import Signal
from gateway.settling import settled_policy
from gateway.signals import Scores, SignalScore
from marquee.gateway.v1 import identification_pb2 as pb

_RATED, _PLAIN = SignalScore(0.5, 0.5, llr=2.0), SignalScore(0.5, 0.5)


def scoring(**scores: SignalScore | None) -> dict[Signal, Branch[Scores]]:
    """By the signal's label; None: it did not answer."""
    return {
        signal: Branch(signal, {"0": {"a": _RATED, "b": score}} if score else None, None, 1.0)
        for signal in Signal
        if signal.label in scores
        for score in [scores[signal.label]]
    }


@pytest.mark.parametrize("wanted", [pb.FUSION_POLICY_WEIGHTED, pb.FUSION_POLICY_BAYESIAN])
def test_what_the_caller_wants_is_done(wanted: pb.FusionPolicy.ValueType) -> None:
    """Calibrated or not."""
    assert settled_policy(wanted, scoring(face=_PLAIN)) == wanted
    assert settled_policy(wanted, scoring(face=_RATED)) == wanted


def test_the_default_is_bayesian_where_everything_has_a_ratio() -> None:
    """Also where nothing was compared, or a signal did not answer."""
    for found in (scoring(), scoring(face=_RATED, tattoo=_RATED), scoring(face=_RATED, tattoo=None)):
        assert settled_policy(pb.FUSION_POLICY_UNSPECIFIED, found) == pb.FUSION_POLICY_BAYESIAN


def test_the_default_is_weighted_where_a_face_or_a_tattoo_has_none() -> None:
    """A body has one always, or counts nothing."""
    for found in (scoring(face=_PLAIN), scoring(face=_RATED, tattoo=_PLAIN)):
        assert settled_policy(pb.FUSION_POLICY_UNSPECIFIED, found) == pb.FUSION_POLICY_WEIGHTED
    bodies = scoring(face=_RATED, body=_PLAIN)
    assert settled_policy(pb.FUSION_POLICY_UNSPECIFIED, bodies) == pb.FUSION_POLICY_BAYESIAN
