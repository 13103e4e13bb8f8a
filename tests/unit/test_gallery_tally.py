"""Adding up what the signals have of everybody."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from gateway.catalogue.gallery_tally import GalleryTally, Tally
from gateway.catalogue.target import Target
from gateway.observations import Signal
from gateway.signals import Counted, FaceCounts
from gateway.signals.counted import counted_of
from marquee.common.v1 import counts_pb2

_FACE, _TATTOO, _BODY = Signal.FACE, Signal.TATTOO, Signal.BODY
_NOTHING = Counted(b"", np.zeros(0, np.int64))
_NO_FACES: dict[str, list[int]] = {
    kind: [] for kind in ("good", "weak", "reserve", "quarantined", "unsearchable")
}
_IDS = st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=30).map(sorted)


def _counted(counts: dict[bytes, int]) -> Counted:
    ids = sorted(counts)
    return Counted(b"".join(ids), np.array([counts[one] for one in ids], np.int64))


def _faces(counts: dict[bytes, tuple[int, int, int]]) -> Counted:
    """Searched faces, good ones of them, quarantined ones besides."""
    ids = sorted(counts)
    none = [0] * len(ids)
    message = counts_pb2.ObservationCounts(
        performer_ids=b"".join(ids), observations=[counts[one][0] for one in ids]
    )
    good, quarantined = [counts[one][1] for one in ids], [counts[one][2] for one in ids]
    kinds = {"good": good, "weak": none, "reserve": none, "quarantined": quarantined, "unsearchable": none}
    return counted_of(message, kinds)


def _ids(count: int) -> list[bytes]:
    return sorted(uuid.uuid4().bytes for _ in range(count))


def test_counts_of_several_portions_are_added_up() -> None:
    """Who has nothing, who has less than is wanted, and faces by quality; nobody who was not asked for."""
    one, two, three, four = _ids(4)
    tally = GalleryTally()
    faces = _faces({one: (5, 3, 0), two: (5, 1, 1)})
    tally.add(one + two, {_FACE: faces, _TATTOO: _counted({two: 4, three: 9}), _BODY: _counted({one: 2})})
    tally.add(
        three + four,
        {_FACE: _faces({four: (0, 0, 2)}), _TATTOO: _NOTHING, _BODY: _NOTHING},
    )
    assert tally.performers == 4
    assert tally.signals == {_FACE: Tally(10, 2), _TATTOO: Tally(4, 1), _BODY: Tally(2, 1)}
    assert tally.faces == FaceCounts(good=4, usable=6, quarantined=3)
    assert tally.without_observations == 2
    assert [tally.below(Target(*least)) for least in ((5, 0, 0), (0, 2, 0), (0, 0, 1), (0, 0, 0))] == [
        2,
        3,
        3,
        0,
    ]
    assert tally.unavailable == frozenset()


def test_a_signal_that_fails_on_the_way_counts_for_nobody() -> None:
    """Half of its numbers would be wrong ones; the target that speaks of it is not known to be reached."""
    one, two = _ids(2)
    tally = GalleryTally()
    tally.add(one, {_FACE: _faces({one: (1, 1, 0)}), _TATTOO: _NOTHING, _BODY: _counted({one: 1})})
    tally.add(two, {_TATTOO: _NOTHING, _BODY: _counted({two: 1})})
    assert (tally.unavailable, tally.faces) == (frozenset({_FACE}), None)
    assert tally.signals.keys() == {_TATTOO, _BODY}
    assert (tally.below(Target(1, 0, 0)), tally.below(Target(0, 0, 2))) == (None, 2)
    assert tally.without_observations == 0


@given(everybody=_IDS, others=_IDS)
def test_ids_of_any_bytes_find_their_performer(everybody: list[bytes], others: list[bytes]) -> None:
    """Also such as begin or end with zeros, or have the highest bit set."""
    tally = GalleryTally()
    counts = {one: number for number, one in enumerate((*everybody, *others), start=1)}
    faces = counted_of(counts_pb2.ObservationCounts(), _NO_FACES)
    tally.add(b"".join(everybody), {_FACE: faces, _TATTOO: _counted(counts), _BODY: _NOTHING})
    expected = Tally(sum(counts[one] for one in everybody), len(everybody))
    assert tally.signals[_TATTOO] == expected


def test_columns_of_different_lengths_are_refused() -> None:
    """A service that says such a thing is broken: nothing of it may be counted."""
    one, two = _ids(2)
    for ids, observations in ((one + two, [1]), (one[:15], [1]), (one, [1, 2])):
        with pytest.raises(InvalidInput):
            counted_of(counts_pb2.ObservationCounts(performer_ids=ids, observations=observations))
