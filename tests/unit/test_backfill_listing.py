"""Pages of images: tokens that come back as they were, observations grouped by image, outcomes in words."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DeadlineExceeded, InvalidInput, NotFound, Overloaded, Unavailable
from chassis.geometry import Box
from gateway.backfill.list_images import images_of
from gateway.backfill.paging import START, Position, decode, encode
from gateway.backfill.reembedding import Reembedding, could_not_ask, has_known, told
from gateway.observations import Signal
from gateway.signals import Pending, Rejection, SignalOutcome
from marquee.common.v1 import common_pb2

_DUPLICATE = common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
_LOW_QUALITY = common_pb2.REJECTION_REASON_LOW_QUALITY
_NO_REGION = common_pb2.BODY_REGION_UNSPECIFIED
_UNKNOWN = common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER


@given(st.sampled_from([Signal.FACE, Signal.TATTOO]), st.text(), st.text(), st.text())
def test_a_token_is_the_position_again(signal: Signal, token: str, performer_id: str, digest: str) -> None:
    """Whatever the signal's own token is."""
    position = Position(signal, token, (performer_id, digest))
    assert decode(encode(position)) == position


@pytest.mark.parametrize(
    "fields",
    [[], ["face"], ["face", "", ""], ["voice", "", "", ""], [1, 2, 3, 4], ["face", "\ud800", "", ""]],
)
def test_other_tokens_are_refused(fields: list[object]) -> None:
    """Too few fields, an unknown signal, other types, text that is none."""
    token = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
    with pytest.raises(InvalidInput, match="page_token"):
        decode(token)


def test_no_token_is_the_start() -> None:
    """With faces."""
    assert decode("") == START


def _pending(performer_id: str, digest: str) -> Pending:
    return Pending(performer_id, Box(0, 0, 1, 1), common_pb2.ImageSource(image_hash=digest), _NO_REGION)


def test_observations_of_one_image_are_counted_together() -> None:
    """The same bytes of two performers are two images; the image listed last is not listed again."""
    seen = [_pending(who, digest) for who, digest in ("ax", "ay", "ay", "by", "by", "by")]
    listed = images_of(Signal.TATTOO, seen, after=("a", "x"))
    assert [(one.identity, one.observations) for one in listed] == [(("a", "y"), 2), (("b", "y"), 3)]
    assert len(images_of(Signal.TATTOO, seen, after=("", ""))) == 3
    assert images_of(Signal.TATTOO, [], after=("", "")) == ()


def test_what_the_signal_knows_already_is_described_unless_it_waits() -> None:
    """Refusals are missed, with their words; so is what waits all the same."""
    outcome = SignalOutcome(1, (Rejection(1, _DUPLICATE, "there"), Rejection(2, _LOW_QUALITY, "too dark")))
    assert told(Signal.TATTOO, waiting=5, matches=3, outcome=outcome) == Reembedding(
        Signal.TATTOO, 2, 3, "2 of 5 not seen at its place any more; too dark"
    )
    assert has_known(outcome)
    assert told(Signal.TATTOO, waiting=3, matches=3, outcome=outcome, undescribed=1) == Reembedding(
        Signal.TATTOO, 1, 2, "too dark; 1 of 3 not described by the new models, which may not run"
    )
    assert not has_known(SignalOutcome(1))
    assert told(Signal.FACE, waiting=1, matches=1, outcome=SignalOutcome(1)) == Reembedding(Signal.FACE, 1)


def test_a_performer_whom_the_signal_does_not_know_is_forgotten() -> None:
    """Told by the observation as well as by the call."""
    with pytest.raises(NotFound):
        told(Signal.FACE, waiting=1, matches=1, outcome=SignalOutcome.refused(_UNKNOWN, "who?"))


@pytest.mark.parametrize(
    ("error", "is_temporary"),
    [
        (Unavailable("x"), True),
        (DeadlineExceeded("x"), True),
        (Overloaded("x"), True),
        (InvalidInput("x"), False),
    ],
)
def test_only_what_another_try_may_cure_is_temporary(error: InvalidInput, is_temporary: bool) -> None:
    """Away, late and overloaded; a refused request is refused again."""
    assert could_not_ask(Signal.FACE, error, "words", missed=2) == Reembedding(
        Signal.FACE, 0, 2, "words", is_temporary
    )
