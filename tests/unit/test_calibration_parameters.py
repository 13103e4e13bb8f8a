"""A calibration goes through names and numbers unchanged; what is none is refused."""

from __future__ import annotations

import math

import pytest

from chassis.errors import InvalidInput
from chassis.signal.calibration_parameters import from_parameters, pairs_of, to_parameters
from chassis.signal.shipped_calibration import read_shipped

_SHIPPED = [one.calibration for name in ("face", "tattoo") for one in read_shipped(f"services.{name}")]


@pytest.mark.parametrize("calibration", _SHIPPED)
def test_what_ships_goes_there_and_back(calibration: object) -> None:
    """Every field, whole numbers as whole numbers."""
    [shipped] = [one for one in _SHIPPED if one is calibration]
    assert from_parameters(to_parameters(shipped)) == shipped
    assert pairs_of(shipped) > (0, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None])
def test_a_value_that_is_no_finite_number_is_refused(value: float) -> None:
    """Whatever JSON or a caller may bring."""
    parameters = to_parameters(_SHIPPED[0])
    name = next(iter(parameters))
    with pytest.raises(InvalidInput, match=name):
        from_parameters(parameters | {name: value})


def test_missing_and_unknown_ones_are_named() -> None:
    """Nothing is guessed."""
    parameters = to_parameters(_SHIPPED[0])
    name = next(iter(parameters))
    with pytest.raises(InvalidInput, match="another unknown"):
        from_parameters(parameters | {"another": 1.0})
    with pytest.raises(InvalidInput, match=f"{name} missing"):
        from_parameters({key: value for key, value in parameters.items() if key != name})


def test_ratios_that_fall_with_the_similarity_are_refused() -> None:
    """The numbers may be finite and still be no calibration."""
    parameters = to_parameters(_SHIPPED[0])
    refused = []
    for name, value in parameters.items():
        try:
            from_parameters(parameters | {name: -value})
        except InvalidInput as exc:
            refused.append(str(exc))
    assert any("do not rise" in words for words in refused)
