"""Calibrating on the library's own pictures, as plain frozen values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from client.system import CalibrationInUse
from client.values import Signal

__all__ = [
    "CalibrationOutcome",
    "CalibrationProgress",
    "CalibrationReport",
    "CalibrationStage",
    "Estimate",
    "HeldOut",
    "OnProgress",
    "PairedTest",
    "SignalCalibration",
]


class CalibrationStage(StrEnum):
    """What is being done."""

    READING = "reading"
    COMPARING = "comparing"
    FITTING = "fitting"
    TESTING = "testing"
    UNSPECIFIED = "unspecified"


class CalibrationOutcome(StrEnum):
    """What became of one signal's calibration."""

    FITTED = "fitted"
    """The new one is better, and is used; of a dry run: would be."""
    NOT_BETTER = "not better"
    """This library's from before is kept, or what ships is used; a body is not shown to help."""
    TOO_FEW_PAIRS = "too few pairs"
    """Nothing was changed."""
    DISCARDED = "discarded"
    """What ships is used again, as asked for."""
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class CalibrationProgress:
    """How far one signal is."""

    signal: Signal
    stage: CalibrationStage
    done: int
    total: int
    """0: nobody knows yet."""


OnProgress = Callable[[CalibrationProgress], None]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and 95% of what it is when performers are drawn anew."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HeldOut:
    """C_llr in bits, 0 is perfect, 1 says nothing, on performers that were not fitted on."""

    performers: int
    own: float
    shipped: float
    """1 where nothing ships; of a body that of its ratios unweighed."""
    difference: Estimate
    """Own less shipped."""
    share_better: float
    """How often own is better when performers are drawn anew, 0..1."""
    earlier: float | None = None
    """Of this library's calibration from before, which may know these performers; None: there was none."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Whether tattoos, or bodies, help faces, on images in which both are enrolled of one performer."""

    images: int
    performers: int
    least_images: int
    """Without which nothing is tested."""
    is_tested: bool
    rank1_face: float
    """Share of images whose right performer comes first by face alone, 0..1."""
    rank1_both: float
    rank1_gain: Estimate | None
    log_gain: Estimate | None
    """Of the log probability of the right performer."""
    weight: float
    """What follows; nothing does where nothing was tested.

    Of tattoos 0 where they hurt, else 1; of bodies what was fitted where they help, else 0, which is used
    only where they are shown to hurt."""


@dataclass(frozen=True, slots=True)
class SignalCalibration:
    """What became of one signal."""

    signal: Signal
    outcome: CalibrationOutcome
    detail: str
    """In words, with numbers."""
    performers: int
    """With a probe."""
    probes: int
    genuine_pairs: int
    """Fitted and judged on."""
    impostor_pairs: int
    least_genuine_pairs: int
    """Without which nothing is fitted."""
    undated_pairs: int
    """Of these, genuine pairs in which a day is unknown: they may be of one shoot."""
    held_out: HeldOut | None
    paired_test: PairedTest | None
    in_use: CalibrationInUse | None
    """What is used now; None: nothing."""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What became of everything."""

    signals: tuple[SignalCalibration, ...]
    is_dry_run: bool
    seed: int
