"""GetCalibration and SetCalibration, the same in every signal that has calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import InvalidInput, Refused
from chassis.signal.calibration_store import Fitted
from chassis.signal.calibrations import Calibrations
from chassis.signal.model_sets import ModelKey
from chassis.signal.requests import parse_share
from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = [
    "Change",
    "change_calibration",
    "parse_change",
    "to_proto_calibration",
    "to_proto_models",
    "to_proto_state",
]

_LONGEST_PROVENANCE = 1000
_MOST_PAIRS = 2**62


@dataclass(frozen=True, slots=True)
class Change:
    """What the models that serve are to be calibrated by."""

    fitted: Fitted | None
    """None: what ships."""
    weight: float | None
    """0..1; None: not said."""


def to_proto_calibration(
    calibrations: Calibrations, models: Sequence[ModelKey]
) -> common_pb2.CalibrationInUse | None:
    """What these embedders are calibrated by; None: nothing."""
    used = calibrations.of(models)
    return used.to_proto() if used is not None else None


def to_proto_state(
    calibrations: Calibrations, serving: Sequence[ModelKey]
) -> calibration_pb2.CalibrationState:
    """What the embedders that serve are calibrated by, with parameters."""
    used, shipped = calibrations.of(serving), calibrations.shipped_for(serving)
    return calibration_pb2.CalibrationState(
        models=to_proto_models(serving),
        in_use=used.to_proto() if used is not None else None,
        used=used.to_proto_fitted() if used is not None else None,
        shipped=shipped.to_proto_fitted() if shipped is not None else None,
    )


def to_proto_models(serving: Sequence[ModelKey]) -> list[calibration_pb2.CalibratedModel]:
    return [calibration_pb2.CalibratedModel(model=name, version=version) for name, version in serving]


def parse_change(change: calibration_pb2.CalibrationChange, serving: Sequence[ModelKey]) -> Change:
    """A change for the models that serve.

    Raises InvalidInput naming the field, and Refused for other models.
    """
    models = tuple((one.model, one.version) for one in change.models)
    fitted = _fitted(change.fitted) if change.HasField("fitted") else None
    weight = parse_share("weight", change.weight) if change.HasField("weight") else None
    if models != tuple(serving):
        names = ", ".join(" ".join(key) for key in serving)
        raise Refused(f"models: not those that serve, which are {names}")
    return Change(fitted, weight)


async def change_calibration(
    calibrations: Calibrations, serving: Sequence[ModelKey], change: calibration_pb2.CalibrationChange
) -> common_pb2.CalibrationInUse | None:
    """Commit a change for the embedders that serve and return what is used then.

    Raises InvalidInput naming the field, Refused for other embedders, and as the database does.
    """
    parsed = parse_change(change, serving)
    await calibrations.put(serving, parsed.fitted, 1.0 if parsed.weight is None else parsed.weight)
    return to_proto_calibration(calibrations, serving)


def _fitted(message: calibration_pb2.FittedCalibration) -> Fitted:
    if not message.provenance or len(message.provenance) > _LONGEST_PROVENANCE:
        raise InvalidInput(f"provenance: 1 to {_LONGEST_PROVENANCE} characters are accepted")
    if max(message.genuine_pairs, message.impostor_pairs) > _MOST_PAIRS:
        raise InvalidInput("genuine_pairs, impostor_pairs: too many")
    return Fitted(dict(message.parameters), message.provenance, message.genuine_pairs, message.impostor_pairs)
