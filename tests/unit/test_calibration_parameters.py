"""A calibration goes through names and numbers unchanged; what is none is refused."""

from __future__ import annotations

import math

import pytest

from chassis.errors import InvalidInput
from chassis.signal.calibration import Calibration
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


def test_a_message_stays_short_whatever_the_names_are() -> None:
    """Five are named, by their first letters, and the rest is counted."""
    parameters = to_parameters(_SHIPPED[0])
    unknown = {f"{number}{'x' * 10_000}": 1.0 for number in range(9)}
    with pytest.raises(InvalidInput, match=r"and 4 more unknown$") as caught:
        from_parameters(parameters | unknown)
    assert str(caught.value).count(",") == 4
    assert len(str(caught.value)) < 300


def test_more_parameters_than_a_calibration_can_have_are_refused() -> None:
    """Before anything is made of them; as many as it can have are not too many."""
    with pytest.raises(InvalidInput, match="404, at most 403"):
        from_parameters({f"ratios.{number}": 1.0 for number in range(404)})
    rising, falling = [one / 100 for one in range(100)], [1 - one / 100 for one in range(100)]
    most = Calibration(
        similarities=tuple(rising),
        ratios=tuple(rising),
        qualities=tuple(rising),
        failures=tuple(falling),
        most=1.0,
        genuine=1,
        impostors=1,
    )
    assert len(to_parameters(most)) == 403
    assert from_parameters(to_parameters(most)) == most
