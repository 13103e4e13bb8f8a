"""CalibrationService: translation only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from chassis.errors import InvalidInput
from gateway.calibration.bootstrap import Interval
from gateway.calibration.calibrate import Calibrate
from gateway.calibration.judging import HeldOut
from gateway.calibration.paired import LEAST_IMAGES, PairedTest
from gateway.calibration.pairs import LEAST_GENUINE
from gateway.calibration.report import Options, Outcome, Progress, Report, SignalReport, Stage
from gateway.observations import Signal
from gateway.translation import to_proto_signal
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import calibration_pb2 as pb
from marquee.gateway.v1 import calibration_pb2_grpc

__all__ = ["CalibrationServicer"]

_USUAL_PROBES, _LEAST_PROBES, _MOST_PROBES = 2000, 100, 20_000
_SIGNALS = {
    common_pb2.SIGNAL_FACE: Signal.FACE,
    common_pb2.SIGNAL_TATTOO: Signal.TATTOO,
    common_pb2.SIGNAL_BODY: Signal.BODY,
}
_STAGES = {
    Stage.READING: pb.CALIBRATION_STAGE_READING,
    Stage.COMPARING: pb.CALIBRATION_STAGE_COMPARING,
    Stage.FITTING: pb.CALIBRATION_STAGE_FITTING,
    Stage.TESTING: pb.CALIBRATION_STAGE_TESTING,
}
_OUTCOMES = {
    Outcome.FITTED: pb.CALIBRATION_OUTCOME_FITTED,
    Outcome.NOT_BETTER: pb.CALIBRATION_OUTCOME_NOT_BETTER,
    Outcome.TOO_FEW_PAIRS: pb.CALIBRATION_OUTCOME_TOO_FEW_PAIRS,
    Outcome.DISCARDED: pb.CALIBRATION_OUTCOME_DISCARDED,
}
_Context = grpc.aio.ServicerContext[Any, Any]


class CalibrationServicer(calibration_pb2_grpc.CalibrationServiceServicer):
    """Calibrating on what is enrolled."""

    def __init__(self, calibrate: Calibrate) -> None:
        self._calibrate = calibrate

    async def Calibrate(
        self, request: pb.CalibrateRequest, context: _Context
    ) -> AsyncIterator[pb.CalibrateResponse]:
        options = _options(request)
        news: asyncio.Queue[Progress | None] = asyncio.Queue()
        work = asyncio.create_task(self._calibrate(options, news.put_nowait))
        work.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (one := await news.get()) is not None:
                yield pb.CalibrateResponse(progress=_progress(one))
            yield pb.CalibrateResponse(report=_report(await work))
        finally:  # a client that leaves ends the work
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _options(request: pb.CalibrateRequest) -> Options:
    """Raises InvalidInput, naming the field."""
    for one in request.signals:
        if one not in _SIGNALS:
            raise InvalidInput("signals: face, tattoo and body can be calibrated")
    probes = request.max_probes or _USUAL_PROBES
    if not _LEAST_PROBES <= probes <= _MOST_PROBES:
        raise InvalidInput(f"max_probes: {_LEAST_PROBES} to {_MOST_PROBES} are accepted")
    wanted = set(request.signals) or set(_SIGNALS)
    return Options(
        signals=tuple(signal for value, signal in _SIGNALS.items() if value in wanted),
        is_dry_run=request.dry_run,
        seed=request.seed,
        most_probes=probes,
        discard=request.discard,
    )


def _progress(progress: Progress) -> pb.CalibrateProgress:
    return pb.CalibrateProgress(
        signal=to_proto_signal(progress.signal),
        stage=_STAGES[progress.stage],
        done=progress.done,
        total=progress.total,
    )


def _report(report: Report) -> pb.CalibrationReport:
    return pb.CalibrationReport(
        signals=map(_signal, report.signals), is_dry_run=report.is_dry_run, seed=report.seed
    )


def _signal(one: SignalReport) -> pb.SignalCalibration:
    return pb.SignalCalibration(
        signal=to_proto_signal(one.signal),
        outcome=_OUTCOMES[one.outcome],
        detail=one.detail,
        performers=one.performers,
        probes=one.probes,
        genuine_pairs=one.genuine_pairs,
        impostor_pairs=one.impostor_pairs,
        least_genuine_pairs=LEAST_GENUINE,
        undated_pairs=one.undated_pairs,
        held_out=_held_out(one.held_out) if one.held_out is not None else None,
        paired_test=_paired_test(one.paired_test) if one.paired_test is not None else None,
        in_use=one.in_use,
    )


def _held_out(held_out: HeldOut) -> pb.HeldOut:
    return pb.HeldOut(
        performers=held_out.performers,
        own=held_out.own,
        shipped=held_out.shipped,
        difference=_estimate(held_out.difference),
        share_better=held_out.share_better,
        earlier=held_out.earlier.cllr if held_out.earlier is not None else None,
    )


def _paired_test(test: PairedTest) -> pb.PairedTest:
    return pb.PairedTest(
        images=test.images,
        performers=test.performers,
        least_images=LEAST_IMAGES,
        is_tested=test.is_tested,
        rank1_face=test.rank1_face,
        rank1_both=test.rank1_both,
        rank1_gain=_estimate(test.rank1_gain),
        log_gain=_estimate(test.log_gain),
        weight=test.weight,
    )


def _estimate(interval: Interval | None) -> pb.Estimate | None:
    return pb.Estimate(value=interval.value, low=interval.low, high=interval.high) if interval else None
