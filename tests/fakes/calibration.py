"""What a fake signal is calibrated by, and what it was told to be."""

from __future__ import annotations

from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = ["FakeCalibration"]


class FakeCalibration:
    """`changes`: every one that came, in order; `models`: those that serve."""

    def __init__(self) -> None:
        self.models = [("fake", "1")]
        self.shipped: calibration_pb2.FittedCalibration | None = None
        self.in_use: common_pb2.CalibrationInUse | None = None
        self.changes: list[calibration_pb2.CalibrationChange] = []

    def state(self) -> calibration_pb2.CalibrationState:
        """As GetCalibration tells it."""
        return calibration_pb2.CalibrationState(
            models=[calibration_pb2.CalibratedModel(model=one, version=two) for one, two in self.models],
            in_use=self.in_use,
            shipped=self.shipped,
        )

    def change(self, change: calibration_pb2.CalibrationChange) -> common_pb2.CalibrationInUse:
        """Use it."""
        self.changes.append(change)
        self.in_use = common_pb2.CalibrationInUse(
            is_of_this_library=change.HasField("fitted"),
            provenance=change.fitted.provenance,
            weight=change.weight if change.HasField("weight") else 1.0,
        )
        return self.in_use
