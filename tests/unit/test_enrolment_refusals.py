"""Why an image was not enrolled, in the words of the signals."""

import pytest

from gateway.backfill.reembedding import has_known, told
from gateway.enrolment.refusals import is_learned, is_outlier, reason_for_image
from gateway.observations import Signal
from gateway.signals import SignalOutcome
from marquee.common.v1 import common_pb2

_LOW = common_pb2.REJECTION_REASON_LOW_QUALITY
_NOTHING = common_pb2.REJECTION_REASON_NOTHING_VISIBLE


def test_a_low_quality_names_its_signal() -> None:
    """Each signal has its own measure of quality, so the number alone would say nothing."""
    outcomes = {
        Signal.FACE: SignalOutcome.refused(_NOTHING, "no face is visible"),
        Signal.BODY: SignalOutcome.refused(_LOW, "quality 0.35 is under 0.50"),
    }
    assert reason_for_image(outcomes) == (_LOW, "body: quality 0.35 is under 0.50")


def test_without_any_reason_nothing_was_visible() -> None:
    """Signals that were not offered anything have nothing to say."""
    assert reason_for_image({Signal.FACE: SignalOutcome()}) == (_NOTHING, "nothing is visible")


@pytest.mark.parametrize("name", ["DUPLICATE_IMAGE", "NEAR_DUPLICATE", "SURPLUS"])
def test_what_a_signal_has_enough_of_is_learned(name: str) -> None:
    """It is there, or there is better: the owner has nothing to do."""
    outcome = SignalOutcome.refused(common_pb2.RejectionReason.Value(f"REJECTION_REASON_{name}"), "enough")
    assert is_learned(outcome)
    assert not is_outlier(outcome)


def test_somebody_elses_face_is_not_learned_and_weighs_most() -> None:
    """Of the reasons for an image it is the one to know."""
    outlier = SignalOutcome.refused(common_pb2.REJECTION_REASON_OUTLIER, "seems to be somebody else")
    assert not is_learned(outlier)
    assert is_outlier(outlier)
    reason, detail = reason_for_image({Signal.BODY: SignalOutcome.refused(_LOW, "low"), Signal.FACE: outlier})
    assert (reason, detail) == (common_pb2.REJECTION_REASON_OUTLIER, "seems to be somebody else")


@pytest.mark.parametrize("name", ["DUPLICATE_IMAGE", "NEAR_DUPLICATE", "SURPLUS", "OUTLIER"])
def test_a_face_that_is_not_searched_can_be_described_again(name: str) -> None:
    """It is stored with its new vectors, whatever its state: nothing is missed."""
    outcome = SignalOutcome.refused(
        common_pb2.RejectionReason.Value(f"REJECTION_REASON_{name}"), "not searched"
    )
    assert has_known(outcome)
    result = told(Signal.FACE, waiting=1, matches=1, outcome=outcome)
    assert (result.described, result.missed, result.detail) == (1, 0, "")
