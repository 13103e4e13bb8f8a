"""What follows from what was measured: stored, left as it is, or put back to what ships."""

from __future__ import annotations

from gateway.calibration.judging import LEAST_SHARE, Chosen, HeldOut, Judged, Ratios
from gateway.calibration.measuring import Gallery, Measured
from gateway.calibration.paired import PairedTest
from gateway.calibration.report import Options, Outcome, SignalReport
from gateway.calibration.storing import Settled
from marquee.common.v1 import calibration_pb2

__all__ = ["chosen_of", "discard", "settle", "settle_body"]


def chosen_of(gallery: Gallery, measured: Measured | None) -> Ratios | None:
    """What the signal will be calibrated by; `measured` None: it is not asked for."""
    if measured is None or measured.judged is None:
        return gallery.used
    chosen = measured.judged.chosen
    if chosen is Chosen.NEW:
        return measured.judged.own
    return gallery.used if chosen is Chosen.EARLIER else gallery.shipped


def settle(gallery: Gallery, measured: Measured, test: PairedTest | None, options: Options) -> Settled:
    """Decide what becomes of one signal, and tell its story; nothing is stored.

    test: what decides on the weight; without one, or where too little was there to test, the weight stays.
    """
    outcome, detail = _outcome(gallery, measured)
    weight = test.weight if test is not None and test.is_tested else gallery.weight
    report = _report(gallery, measured, test, outcome, detail)
    return Settled(gallery, report, _change(gallery, measured, weight=weight, options=options))


def settle_body(gallery: Gallery, measured: Measured, test: PairedTest | None, options: Options) -> Settled:
    """The same of a body, of which the weight alone is fitted: it is used where bodies help faces.

    Where they hurt, or no weight fits, 0 is. Where neither is shown, or too little was there to test,
    everything stays: a smaller run does not throw away what a larger one found.
    """
    judged = measured.judged
    if judged is None or test is None:
        outcome, detail = _outcome(gallery, measured)
        return Settled(gallery, _report(gallery, measured, test, outcome, detail), None)
    words = _body_figures(measured, judged)
    if not test.is_tested:
        why = f"{words}; not tested beside faces, nothing was changed"
        return Settled(gallery, _report(gallery, measured, test, Outcome.TOO_FEW_PAIRS, why), None)
    if not (test.helps or test.hurts or judged.weight == 0):
        why = f"{words}; bodies are shown neither to help faces here nor to hurt them, nothing was changed"
        return Settled(gallery, _report(gallery, measured, test, Outcome.NOT_BETTER, why), None)
    outcome = Outcome.FITTED if test.weight > 0 else Outcome.NOT_BETTER
    words += "" if test.weight > 0 else "; bodies do not help faces here, and count nothing"
    change = calibration_pb2.CalibrationChange(
        models=gallery.state.models, fitted=_fitted(measured, judged, words, options), weight=test.weight
    )
    return Settled(gallery, _report(gallery, measured, test, outcome, words), change)


def discard(gallery: Gallery) -> Settled:
    """Use again what ships, with the weight that it ships with."""
    words = (
        "what ships is used again" if gallery.state.HasField("shipped") else "nothing is used: nothing ships"
    )
    report = SignalReport(
        signal=gallery.client.signal, outcome=Outcome.DISCARDED, detail=words, in_use=gallery.in_use
    )
    return Settled(gallery, report, calibration_pb2.CalibrationChange(models=gallery.state.models))


def _report(
    gallery: Gallery, measured: Measured, test: PairedTest | None, outcome: Outcome, detail: str
) -> SignalReport:
    return SignalReport(
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


def _outcome(gallery: Gallery, measured: Measured) -> tuple[Outcome, str]:
    if measured.judged is None:
        return Outcome.TOO_FEW_PAIRS, f"{measured.problem}; nothing was changed"
    held_out, chosen = measured.judged.held_out, measured.judged.chosen
    figures = _figures(gallery, measured, held_out)
    if held_out.earlier is not None:
        figures += f"; this library's earlier one {held_out.earlier.cllr:.3f}"
    if chosen is Chosen.NEW:
        return Outcome.FITTED, figures
    if chosen is Chosen.EARLIER:
        return Outcome.NOT_BETTER, f"{figures}: it is kept, the new one is not shown to be better"
    return Outcome.NOT_BETTER, (
        f"{figures}; better than what ships in {held_out.share_better:.0%} of draws of performers, "
        f"{LEAST_SHARE:.0%} are needed; it is not used"
    )


def _figures(gallery: Gallery, measured: Measured, held_out: HeldOut) -> str:
    """The same whatever was used until now: repeated, a calibration is stored once."""
    shipped = "what ships" if gallery.state.HasField("shipped") else "nothing ships, which is"
    dating = f"; {measured.dating}" if measured.dating.undated else ""
    return (
        f"C_llr {held_out.own:.3f} on {held_out.performers} performers that were not fitted on, "
        f"{shipped} {held_out.shipped:.3f}{dating}"
    )


def _body_figures(measured: Measured, judged: Judged) -> str:
    """The same whatever was used until now: repeated, a calibration is stored once."""
    held_out = judged.held_out
    dating = f"; {measured.dating}" if measured.dating.undated else ""
    return (
        f"ratios are worth {judged.weight:.0%} of what they say; C_llr {held_out.own:.3f} on "
        f"{held_out.performers} performers that were not fitted on, unweighed {held_out.shipped:.3f}{dating}"
    )


def _change(
    gallery: Gallery, measured: Measured, *, weight: float, options: Options
) -> calibration_pb2.CalibrationChange | None:
    """What to store; None: nothing."""
    if measured.judged is None:
        return None
    chosen, models = measured.judged.chosen, gallery.state.models
    if chosen is Chosen.NEW:
        words = _figures(gallery, measured, measured.judged.held_out)
        fitted = _fitted(measured, measured.judged, words, options)
        return calibration_pb2.CalibrationChange(models=models, fitted=fitted, weight=weight)
    if chosen is Chosen.EARLIER:
        # The same again, with another weight.
        again = calibration_pb2.CalibrationChange(models=models, fitted=gallery.state.used, weight=weight)
        return again if weight != gallery.weight else None
    is_so = not gallery.is_calibrated or (gallery.earlier is None and weight == gallery.weight)
    return None if is_so else calibration_pb2.CalibrationChange(models=models, weight=weight)


def _fitted(
    measured: Measured, judged: Judged, words: str, options: Options
) -> calibration_pb2.FittedCalibration:
    pairs = measured.pairs
    return calibration_pb2.FittedCalibration(
        parameters=judged.parameters,
        provenance=f"this library: {pairs.performers} performers; {words}; seed {options.seed}",
        genuine_pairs=len(pairs.genuine),
        impostor_pairs=len(pairs.impostors),
    )
