"""Several embedders as one."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.signal.operating_point import OperatingPoint
from services.face.ensemble import Ensemble
from services.face.table import (
    BUILT_IN_ROWS,
    DEFAULT_EMBEDDERS,
    ENSEMBLE_IDENTIFICATION_CONFIDENCE,
    EmbedderRow,
)

_ONE, _OTHER = (BUILT_IN_ROWS[name] for name in DEFAULT_EMBEDDERS)
_COSINES = st.floats(-1, 1)


def test_one_embedder_is_itself() -> None:
    """Alone, an embedder's similarity is its cosine and its confidence its own."""
    ensemble = Ensemble((_ONE,))
    position = ensemble.position({_ONE.key: 0.6})
    assert position is not None
    likeness = ensemble.likeness(position)
    assert likeness.similarity == pytest.approx(0.6)
    assert likeness.confidence == pytest.approx(_ONE.operating_point.confidence(0.6))
    assert ensemble.identification_confidence == _ONE.operating_point.identification_confidence


@given(one=_COSINES, other=_COSINES)
def test_two_embedders_are_averaged_by_their_weight(one: float, other: float) -> None:
    """Each similarity is put on its own scale first; the mean lies between the two."""
    ensemble = Ensemble((_ONE, _OTHER))
    position = ensemble.position({_ONE.key: one, _OTHER.key: other})
    places = _ONE.operating_point.position(one), _OTHER.operating_point.position(other)
    total = _ONE.weight + _OTHER.weight
    assert position == pytest.approx((_ONE.weight * places[0] + _OTHER.weight * places[1]) / total)


@given(one=_COSINES, better=_COSINES, other=_COSINES)
def test_likeness_grows_with_every_similarity(one: float, better: float, other: float) -> None:
    """A more similar face never gets less similarity or confidence, and both stay in their range."""
    ensemble = Ensemble((_ONE, _OTHER))
    low, high = sorted((one, better))
    before, after = (
        ensemble.likeness(ensemble.position({_ONE.key: value, _OTHER.key: other}) or 0.0)
        for value in (low, high)
    )
    assert -1 <= before.similarity <= after.similarity <= 1
    assert 0 <= before.confidence <= after.confidence <= 1


def test_the_similarity_says_the_same_as_the_confidence() -> None:
    """The primary embedder's operating point turns the ensemble's similarity into its confidence."""
    ensemble = Ensemble((_ONE, _OTHER))
    likeness = ensemble.likeness(0.63)
    assert _ONE.operating_point.confidence(likeness.similarity) == pytest.approx(0.63)


def test_missing_embedders_are_left_out() -> None:
    """Faces that share only one embedder are compared by that one; those that share none are not."""
    ensemble = Ensemble((_ONE, _OTHER))
    assert ensemble.position({_OTHER.key: 0.95}) == _OTHER.operating_point.position(0.95)
    assert ensemble.position({("other", "1"): 0.95}) is None


def test_what_was_measured_together_counts() -> None:
    """The default pair has a threshold of its own; a set nobody measured takes the weighted mean."""
    pair = Ensemble((_ONE, _OTHER)).identification_confidence
    assert pair == ENSEMBLE_IDENTIFICATION_CONFIDENCE[frozenset(DEFAULT_EMBEDDERS)]
    point = OperatingPoint(
        impostor_p99=0.1, genuine_median=0.5, identification_confidence=0.9, provenance="made up"
    )
    own = dataclasses.replace(_ONE, name="own", weight=1.0, operating_point=point)
    theirs = dataclasses.replace(own, name="theirs", weight=3.0)
    assert Ensemble((own, theirs)).identification_confidence == pytest.approx(0.9)


@pytest.mark.parametrize("row", BUILT_IN_ROWS.values(), ids=BUILT_IN_ROWS.keys())
def test_rows_are_complete(row: EmbedderRow) -> None:
    """Every row states numbers that make sense, and where they come from."""
    point = row.operating_point
    assert -1 < point.impostor_p99 < point.genuine_median < 1
    assert 0 < point.identification_confidence < 1
    assert point.provenance
