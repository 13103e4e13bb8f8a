"""When a performer has enough, and when nobody can say."""

from __future__ import annotations

import pytest

from gateway.catalogue.target import Target
from gateway.observations import Signal
from gateway.signals import FaceCounts

_FACE, _BODY = Signal.FACE, Signal.BODY
_TARGET = Target(faces=5, good_faces=3, bodies=2)
_ENOUGH = FaceCounts(good=3, usable=1, weak=1, best_quality=0.9)


@pytest.mark.parametrize(
    ("counts", "faces", "is_missed"),
    [
        ({_FACE: 5, _BODY: 2}, _ENOUGH, False),
        ({_FACE: 5, _BODY: 1}, _ENOUGH, True),
        ({_FACE: 4, _BODY: 2}, FaceCounts(good=4), True),
        ({_FACE: 5, _BODY: 2}, FaceCounts(good=2, usable=3), True),
        ({_FACE: 5}, _ENOUGH, None),
        ({_FACE: 4}, FaceCounts(good=4), True),
        ({_BODY: 2}, FaceCounts(), None),
        ({_BODY: 1}, FaceCounts(), True),
        ({}, FaceCounts(), None),
    ],
)
def test_what_is_missed(counts: dict[Signal, int], faces: FaceCounts, is_missed: bool | None) -> None:
    """Any part that is short; unknown when a signal is away and nothing else is short."""
    assert _TARGET.is_missed(counts, faces) is is_missed


def test_what_is_not_asked_for_is_not_missed() -> None:
    """0 wants nothing of a signal, so it need not answer either."""
    assert Target(0, 0, 0).is_missed({}, FaceCounts()) is False
    assert Target(1, 0, 0).is_missed({_FACE: 1}, FaceCounts(weak=1)) is False
    assert Target(0, 1, 0).signals == {_FACE}
    assert Target(0, 0, 1).signals == {_BODY}


def test_faces_add_up() -> None:
    """The three kinds are all faces; of several performers there is no best one."""
    assert _ENOUGH.total == 5
    aside = FaceCounts(reserve=2, quarantined=1)
    assert FaceCounts.sum([_ENOUGH, _ENOUGH, aside]) == FaceCounts(
        good=6, usable=2, weak=2, reserve=2, quarantined=1
    )
