"""What requests to every signal have in common is checked, and answered in the contract's words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chassis.errors import InvalidInput
from chassis.gallery import Match
from chassis.protos import to_proto_embedding
from chassis.signal.enrolment import Outcome, Rejection
from chassis.signal.operating_point import OperatingPoint
from chassis.signal.requests import (
    check_count,
    check_max_candidates,
    check_queries,
    embeddings_of,
    parse_performer_ids,
    parse_share,
    unit_vector_of,
)
from chassis.signal.responses import to_proto_candidates, to_proto_operating_point, to_proto_outcomes
from marquee.common.v1 import common_pb2

_POINT = OperatingPoint(
    impostor_p99=0.3, genuine_median=0.7, identification_confidence=0.4, provenance="made up"
)
_ID = "00000000-0000-4000-8000-000000000001"


def _template(*models: str) -> common_pb2.Template:
    embeddings = [to_proto_embedding(model, "1", np.ones(2, np.float32)) for model in models]
    return common_pb2.Template(signal=common_pb2.SIGNAL_FACE, embeddings=embeddings)


def test_counts_include_both_ends() -> None:
    """One to three: neither none nor four, and the field is named."""
    for count in (1, 3):
        check_count("things", count, least=1, most=3)
    for count in (0, 4):
        with pytest.raises(InvalidInput, match="things"):
            check_count("things", count, least=1, most=3)


def test_candidates_are_bounded() -> None:
    """A thousand at most."""
    assert [check_max_candidates(one) for one in (0, 1000)] == [0, 1000]
    with pytest.raises(InvalidInput, match="max_candidates"):
        check_max_candidates(1001)


def test_queries_need_own_keys_and_templates() -> None:
    """The same key twice, or nothing to compare, is refused."""
    one = common_pb2.ScoreQuery(key="a", templates=[_template("m")])
    other = common_pb2.ScoreQuery(key="b", templates=[_template("m")])
    check_queries([one, other])
    with pytest.raises(InvalidInput, match="keys"):
        check_queries([one, one])
    with pytest.raises(InvalidInput, match="templates"):
        check_queries([common_pb2.ScoreQuery(key="a")])


def test_performer_ids_are_uuids_in_their_usual_form() -> None:
    """Upper case is accepted, anything else is not, nor are more than a thousand."""
    assert parse_performer_ids([_ID.upper()]) == [_ID]
    with pytest.raises(InvalidInput, match="performer_id"):
        parse_performer_ids(["me"])
    with pytest.raises(InvalidInput, match="performer_ids"):
        parse_performer_ids([_ID] * 1001)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_a_share_is_between_0_and_1(value: float) -> None:
    """Both ends included, NaN not."""
    assert [parse_share("quality", one) for one in (0.0, 1.0)] == [0.0, 1.0]
    with pytest.raises(InvalidInput, match="quality"):
        parse_share("quality", value)


def test_embeddings_are_known_by_model_and_version() -> None:
    """Of the right signal only, and at least one."""
    assert set(embeddings_of(_template("m", "n"), common_pb2.SIGNAL_FACE)) == {("m", "1"), ("n", "1")}
    with pytest.raises(InvalidInput, match="tattoo signal"):
        embeddings_of(_template("m"), common_pb2.SIGNAL_TATTOO)
    with pytest.raises(InvalidInput, match="no embeddings"):
        embeddings_of(_template(), common_pb2.SIGNAL_FACE)


def test_only_the_direction_of_a_vector_counts() -> None:
    """Scaled to length 1; zero has no direction; another length or NaN is refused."""
    long = to_proto_embedding("m", "1", np.array([3e3, 4e3], np.float32))
    assert unit_vector_of(long, 2) == pytest.approx([0.6, 0.8])
    for bad in ([0, 0], [1, 2, 3], [1, np.nan]):
        with pytest.raises(InvalidInput, match="embedding of m"):
            unit_vector_of(to_proto_embedding("m", "1", np.array(bad, np.float32)), 2)


def test_confidence_lies_between_the_two_anchors() -> None:
    """0 up to the impostors' 99th percentile, 1 from the genuine median on; positions go on and back."""
    assert [_POINT.confidence(one) for one in (-1, 0.3, 0.5, 0.7, 1)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert _POINT.position(0.9) == pytest.approx(1.5)
    assert _POINT.similarity(1.5) == pytest.approx(0.9)
    assert _POINT.position(np.array([0.1, 0.7])) == pytest.approx([-0.5, 1])


def test_answers_say_the_same_in_the_contracts_words() -> None:
    """Candidates with their confidence, outcomes in order, the operating point of a model."""
    [candidate] = to_proto_candidates([Match(_ID, 0.5)], _POINT.confidence)
    assert (candidate.performer_id, candidate.similarity) == (_ID, 0.5)
    assert candidate.confidence == pytest.approx(0.5)
    accepted, low, duplicate = to_proto_outcomes(
        [Outcome(), Outcome(Rejection.LOW_QUALITY, "bad"), Outcome(Rejection.DUPLICATE_IMAGE)]
    )
    assert [accepted.index, low.index, duplicate.index] == [0, 1, 2]
    assert (accepted.is_accepted, accepted.reason) == (True, common_pb2.REJECTION_REASON_UNSPECIFIED)
    assert (low.is_accepted, low.reason) == (False, common_pb2.REJECTION_REASON_LOW_QUALITY)
    assert (low.detail, duplicate.reason) == ("bad", common_pb2.REJECTION_REASON_DUPLICATE_IMAGE)
    point = to_proto_operating_point(("m", "1"), _POINT)
    assert (point.model, point.version) == ("m", "1")
    assert point.identification_confidence == pytest.approx(0.4)


def test_queries_are_bounded() -> None:
    """256 people are scored in one call, not 257."""
    queries = [common_pb2.ScoreQuery(key=str(number), templates=[_template("a")]) for number in range(257)]
    check_queries(queries[:256])
    with pytest.raises(InvalidInput, match="queries"):
        check_queries(queries)
