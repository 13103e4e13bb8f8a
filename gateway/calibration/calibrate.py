"""The story of a calibration: read what is enrolled, compare it with itself, fit, judge, test, and store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from chassis.errors import Overloaded
from chassis.signal.calibration import Calibration
from chassis.work import WorkPool
from gateway.calibration.asking import computed
from gateway.calibration.compared import Compared
from gateway.calibration.enrolled import CalibratedClient
from gateway.calibration.measuring import Gallery, Measured
from gateway.calibration.paired import LEAST_IMAGES, PairedImage, PairedTest, paired_test
from gateway.calibration.performers import Performers
from gateway.calibration.probes import Probe, choose_paired, choose_probes
from gateway.calibration.report import Options, Report, Stage, Tell
from gateway.calibration.settling import chosen_of, discard, settle
from gateway.calibration.storing import Settled, store
from gateway.observations import Signal
from gateway.signals import Signals

__all__ = ["Calibrate"]

_Galleries = Mapping[Signal, Gallery]


class Calibrate:
    """Fits to this library what turns similarities into likelihood ratios.

    seconds: longest that a signal may take for one call; unknown: probability, between 0 and 1, that a person
    in a picture is nobody of the gallery.
    """

    def __init__(self, signals: Signals, work: WorkPool, *, seconds: float, unknown: float) -> None:
        self._clients: dict[Signal, CalibratedClient] = {
            Signal.FACE: signals.face,
            Signal.TATTOO: signals.tattoo,
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
        """Of the signals asked for; tattoos are tested together with faces."""
        is_tested = Signal.TATTOO in options.signals and not options.discard
        needed = dict.fromkeys([*options.signals, *([Signal.FACE] if is_tested else [])])
        return {
            one: await Gallery.open(self._clients[one], self._work, seconds=self._seconds, tell=tell)
            for one in needed
        }

    async def _settled(self, galleries: _Galleries, options: Options) -> list[Settled]:
        """What is to become of each signal, after everything is measured."""
        for gallery in galleries.values():
            await gallery.read()
        probes, paired = await computed(self._work, partial(_chosen, galleries, options))
        for signal, gallery in galleries.items():
            await gallery.fetch([*probes.get(signal, ()), *paired])
        measured = {
            one: await galleries[one].measure(probes[one], seed=options.seed) for one in options.signals
        }
        test = await self._tested(galleries, measured, paired, options)
        for gallery in galleries.values():
            # What was read and compared first must still be of the models that serve when it is stored.
            await gallery.check_models()
        return [
            settle(galleries[one], measured[one], test if one is Signal.TATTOO else None, options)
            for one in options.signals
        ]

    async def _tested(
        self,
        galleries: _Galleries,
        measured: Mapping[Signal, Measured],
        paired: Sequence[Probe],
        options: Options,
    ) -> PairedTest | None:
        """None where tattoos are not calibrated here."""
        tattoo = measured.get(Signal.TATTOO)
        if tattoo is None or tattoo.judged is None:
            return None
        calibrations = {one: chosen_of(gallery, measured.get(one)) for one, gallery in galleries.items()}
        face, ink = calibrations[Signal.FACE], calibrations[Signal.TATTOO]
        if face is None or ink is None or len(paired) < LEAST_IMAGES:
            return PairedTest(len(paired), len({one.performer_id for one in paired}))
        both = await computed(self._work, partial(_in_both, galleries))
        by_face, by_tattoo = [
            await galleries[one].compare(paired, both, stage=Stage.TESTING, seed=options.seed)
            for one in (Signal.FACE, Signal.TATTOO)
        ]

        def tested() -> PairedTest:
            images = _paired_images(by_face, by_tattoo, both, face, ink)
            return paired_test(images, unknown=self._unknown, seed=options.seed)

        return await computed(self._work, tested)


def _chosen(
    galleries: _Galleries, options: Options
) -> tuple[Mapping[Signal, tuple[Probe, ...]], tuple[Probe, ...]]:
    """Probes of each signal, and images to test both on, where that is asked for."""
    most, seed = options.most_probes, options.seed
    probes = {one: choose_probes(galleries[one].images, most=most, seed=seed) for one in options.signals}
    if Signal.TATTOO not in options.signals:
        return probes, ()
    face, tattoo = galleries[Signal.FACE].images, galleries[Signal.TATTOO].images
    return probes, choose_paired(face, tattoo, most=most, seed=seed)


def _in_both(galleries: _Galleries) -> Performers:
    return Performers.of(galleries[Signal.FACE].images.keys() & galleries[Signal.TATTOO].images.keys())


def _paired_images(
    by_face: Sequence[Compared],
    by_tattoo: Sequence[Compared],
    performers: Performers,
    face: Calibration,
    tattoo: Calibration,
) -> Iterator[PairedImage]:
    """The images that both could compare, with the performers whom both could compare, one at a time."""
    tattoos = {one.probe: one for one in by_tattoo}
    for one in by_face:
        if one.probe in tattoos:
            ratios = _ratios(one, performers, face), _ratios(tattoos[one.probe], performers, tattoo)
            shared = ratios[0].keys() & ratios[1].keys()
            chosen = ({who: of_signal[who] for who in sorted(shared)} for of_signal in ratios)
            yield PairedImage(one.probe.performer_id, *chosen)


def _ratios(compared: Compared, performers: Performers, calibration: Calibration) -> dict[str, float]:
    names = (compared.probe.performer_id, *(performers.ids[one] for one in compared.others))
    similarities = np.concatenate([[compared.own], compared.similarities])
    ratios = calibration.llrs(similarities, np.full(len(similarities), compared.quality))
    return dict(zip(names, ratios.tolist(), strict=True))
