"""A measurement as a vector: what leaves the service as a template and lies in the database.

Twelve float32: six natural logs of ratios in the order of `KINDS`, then their six log errors. A ratio that
was not measured is 0 with the error -1, so that no value is ever NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chassis.errors import DamagedRow, InvalidInput
from chassis.postgres.vectors import vector_from_bytes
from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.table import RATIOS

__all__ = ["DIMENSION", "NOT_MEASURED", "encode", "decode", "stored_measurement"]

DIMENSION = 2 * len(KINDS)
NOT_MEASURED = -1.0
"""The error that says that there is no value."""

# A service that made the vector stays inside; anything else is no template of ours.
_LARGEST_LOG = 5.0
_ERRORS = (1e-3, 10.0)


def encode(measurement: Measurement) -> NDArray[np.float32]:
    """The vector of a measurement, float32 (12,)."""
    measured = measurement.is_measured
    errors = np.full(len(KINDS), NOT_MEASURED)
    errors[measured] = measurement.precisions[measured] ** -0.5
    return np.concatenate([np.where(measured, measurement.logs, 0.0), errors]).astype(np.float32)


def decode(vector: NDArray[np.float32]) -> Measurement:
    """The measurement of a finite vector (12,).

    Raises InvalidInput when it is not one that `encode` makes: nothing measured, or values out of range.
    """
    logs, errors = np.split(vector.astype(np.float64), 2)
    measured = errors != NOT_MEASURED
    is_sound = (
        measured.any()
        and not logs[~measured].any()
        and (np.abs(logs) <= _LARGEST_LOG).all()
        and ((errors[measured] >= _ERRORS[0]) & (errors[measured] <= _ERRORS[1])).all()
    )
    if not is_sound:
        raise InvalidInput(f"embedding of {RATIOS.name}: not a measurement of proportions")
    precisions = np.zeros(len(KINDS))
    precisions[measured] = errors[measured] ** -2
    return Measurement(np.where(measured, logs, 0.0), precisions)


def stored_measurement(data: bytes) -> Measurement:
    """The measurement of a row's bytes. Raises DamagedRow."""
    try:
        return decode(vector_from_bytes(data, dimension=DIMENSION))
    except InvalidInput as exc:
        raise DamagedRow("a stored measurement is damaged") from exc
