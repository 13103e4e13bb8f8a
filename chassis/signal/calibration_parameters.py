"""A calibration as names and numbers, as it is stored and sent, and back. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from itertools import pairwise

from chassis.errors import InvalidInput
from chassis.signal.calibration import Calibration

__all__ = ["from_parameters", "pairs_of", "to_parameters"]

_SIMILARITIES = tuple(step / 10 for step in range(-10, 11))
_QUALITIES = (0.0, 0.5, 1.0)
# What rounding may do to two ratios that are the same.
_ROUNDING = 1e-9


def to_parameters(calibration: Calibration) -> dict[str, float]:
    """Every field of the calibration, by name."""
    return {name: float(value) for name, value in asdict(calibration).items()}


def from_parameters(parameters: Mapping[str, float]) -> Calibration:
    """The calibration of these parameters.

    Raises InvalidInput for a parameter that is missing, unknown or not finite, for a count that is not whole,
    and for parameters whose ratios are not finite or do not rise with the similarity.
    """
    kinds = {field.name: str(field.type) for field in fields(Calibration)}
    for what, names in (("missing", kinds.keys() - parameters), ("unknown", parameters.keys() - kinds)):
        if names:
            raise InvalidInput(f"parameters: {', '.join(sorted(names))} {what}")
    values = {name: _number(name, parameters[name], is_whole=kinds[name] == "int") for name in kinds}
    try:
        calibration = Calibration(**values)  # type: ignore[arg-type]  # whole ones are int, see above
        ratios = [[calibration.llr(one, quality) for one in _SIMILARITIES] for quality in _QUALITIES]
    except (ArithmeticError, ValueError, TypeError) as exc:
        raise InvalidInput("parameters: no calibration together") from exc
    if not all(map(_rises, ratios)):
        raise InvalidInput("parameters: their ratios do not rise with the similarity")
    return calibration


def pairs_of(calibration: Calibration) -> tuple[int, int]:
    """Genuine and impostor pairs that it was fitted on, as far as it says."""
    parameters = to_parameters(calibration)
    return int(parameters.get("genuine", 0)), int(parameters.get("impostors", 0))


def _number(name: str, value: float, *, is_whole: bool) -> float | int:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(f"parameters: {name} is not finite")
    if not is_whole:
        return float(value)
    if value != int(value):
        raise InvalidInput(f"parameters: {name} is not a whole number")
    return int(value)


def _rises(ratios: list[float]) -> bool:
    are_finite = all(map(math.isfinite, ratios))
    return are_finite and all(b >= a - _ROUNDING for a, b in pairwise(ratios))
