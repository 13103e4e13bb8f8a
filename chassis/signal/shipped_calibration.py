"""Calibrations that come with Marquee, for libraries that were not calibrated themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from chassis.signal.calibration import Calibration

__all__ = ["CALIBRATIONS", "ModelKey", "ShippedCalibration", "read_shipped", "shipped_for", "write_shipped"]

ModelKey = tuple[str, str]
"""Name and version of an embedder."""
CALIBRATIONS = "calibrations.json"
"""Name of the file in a service's folder `weights`."""


@dataclass(frozen=True, slots=True)
class ShippedCalibration:
    """A calibration of the similarities that some embedders give together."""

    models: tuple[ModelKey, ...]
    """The primary one first: similarities are told in its measure."""
    calibration: Calibration
    provenance: str
    """On whom it was fitted."""


def shipped_for(package: str, models: Sequence[ModelKey]) -> Calibration | None:
    """The calibration that `package` ships of exactly these embedders, in this order; None: none."""
    for one in read_shipped(package):
        if one.models == tuple(models):
            return one.calibration
    return None


@cache
def read_shipped(package: str) -> tuple[ShippedCalibration, ...]:
    """What a service's package ships; nothing where it has no such file."""
    file = files(package) / "weights" / CALIBRATIONS
    if not file.is_file():
        return ()
    return tuple(
        ShippedCalibration(
            tuple((str(name), str(version)) for name, version in one["models"]),
            _calibration(one["calibration"]),
            str(one["provenance"]),
        )
        for one in json.loads(file.read_text(encoding="utf-8"))
    )


def write_shipped(file: Path, calibrations: Sequence[ShippedCalibration]) -> None:
    """Write the file that `read_shipped` reads."""
    listed = [
        {
            "models": list(one.models),
            "provenance": one.provenance,
            "calibration": {name: _rounded(value) for name, value in asdict(one.calibration).items()},
        }
        for one in calibrations
    ]
    file.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


def _calibration(told: Mapping[str, Any]) -> Calibration:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
    return Calibration(**values)


def _rounded(value: float | tuple[float, ...]) -> float | list[float]:
    """To six digits, which leaves the smallest share above 0."""
    return [float(f"{one:.6g}") for one in value] if isinstance(value, tuple) else round(value, 5)
