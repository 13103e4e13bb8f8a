"""What is asked of a calibration, how far it is, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from gateway.calibration.judging import HeldOut
from gateway.calibration.paired import PairedTest
from gateway.observations import Signal
from marquee.common.v1 import common_pb2

__all__ = ["Options", "Outcome", "Progress", "Report", "SignalReport", "Stage", "Tell"]


class Stage(Enum):
    """What is being done."""

    READING = auto()
    COMPARING = auto()
    FITTING = auto()
    TESTING = auto()


class Outcome(Enum):
    """The end of one signal's story."""

    FITTED = auto()
    NOT_BETTER = auto()
    TOO_FEW_PAIRS = auto()
    DISCARDED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to calibrate, and how."""

    signals: tuple[Signal, ...]
    """At least one."""
    is_dry_run: bool
    """Whether nothing is to be stored."""
    seed: int
    most_probes: int
    """Of each signal."""
    discard: bool
    """Whether to measure nothing and use again what ships."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one signal is; total 0: nobody knows yet."""

    signal: Signal
    stage: Stage
    done: int
    total: int = 0


Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReport:
    """What became of one signal."""

    signal: Signal
    outcome: Outcome
    detail: str
    """In words, with numbers."""
    performers: int = 0
    """With a probe."""
    probes: int = 0
    genuine_pairs: int = 0
    impostor_pairs: int = 0
    undated_pairs: int = 0
    """Of the genuine pairs, those in which a day is unknown."""
    held_out: HeldOut | None = None
    paired_test: PairedTest | None = None
    in_use: common_pb2.CalibrationInUse | None = None
    """What is used now."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of everything."""

    signals: tuple[SignalReport, ...]
    is_dry_run: bool
    seed: int
