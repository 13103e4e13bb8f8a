"""Why an image was not enrolled, in the words of the signals."""

from gateway.enrolment.refusals import reason_for_image
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
