"""Measurements: combining them, and their vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from marquee.body.v1 import body_pb2
from services.body.kinds import KINDS, RatioKind
from services.body.measurement import Measurement, combine, stack
from services.body.template import DIMENSION, NOT_MEASURED, decode, encode

_RATIOS = st.dictionaries(
    st.sampled_from(KINDS), st.tuples(st.floats(0.3, 3.0), st.floats(0.01, 0.5)), min_size=1
)


def test_kinds_are_numbered_as_in_the_contract() -> None:
    """Every kind of the contract, under its number."""
    contract = {
        name.removeprefix("RATIO_KIND_"): number
        for name, number in body_pb2.RatioKind.items()
        if number != body_pb2.RATIO_KIND_UNSPECIFIED
    }
    assert {kind.name: kind.value for kind in RatioKind} == contract


@given(_RATIOS)
def test_what_goes_in_comes_out(ratios: dict[RatioKind, tuple[float, float]]) -> None:
    """Ratios and errors by kind, measured ones only."""
    found = Measurement.of(ratios).ratios()
    assert found.keys() == ratios.keys()
    for kind, pair in found.items():
        assert pair == pytest.approx(ratios[kind])


@given(_RATIOS)
def test_a_vector_keeps_a_measurement(ratios: dict[RatioKind, tuple[float, float]]) -> None:
    """Twelve finite float32, and the same measurement back, to their precision."""
    vector = encode(Measurement.of(ratios))
    assert vector.shape == (DIMENSION,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    found = decode(vector).ratios()
    assert found.keys() == ratios.keys()
    for kind, pair in found.items():
        assert pair == pytest.approx(ratios[kind], rel=1e-5)


def test_the_layout_of_a_vector() -> None:
    """Six logs, then six errors; 0 and -1 where nothing was measured. Stored vectors depend on it."""
    vector = encode(Measurement.of({RatioKind.LEG_TORSO: (np.e, 0.25), RatioKind.ARM_TORSO: (1.0, 0.5)}))
    expected = [0, 1, 0, 0, 0, 0, NOT_MEASURED, 0.25, NOT_MEASURED, 0.5, NOT_MEASURED, NOT_MEASURED]
    assert vector == pytest.approx(np.array(expected, np.float32))


@pytest.mark.parametrize(
    "vector",
    [
        [0] * 6 + [-1] * 6,
        [0] * 12,
        [9] + [0] * 5 + [0.1] + [-1] * 5,
        [0.5] + [0] * 5 + [-1] * 5 + [0.1],
        [0.5] + [0] * 5 + [50] + [-1] * 5,
        [0.5] + [0] * 5 + [-0.1] + [-1] * 5,
    ],
    ids=["nothing", "zeros", "log too large", "value without error", "error too large", "negative error"],
)
def test_other_vectors_are_refused(vector: list[float]) -> None:
    """A vector of the right size that no view of ours gave is the caller's fault."""
    with pytest.raises(InvalidInput, match="body_ratios"):
        decode(np.array(vector, np.float32))


@given(st.lists(_RATIOS, min_size=2, max_size=5))
def test_combining_is_the_same_in_any_order(views: list[dict[RatioKind, tuple[float, float]]]) -> None:
    """All at once, one after the other, or backwards."""
    measurements = [Measurement.of(view) for view in views]
    at_once = combine(measurements)
    one_by_one = measurements[-1]
    for measurement in reversed(measurements[:-1]):
        one_by_one = combine([measurement, one_by_one])
    assert one_by_one.logs == pytest.approx(at_once.logs)
    assert one_by_one.precisions == pytest.approx(at_once.precisions)


def test_the_surer_view_counts_more() -> None:
    """Inverse variance: an error half as large weighs four times as much."""
    sure = Measurement.of({RatioKind.LEG_TORSO: (np.exp(0.5), 0.05)})
    unsure = Measurement.of({RatioKind.LEG_TORSO: (np.exp(1.0), 0.10)})
    [(kind, (value, error))] = combine([sure, unsure]).ratios().items()
    assert kind is RatioKind.LEG_TORSO
    assert np.log(value) == pytest.approx(0.6)
    assert error == pytest.approx((1 / 0.05**2 + 1 / 0.1**2) ** -0.5)


def test_a_ratio_that_one_view_lacks_comes_from_the_other() -> None:
    """Views complete each other."""
    first = Measurement.of({RatioKind.LEG_TORSO: (1.6, 0.05)})
    second = Measurement.of({RatioKind.ARM_TORSO: (1.0, 0.05)})
    assert set(combine([first, second]).ratios()) == {RatioKind.LEG_TORSO, RatioKind.ARM_TORSO}


def test_rows_of_nobody() -> None:
    """Stacking no measurements gives no rows, not an error."""
    assert stack([]).logs.shape == (0, 6)
