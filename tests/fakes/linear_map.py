"""A calibration that is easy to reckon with."""

from __future__ import annotations

from chassis.signal.calibration import Calibration

__all__ = ["linear_map"]


def linear_map(neutral: float, slope: float, *, failed: float = 1e-9, most: float = 12.0) -> Calibration:
    """slope x (similarity - neutral) for similarities -1..1, of views that never fail."""
    ends = tuple(slope * (one - neutral) for one in (-1.0, 1.0))
    return Calibration(
        similarities=(-1.0, 1.0), ratios=ends, qualities=(0.0, 1.0), failures=(failed, failed), most=most,
        genuine=100, impostors=1000,
    )  # fmt: skip
