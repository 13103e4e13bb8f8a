"""The client's call about calibrations."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.errors import Unavailable
from client import _calibration_wire, _wire
from client._streams import errors_translated
from client.calibrating import CalibrationReport, OnProgress
from client.values import Signal
from marquee.gateway.v1 import calibration_pb2, calibration_pb2_grpc

__all__ = ["CalibrationCalls"]


class CalibrationCalls:
    """A part of `Marquee`."""

    _calibration: calibration_pb2_grpc.CalibrationServiceAsyncStub

    async def calibrate(
        self,
        *,
        signals: Iterable[Signal] = (),
        dry_run: bool = False,
        discard: bool = False,
        seed: int = 0,
        max_probes: int = 0,
        on_progress: OnProgress | None = None,
    ) -> CalibrationReport:
        """Fit to this library what turns similarities into likelihood ratios, and use it where it is better.

        signals: some of face, tattoo and body; empty for all. dry_run: store nothing. discard: measure
        nothing and use again what ships. max_probes: images of each signal, 100..20000; 0: 2000. It takes
        minutes and has no deadline; whoever is cancelled before the last moments, in which it is stored,
        stores nothing. Raises InvalidInput for an option that is not accepted, Refused where models switch
        meanwhile, Overloaded while another calibration is under way, Unavailable when a signal is not there.
        """
        request = calibration_pb2.CalibrateRequest(
            signals=[_wire.to_signal(one) for one in signals],
            dry_run=dry_run,
            discard=discard,
            seed=seed,
            max_probes=max_probes,
        )
        report: CalibrationReport | None = None
        with errors_translated():
            call = self._calibration.Calibrate(request)
            try:
                async for reply in call:
                    if reply.HasField("report"):
                        report = _calibration_wire.report(reply.report)
                    elif on_progress is not None:
                        on_progress(_calibration_wire.progress(reply.progress))
            finally:
                call.cancel()
        if report is None:
            raise Unavailable("the server ended without a report")
        return report
