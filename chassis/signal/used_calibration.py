"""What a signal's ratios rest on at one moment: a calibration, where it is from, and what it weighs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from chassis.signal.calibration import Calibration
from chassis.signal.calibration_parameters import to_parameters
from chassis.signal.shipped_calibration import ShippedCalibration
from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = ["UsedCalibration"]


@dataclass(frozen=True, slots=True)
class UsedCalibration:
    """A calibration with what is to be told of it."""

    calibration: Calibration
    provenance: str
    """Which pairs, of which pictures."""
    genuine_pairs: int
    impostor_pairs: int
    weight: float = 1.0
    """What ratios are multiplied by when evidence is fused, 0..1."""
    created_at: datetime.datetime | None = None
    """When it was fitted on this library; None: it came with Marquee."""

    @classmethod
    def shipped(cls, shipped: ShippedCalibration, weight: float = 1.0) -> UsedCalibration:
        """One that came with Marquee."""
        pairs = shipped.calibration.genuine, shipped.calibration.impostors
        return cls(shipped.calibration, shipped.provenance, *pairs, weight)

    @property
    def is_of_this_library(self) -> bool:
        return self.created_at is not None

    def to_proto(self) -> common_pb2.CalibrationInUse:
        return common_pb2.CalibrationInUse(
            is_of_this_library=self.is_of_this_library,
            provenance=self.provenance,
            genuine_pairs=self.genuine_pairs,
            impostor_pairs=self.impostor_pairs,
            created_at=self.created_at.isoformat() if self.created_at is not None else "",
            weight=self.weight,
        )

    def to_proto_fitted(self) -> calibration_pb2.FittedCalibration:
        """With the parameters."""
        return calibration_pb2.FittedCalibration(
            parameters=to_parameters(self.calibration),
            provenance=self.provenance,
            genuine_pairs=self.genuine_pairs,
            impostor_pairs=self.impostor_pairs,
        )
