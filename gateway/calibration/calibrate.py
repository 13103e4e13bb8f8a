"""The story of a calibration: read what is enrolled, compare it with itself, fit, judge, test, and store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from chassis.errors import Overloaded
from chassis.work import WorkPool
from gateway.calibration.asking import computed
from gateway.calibration.compared import Compared
from gateway.calibration.enrolled import CalibratedClient
from gateway.calibration.judging import Ratios
from gateway.calibration.measuring import Gallery, Measured
from gateway.calibration.paired import LEAST_IMAGES, PairedImage, PairedTest, paired_test
from gateway.calibration.performers import Performers
from gateway.calibration.probes import Probe, choose_paired, choose_probes
from gateway.calibration.report import Options, Report, Stage, Tell
from gateway.calibration.settling import chosen_of, discard, settle, settle_body
from gateway.calibration.storing import Settled, store
from gateway.fusion.absence import enrolled_or_not
from gateway.observations import Signal
from gateway.signals import Signals

__all__ = ["Calibrate"]

_Galleries = Mapping[Signal, Gallery]
# Signals that are tested beside the face.
_TESTED = (Signal.TATTOO, Signal.BODY)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Enrolled images that were drawn, by signal."""

    probes: Mapping[Signal, Sequence[Probe]]
    """To compare with everybody."""
    paired: Mapping[Signal, Sequence[Probe]]
    """In which the face, too, is enrolled; of signals that are tested."""

    def of(self, signal: Signal) -> list[Probe]:
        """All that this signal must look at; the face looks at all that are tested."""
        pairs = self.paired.values() if signal is Signal.FACE else [self.paired.get(signal, ())]
        return [*self.probes.get(signal, ()), *(one for probes in pairs for one in probes)]


class Calibrate:
    """Fits to this library what turns similarities into likelihood ratios.

    seconds: longest that a signal may take for one call; unknown: probability, between 0 and 1, that a person
    in a picture is nobody of the gallery.
    """

    def __init__(self, signals: Signals, work: WorkPool, *, seconds: float, unknown: float) -> None:
        self._clients: dict[Signal, CalibratedClient] = {
            Signal.FACE: signals.face,
            Signal.TATTOO: signals.tattoo,
            Signal.BODY: signals.body,
        }
        self._work = work
        self._seconds = seconds
        self._unknown = unknown
        self._is_running = False

    def __repr__(self) -> str:
        return f"<Calibrate, {'running' if self._is_running else 'idle'}>"

    async def __call__(self, options: Options, tell: Tell) -> Report:
        """Calibrate; nothing is stored before everything is measured.

        Whoever is cancelled until then leaves everything as it was. Raises Overloaded while another one is
        under way, Unavailable, DeadlineExceeded or Overloaded naming a signal that does not answer, Refused
        where models switch meanwhile; all say what was stored.
        """
        if self._is_running:
            raise Overloaded("another calibration is under way; try again when it has ended")
        self._is_running = True
        try:
            return await self._report(options, tell)
        finally:
            self._is_running = False

    async def _report(self, options: Options, tell: Tell) -> Report:
        galleries = await self._open(options, tell)
        if options.discard:
            settled = [discard(galleries[one]) for one in options.signals]
        else:
            settled = await self._settled(galleries, options)
        if options.is_dry_run:
            reports = [one.report for one in settled]
        else:
            reports = await store(settled, seconds=self._seconds)
        return Report(tuple(reports), options.is_dry_run, options.seed)

    async def _open(self, options: Options, tell: Tell) -> dict[Signal, Gallery]:
        """Of the signals asked for; the others are tested together with faces."""
        is_tested = any(one in options.signals for one in _TESTED) and not options.discard
        needed = dict.fromkeys([*options.signals, *([Signal.FACE] if is_tested else [])])
        return {
            one: await Gallery.open(self._clients[one], self._work, seconds=self._seconds, tell=tell)
            for one in needed
        }

    async def _settled(self, galleries: _Galleries, options: Options) -> list[Settled]:
        """What is to become of each signal, after everything is measured."""
        for gallery in galleries.values():
            await gallery.read()
        drawn = await computed(self._work, partial(_drawn, galleries, options))
        for signal, gallery in galleries.items():
            await gallery.fetch(drawn.of(signal))
        measured = {
            one: await galleries[one].measure(drawn.probes[one], seed=options.seed) for one in options.signals
        }
        tests = {
            one: await self._tested(one, galleries, measured, paired, options)
            for one, paired in drawn.paired.items()
        }
        for gallery in galleries.values():
            # What was read and compared first must still be of the models that serve when it is stored.
            await gallery.check_models()
        return [
            (settle_body if one is Signal.BODY else settle)(
                galleries[one], measured[one], tests.get(one), options
            )
            for one in options.signals
        ]

    async def _tested(
        self,
        signal: Signal,
        galleries: _Galleries,
        measured: Mapping[Signal, Measured],
        paired: Sequence[Probe],
        options: Options,
    ) -> PairedTest | None:
        """What a signal adds to faces; None where nothing was fitted to it."""
        judged = measured[signal].judged
        if judged is None:
            return None
        face, other = (chosen_of(galleries[one], measured.get(one)) for one in (Signal.FACE, signal))
        if face is None or other is None or len(paired) < LEAST_IMAGES:
            return PairedTest(len(paired), len({one.performer_id for one in paired}))
        both = await computed(self._work, partial(_in_both, galleries, signal))
        by_face, by_other = [
            await galleries[one].compare(paired, both, stage=Stage.TESTING, seed=options.seed)
            for one in (Signal.FACE, signal)
        ]

        def tested() -> PairedTest:
            return paired_test(
                _paired_images(by_face, by_other, both, face, other, is_ink=signal is Signal.TATTOO),
                unknown=self._unknown,
                seed=options.seed,
                tested_weight=judged.weight,
                must_help=signal is Signal.BODY,
            )

        return await computed(self._work, tested)


