"""Between the contract's messages and the client's values: calibrations."""

from __future__ import annotations

from client._system_wire import calibration_in_use
from client._wire import named, signal
from client.calibrating import (
    CalibrationOutcome,
    CalibrationProgress,
    CalibrationReport,
    CalibrationStage,
    Estimate,
    HeldOut,
    PairedTest,
    SignalCalibration,
)
from marquee.gateway.v1 import calibration_pb2 as pb

__all__ = ["progress", "report"]


def progress(reply: pb.CalibrateProgress) -> CalibrationProgress:
    stage = named(pb.CalibrationStage.DESCRIPTOR, reply.stage, CalibrationStage.UNSPECIFIED)
    return CalibrationProgress(signal(reply.signal), stage, reply.done, reply.total)


def report(reply: pb.CalibrationReport) -> CalibrationReport:
    return CalibrationReport(
        signals=tuple(_signal(one) for one in reply.signals),
        is_dry_run=reply.is_dry_run,
        seed=reply.seed,
    )


def _signal(reply: pb.SignalCalibration) -> SignalCalibration:
    return SignalCalibration(
        signal=signal(reply.signal),
        outcome=named(pb.CalibrationOutcome.DESCRIPTOR, reply.outcome, CalibrationOutcome.UNSPECIFIED),
        detail=reply.detail,
        performers=reply.performers,
        probes=reply.probes,
        genuine_pairs=reply.genuine_pairs,
        impostor_pairs=reply.impostor_pairs,
        least_genuine_pairs=reply.least_genuine_pairs,
        undated_pairs=reply.undated_pairs,
        held_out=_held_out(reply.held_out) if reply.HasField("held_out") else None,
        paired_test=_paired_test(reply.paired_test) if reply.HasField("paired_test") else None,
        in_use=calibration_in_use(reply.in_use) if reply.HasField("in_use") else None,
    )


def _held_out(reply: pb.HeldOut) -> HeldOut:
    return HeldOut(
        reply.performers,
        reply.own,
        reply.shipped,
        _estimate(reply.difference),
        reply.share_better,
        reply.earlier if reply.HasField("earlier") else None,
    )


def _paired_test(reply: pb.PairedTest) -> PairedTest:
    return PairedTest(
        images=reply.images,
        performers=reply.performers,
        least_images=reply.least_images,
        is_tested=reply.is_tested,
        rank1_face=reply.rank1_face,
        rank1_both=reply.rank1_both,
        rank1_gain=_estimate(reply.rank1_gain) if reply.HasField("rank1_gain") else None,
        log_gain=_estimate(reply.log_gain) if reply.HasField("log_gain") else None,
        weight=round(reply.weight, 6),
    )


def _estimate(reply: pb.Estimate) -> Estimate:
    return Estimate(reply.value, reply.low, reply.high)
