"""A calibration as names and numbers, as it is stored and sent, and back. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from chassis.errors import InvalidInput
from chassis.signal.calibration import Calibration

__all__ = ["from_parameters", "to_parameters"]

_LISTED = ("similarities", "ratios", "qualities", "failures")
_COUNTS = ("genuine", "impostors")
# Four lists of a hundred at most, and three numbers.
_MOST_PARAMETERS = 403
# Names in one message, and letters of one: they may be anything.
_MOST_NAMES, _LONGEST_NAME = 5, 40


def to_parameters(calibration: Calibration) -> dict[str, float]:
    """Every number of the calibration, by name; those of a list by place, such as `ratios.3`."""
    plain = {name: float(getattr(calibration, name)) for name in ("most", *_COUNTS)}
    lists = {name: getattr(calibration, name) for name in _LISTED}
    return plain | {f"{name}.{place}": value for name, of in lists.items() for place, value in enumerate(of)}


def from_parameters(parameters: Mapping[str, float]) -> Calibration:
    """The calibration of these parameters.

    Raises InvalidInput for more than 403 of them, for a parameter that is missing, unknown or not finite, for
    a count that is not whole, and for parameters that together are no calibration.
    """
    if len(parameters) > _MOST_PARAMETERS:
        raise InvalidInput(f"parameters: {len(parameters)}, at most {_MOST_PARAMETERS} are accepted")
    sizes = {name: sum(one.startswith(f"{name}.") for one in parameters) for name in _LISTED}
    places = {name: [f"{name}.{place}" for place in range(size)] for name, size in sizes.items()}
    wanted = {"most", *_COUNTS, *(one for of in places.values() for one in of)}
    for what, names in (("missing", wanted - parameters.keys()), ("unknown", parameters.keys() - wanted)):
        if names:
            raise InvalidInput(f"parameters: {_named(names)} {what}")
    for name, value in parameters.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidInput(f"parameters: {name} is not finite")
        if name in _COUNTS and value != int(value):
            raise InvalidInput(f"parameters: {name} is not a whole number")
    return Calibration(
        **{name: tuple(float(parameters[one]) for one in of) for name, of in places.items()},
        most=float(parameters["most"]),
        genuine=int(parameters["genuine"]),
        impostors=int(parameters["impostors"]),
    )


def _named(names: Collection[str]) -> str:
    shown = ", ".join(one[:_LONGEST_NAME] for one in sorted(names)[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