def _drawn(galleries: _Galleries, options: Options) -> _Drawn:
    most, seed = options.most_probes, options.seed
    probes = {one: choose_probes(galleries[one].images, most=most, seed=seed) for one in options.signals}
    paired = {
        one: choose_paired(galleries[Signal.FACE].images, galleries[one].images, most=most, seed=seed)
        for one in options.signals
        if one in _TESTED
    }
    return _Drawn(probes, paired)


def _in_both(galleries: _Galleries, signal: Signal) -> Performers:
    return Performers.of(galleries[Signal.FACE].images.keys() & galleries[signal].images.keys())


def _paired_images(
    by_face: Sequence[Compared],
    by_other: Sequence[Compared],
    performers: Performers,
    face: Ratios,
    other: Ratios,
    *,
    is_ink: bool,
) -> Iterator[PairedImage]:
    """The images that both could compare, with the performers whom both could compare, one at a time.

    is_ink: whether what is seen may be none of the enrolled ones, as in an answer.
    """
    others = {one.probe: one for one in by_other}
    for one in by_face:
        if one.probe in others:
            by_name, added = _ratios(one, performers, face), _ratios(others[one.probe], performers, other)
            shared = sorted(by_name.keys() & added.keys())
            yield PairedImage(
                one.probe.performer_id,
                {who: by_name[who] for who in shared},
                {who: float(enrolled_or_not(added[who])) if is_ink else added[who] for who in shared},
            )


def _ratios(compared: Compared, performers: Performers, calibration: Ratios) -> dict[str, float]:
    names = (compared.probe.performer_id, *(performers.ids[one] for one in compared.others))
    similarities = np.concatenate([[compared.own], compared.similarities])
    ratios = calibration.llrs(similarities, np.full(len(similarities), compared.quality))
    return dict(zip(names, ratios.tolist(), strict=True))
