"""What is stored after everything is measured, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chassis.errors import InternalError, InvalidInput, Overloaded
from chassis.signal.calibration_fitting import TooFewPairs, fit_calibration
from chassis.signal.calibration_parameters import from_parameters, to_parameters
from chassis.work import WorkPool
from gateway.calibration import asking
from gateway.calibration.asking import asked
from gateway.calibration.bootstrap import Interval
from gateway.calibration.judging import Chosen, HeldOutEarlier, fit_and_judge, temper_and_judge
from gateway.calibration.measuring import Gallery, Measured
from gateway.calibration.paired import PairedTest
from gateway.calibration.pairs import Dating
from gateway.calibration.report import Options, Outcome
from gateway.calibration.settling import chosen_of, settle, settle_body
from gateway.calibration.storing import store
from gateway.observations import Signal
from marquee.common.v1 import calibration_pb2, common_pb2
from tests.fakes.compared_gallery import gallery, pairs_of

_OPTIONS = Options(signals=(Signal.TATTOO,), is_dry_run=False, seed=3, most_probes=2000, discard=False)
_DOWN = Interval(-0.2, -0.3, -0.1)
_HURTS = PairedTest(40, 20, 0.9, 0.7, _DOWN, _DOWN)
_UNTESTED = PairedTest(29, 20)
_PAIRS = pairs_of(gallery(40))
_OTHER = pairs_of(gallery(60, genuine=0.9, impostor=0.6))
_SHIPPED = fit_calibration(_OTHER.genuine.pairs, _OTHER.impostors.pairs)
_EARLIER = replace(_SHIPPED, most=_SHIPPED.most / 2)


@dataclass
class _Client:
    """Takes what it is given."""

    signal: Signal = Signal.TATTOO
    changes: list[calibration_pb2.CalibrationChange] = field(default_factory=list)

    async def set_calibration(
        self, change: calibration_pb2.CalibrationChange, *, timeout: float
    ) -> common_pb2.CalibrationInUse:
        self.changes.append(change)
        return common_pb2.CalibrationInUse(is_of_this_library=change.HasField("fitted"), weight=change.weight)


def _gallery(client: Any, *, own: bool = False, weight: float = 1.0) -> Gallery:
    """Calibrated by what ships, or by one of its own from before."""
    state = calibration_pb2.CalibrationState(
        models=[calibration_pb2.CalibratedModel(model="m", version="1")],
        in_use=common_pb2.CalibrationInUse(is_of_this_library=own, weight=weight),
        used=calibration_pb2.FittedCalibration(parameters=to_parameters(_SHIPPED)),
        shipped=calibration_pb2.FittedCalibration(parameters=to_parameters(_SHIPPED)),
    )
    return Gallery(client, state, WorkPool(1, 0), seconds=1, tell=lambda _: None)


def _measured() -> Measured:
    return Measured(120, _PAIRS, Dating(7, 120, False), fit_and_judge(_PAIRS, _SHIPPED, seed=0), "")


def _not_better(chosen: Chosen = Chosen.SHIPPED) -> Measured:
    measured = _measured()
    assert measured.judged is not None
    worse = replace(measured.judged.held_out, share_better=0.5)
    return replace(measured, judged=replace(measured.judged, held_out=worse, chosen=chosen))


async def test_what_is_better_is_stored_with_its_weight() -> None:
    """For the models that serve, with its pairs and where it is from."""
    client = _Client()
    [report] = await store([settle(_gallery(client), _measured(), _HURTS, _OPTIONS)], seconds=1)
    [change] = client.changes
    assert report.outcome is Outcome.FITTED
    assert [(one.model, one.version) for one in change.models] == [("m", "1")]
    assert change.weight == 0.0
    assert change.HasField("weight")
    judged = _measured().judged
    assert judged is not None
    assert from_parameters(change.fitted.parameters) == judged.own
    assert (change.fitted.genuine_pairs, change.fitted.impostor_pairs) == (120, 120 * 39)
    words = "7 of 120 genuine pairs undated: pictures of one shoot flatter them"
    assert words in change.fitted.provenance
    assert words in report.detail
    assert report.undated_pairs == 7
    assert "seed 3" in change.fitted.provenance
    assert report.in_use is not None
    assert report.in_use.is_of_this_library


@pytest.mark.parametrize(
    ("own", "weight", "test", "chosen", "stored"),
    [
        (False, 1.0, None, Chosen.SHIPPED, None),
        (False, 1.0, _HURTS, Chosen.SHIPPED, (False, 0.0)),
        (False, 0.0, _HURTS, Chosen.SHIPPED, None),
        (True, 1.0, None, Chosen.SHIPPED, (False, 1.0)),
        (True, 1.0, None, Chosen.EARLIER, None),
        (True, 1.0, _HURTS, Chosen.EARLIER, (True, 0.0)),
        (True, 0.3, _UNTESTED, Chosen.EARLIER, None),
        (True, 0.3, _UNTESTED, Chosen.SHIPPED, (False, 0.3)),
    ],
    ids=[
        "shipped already", "hurts", "known to hurt", "an older one is worse", "an older one is kept",
        "an older one hurts", "untested", "worse and untested",
    ],
)  # fmt: skip
def test_what_is_not_better_is_not_used(
    own: bool, weight: float, test: PairedTest | None, chosen: Chosen, stored: tuple[bool, float] | None
) -> None:
    """Stored only where something changes; that tattoos hurt is a reason, what is untested is none."""
    gallery_ = _gallery(_Client(), own=own, weight=weight)
    settled = settle(gallery_, _not_better(chosen), test, _OPTIONS)
    assert settled.report.outcome is Outcome.NOT_BETTER
    change = settled.change
    assert (change is not None) is (stored is not None)
    if change is not None and stored is not None:
        assert change.HasField("weight")
        assert (change.HasField("fitted"), round(change.weight, 6)) == stored
        assert not change.HasField("fitted") or change.fitted == gallery_.state.used
    words = "it is kept, the new one is not" if chosen is Chosen.EARLIER else "it is not used"
    assert words in settled.report.detail


def test_the_same_again_is_the_same_to_store() -> None:
    """Whatever was used until now; only the report tells of that."""
    measured = _measured()
    assert measured.judged is not None
    held_out = replace(measured.judged.held_out, earlier=HeldOutEarlier(0.125, False, False, False))
    again = replace(measured, judged=replace(measured.judged, held_out=held_out))
    first, second = (
        settle(_gallery(_Client(), own=own), one, None, _OPTIONS)
        for own, one in ((False, measured), (True, again))
    )
    assert first.change == second.change
    assert "this library's earlier one 0.125" in second.report.detail


def test_undated_pairs_that_were_left_out_are_told() -> None:
    """They are no part of what was fitted on."""
    measured = replace(_measured(), dating=Dating(80, 200, True))
    settled = settle(_gallery(_Client()), measured, None, _OPTIONS)
    assert settled.change is not None
    for text in (settled.report.detail, settled.change.fitted.provenance):
        assert "80 of 200 genuine pairs undated, and left out" in text
    assert settled.report.undated_pairs == 0


def test_an_untested_run_leaves_the_weight_alone() -> None:
    """Also where the new one is better; that there was too little to test shows nothing."""
    for test in (None, _UNTESTED):
        settled = settle(_gallery(_Client(), weight=0.0), _measured(), test, _OPTIONS)
        assert settled.report.outcome is Outcome.FITTED
        assert settled.change is not None
        assert settled.change.HasField("weight")
        assert settled.change.weight == 0.0


def test_too_few_pairs_change_nothing() -> None:
    """Whatever is in use goes on."""
    few = pairs_of(gallery(10))
    with pytest.raises(TooFewPairs) as caught:
        fit_and_judge(few, None, seed=0)
    measured = Measured(30, few, Dating(0, 30, False), None, str(caught.value))
    settled = settle(_gallery(_Client(), own=True), measured, None, _OPTIONS)
    report = settled.report
    assert report.outcome is Outcome.TOO_FEW_PAIRS
    assert report.detail.endswith("nothing was changed")
    assert report.genuine_pairs == 30
    assert report.in_use is not None
    assert report.in_use.is_of_this_library
    assert settled.change is None


def test_the_test_of_tattoos_uses_what_will_be_used() -> None:
    """The new one where it is better, else what is kept, or ships; without pairs what is used now."""
    gallery_ = _gallery(_Client())
    gallery_.state.used.parameters.update(to_parameters(_EARLIER))
    better = _measured()
    assert better.judged is not None
    assert chosen_of(gallery_, better) == better.judged.own
    assert chosen_of(gallery_, _not_better()) == _SHIPPED
    assert chosen_of(gallery_, _not_better(Chosen.EARLIER)) == _EARLIER
    assert chosen_of(gallery_, None) == _EARLIER


_BODIES = pairs_of(gallery(40, genuine=2.0, impostor=-2.0, spread=2.0))
_UP = Interval(0.2, 0.1, 0.3)


@pytest.mark.parametrize(
    ("gain", "outcome", "weight"), [(_UP, Outcome.FITTED, 0.75), (_DOWN, Outcome.NOT_BETTER, 0.0)]
)
def test_a_body_weighs_what_the_test_says(gain: Interval, outcome: Outcome, weight: float) -> None:
    """Both ends are stored, as of this library, and say what they rest on; there are no parameters."""
    measured = Measured(120, _BODIES, Dating(0, 120, False), temper_and_judge(_BODIES, seed=0), "")
    test = PairedTest(40, 20, 0.5, 0.6, gain, gain, tested_weight=0.75, must_help=True)
    settled = settle_body(_gallery(_Client(Signal.BODY)), measured, test, _OPTIONS)
    assert settled.report.outcome is outcome
    assert settled.change is not None
    assert settled.change.weight == weight
    assert not settled.change.fitted.parameters
    assert "seed 3" in settled.change.fitted.provenance
    assert ("count nothing" in settled.change.fitted.provenance) == (weight == 0)
    assert settled.report.detail in settled.change.fitted.provenance


def test_a_body_that_neither_helps_nor_hurts_stays_as_it_is() -> None:
    """A small run does not throw away what a larger one found."""
    measured = Measured(120, _BODIES, Dating(0, 120, False), temper_and_judge(_BODIES, seed=0), "")
    wide = Interval(0.1, -0.1, 0.3)
    test = PairedTest(40, 20, 0.5, 0.6, wide, wide, tested_weight=0.75, must_help=True)
    settled = settle_body(_gallery(_Client(Signal.BODY), own=True, weight=0.5), measured, test, _OPTIONS)
    assert settled.change is None
    assert settled.report.outcome is Outcome.NOT_BETTER
    assert settled.report.detail.endswith("nothing was changed")
    nothing = replace(measured, judged=replace(measured.judged, weight=0.0)) if measured.judged else measured
    found = settle_body(_gallery(_Client(Signal.BODY)), nothing, replace(test, tested_weight=0.0), _OPTIONS)
    assert found.change is not None
    assert found.change.weight == 0.0


@pytest.mark.parametrize("test", [None, _UNTESTED])
def test_an_untested_body_stays_as_it_is(test: PairedTest | None) -> None:
    """Too few pairs, or too few images with a face: nothing shows that it helps, or hurts."""
    judged = temper_and_judge(_BODIES, seed=0) if test else None
    measured = Measured(120, _BODIES, Dating(0, 120, False), judged, "too few")
    settled = settle_body(_gallery(_Client(Signal.BODY), own=True, weight=0.5), measured, test, _OPTIONS)
    assert settled.report.outcome is Outcome.TOO_FEW_PAIRS
    assert settled.report.detail.endswith("nothing was changed")
    assert settled.change is None


async def test_a_busy_signal_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few times; what it does not understand is our own fault."""
    monkeypatch.setattr(asking, "_PAUSES", (0.0, 0.0))
    tries = []

    async def busy() -> int:
        tries.append(1)
        if len(tries) % 3:
            raise Overloaded("later")
        return 7

    async def always_busy() -> int:
        raise Overloaded("later")

    async def wrong() -> int:
        raise InvalidInput("what is that")

    assert await asked(Signal.FACE, busy) == 7
    with pytest.raises(Overloaded, match="face is overloaded"):
        await asked(Signal.FACE, always_busy)
    with pytest.raises(InternalError):
        await asked(Signal.FACE, wrong)
