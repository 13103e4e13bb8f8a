"""What follows from what was measured: stored, left as it is, or put back to what ships."""

from __future__ import annotations

from chassis.signal.calibration import Calibration
from chassis.signal.calibration_parameters import to_parameters
from gateway.calibration.judging import LEAST_SHARE, HeldOut, Judged
from gateway.calibration.measuring import Gallery, Measured
from gateway.calibration.paired import PairedTest
from gateway.calibration.report import Options, Outcome, SignalReport
from gateway.calibration.storing import Settled
from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = ["chosen_of", "discard", "settle"]


def chosen_of(gallery: Gallery, measured: Measured | None) -> Calibration | None:
    """What the signal will be calibrated by; `measured` None: it is not asked for."""
    if measured is None or measured.judged is None:
        return gallery.used
    return measured.judged.own if measured.judged.held_out.is_better else gallery.shipped


def settle(gallery: Gallery, measured: Measured, test: PairedTest | None, options: Options) -> Settled:
    """Decide what becomes of one signal, and tell its story; nothing is stored.

    test: what decides on the weight; None: the weight is 1.
    """
    outcome, detail = _outcome(gallery, measured)
    weight = test.weight if test is not None else 1.0
    report = SignalReport(
        signal=gallery.client.signal,
        outcome=outcome,
        detail=detail,
        performers=measured.pairs.performers,
        probes=measured.probes,
        genuine_pairs=len(measured.pairs.genuine),
        impostor_pairs=len(measured.pairs.impostors),
        undated_pairs=measured.undated_pairs,
        held_out=measured.judged.held_out if measured.judged is not None else None,
        paired_test=test,
        in_use=gallery.in_use,
    )
    return Settled(gallery, report, _change(gallery, measured, outcome, weight=weight, options=options))


def discard(gallery: Gallery) -> Settled:
    """Use again what ships, with a weight of 1."""
    words = (
        "what ships is used again" if gallery.state.HasField("shipped") else "nothing is used: nothing ships"
    )
    report = SignalReport(
        signal=gallery.client.signal, outcome=Outcome.DISCARDED, detail=words, in_use=gallery.in_use
    )
    return Settled(gallery, report, calibration_pb2.CalibrationChange(models=gallery.state.models))


def _outcome(gallery: Gallery, measured: Measured) -> tuple[Outcome, str]:
    if measured.judged is None:
        return Outcome.TOO_FEW_PAIRS, f"{measured.problem}; nothing was changed"
    held_out = measured.judged.held_out
    if held_out.is_better:
        return Outcome.FITTED, _figures(gallery, held_out)
    return Outcome.NOT_BETTER, (
        f"{_figures(gallery, held_out)}: better in {held_out.share_better:.0%} of draws of performers, "
        f"{LEAST_SHARE:.0%} are needed; it is not used"
    )


def _figures(gallery: Gallery, held_out: HeldOut) -> str:
    shipped = "what ships" if gallery.state.HasField("shipped") else "nothing ships, which is"
    return (
        f"C_llr {held_out.own:.3f} on {held_out.performers} performers that were not fitted on, "
        f"{shipped} {held_out.shipped:.3f}"
    )


def _change(
    gallery: Gallery, measured: Measured, outcome: Outcome, *, weight: float, options: Options
) -> calibration_pb2.CalibrationChange | None:
    """What to store; None: nothing."""
    models = gallery.state.models
    if outcome is Outcome.FITTED and measured.judged is not None:
        fitted = _fitted(gallery, measured, measured.judged, options)
        return calibration_pb2.CalibrationChange(models=models, fitted=fitted, weight=weight)
    if outcome is Outcome.NOT_BETTER and not _is_shipped(gallery.state, weight):
        return calibration_pb2.CalibrationChange(models=models, weight=weight)
    return None


def _is_shipped(state: calibration_pb2.CalibrationState, weight: float) -> bool:
    """Whether what ships is used already, with this weight; also where nothing ships and nothing is used."""
    in_use: common_pb2.CalibrationInUse = state.in_use
    return not state.HasField("in_use") or (not in_use.is_of_this_library and in_use.weight == weight)


def _fitted(
    gallery: Gallery, measured: Measured, judged: Judged, options: Options
) -> calibration_pb2.FittedCalibration:
    pairs = measured.pairs
    return calibration_pb2.FittedCalibration(
        parameters=to_parameters(judged.own),
        provenance=(
            f"this library: {pairs.performers} performers, {measured.undated_pairs} genuine pairs undated; "
            f"{_figures(gallery, judged.held_out)}; seed {options.seed}"
        ),
        genuine_pairs=len(pairs.genuine),
        impostor_pairs=len(pairs.impostors),
    )
