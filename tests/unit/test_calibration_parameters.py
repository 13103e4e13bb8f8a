"""A calibration goes through names and numbers unchanged; what is none is refused."""

from __future__ import annotations

import math

import pytest

from chassis.errors import InvalidInput
from chassis.signal.calibration_parameters import from_parameters, to_parameters
from chassis.signal.shipped_calibration import read_shipped

_SHIPPED = [one.calibration for name in ("face", "tattoo") for one in read_shipped(f"services.{name}")]


@pytest.mark.parametrize("calibration", _SHIPPED)
def test_what_ships_goes_there_and_back(calibration: object) -> None:
    """Every field, whole numbers as whole numbers."""
    [shipped] = [one for one in _SHIPPED if one is calibration]
    assert from_parameters(to_parameters(shipped)) == shipped


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


@pytest.mark.parametrize(
    "change", [{"ratios.1": -1e3}, {"failures.0": 2.0}, {"most": -1.0}, {"genuine": 0.5}], ids=str
)
def test_numbers_that_are_no_calibration_together_are_refused(change: dict[str, float]) -> None:
    """They may be finite and still fall, or be out of range."""
    with pytest.raises(InvalidInput):
        from_parameters(to_parameters(_SHIPPED[0]) | change)


@pytest.mark.parametrize("name", ["ratios.3", "failures.0", "most", "impostors"])
def test_one_that_is_missing_is_refused(name: str) -> None:
    """From the middle of a list, too."""
    parameters = to_parameters(_SHIPPED[0])
    del parameters[name]
    with pytest.raises(InvalidInput):
        from_parameters(parameters)
