"""What the gallery of one signal says of similarities: read, drawn, compared, fitted and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from chassis.errors import InvalidInput, Refused, Unavailable
from chassis.signal.calibration import Calibration
from chassis.signal.calibration_fitting import TooFewPairs
from chassis.signal.calibration_parameters import from_parameters
from chassis.work import WorkPool
from gateway.calibration.asking import NOTHING_STORED, asked, computed, failure
from gateway.calibration.compared import Compared, compare
from gateway.calibration.enrolled import CalibratedClient, ModelKey, Templates, read_images, read_templates
from gateway.calibration.judging import Earlier, Judged, fit_and_judge, temper_and_judge
from gateway.calibration.pairs import Dating, LabelledPairs, dated, labelled
from gateway.calibration.performers import Numbers, Performers
from gateway.calibration.probes import Images, Probe, others_of
from gateway.calibration.report import Progress, Stage, Tell
from gateway.observations import Signal
from gateway.signals.base import plain, well_formed
from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = ["Gallery", "Measured"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One signal's pairs, and what was fitted on them."""

    probes: int
    """Of which some may be in no pair."""
    pairs: LabelledPairs
    dating: Dating
    judged: Judged | None
    problem: str
    """Why nothing was fitted; "" where something was."""

    @property
    def undated_pairs(self) -> int:
        """Genuine pairs among `pairs` in which a day is unknown."""
        return 0 if self.dating.are_left_out else self.dating.undated


class Gallery:
    """What one signal has enrolled, as one calibration sees it. Its calls raise as `asked` does."""

    def __init__(
        self,
        client: CalibratedClient,
        state: calibration_pb2.CalibrationState,
        work: WorkPool,
        *,
        seconds: float,
        tell: Tell,
    ) -> None:
        self.client = client
        self.state = state
        self.images: Images = {}
        self._templates: Templates = {}
        self._work = work
        self._seconds = seconds
        self._tell = tell

    def __repr__(self) -> str:
        return f"<Gallery of {self.client.signal.label}, {len(self.images)} performers>"

    @classmethod
    async def open(cls, client: CalibratedClient, work: WorkPool, *, seconds: float, tell: Tell) -> Gallery:
        """Ask for the embedders that serve and what they are calibrated by."""
        state = await asked(client.signal, partial(client.calibration, timeout=seconds))
        return cls(client, state, work, seconds=seconds, tell=tell)

    @property
    def models(self) -> frozenset[ModelKey]:
        """The embedders that serve."""
        return frozenset((one.model, one.version) for one in self.state.models)

    @property
    def shipped(self) -> Calibration | None:
        """What came with the service; None: nothing. Raises Unavailable for one that is none."""
        return self._calibration(self.state.shipped) if self.state.HasField("shipped") else None

    @property
    def used(self) -> Calibration | None:
        """What is used now; None: nothing. Raises Unavailable for one that is none."""
        return self._calibration(self.state.used) if self.state.HasField("used") else None

    @property
    def earlier(self) -> Earlier | None:
        """The calibration of this library that is used now; None: there is none. Raises as `used`."""
        used = self.used
        if used is None or not self.state.in_use.is_of_this_library:
            return None
        return Earlier(used, self.state.used.genuine_pairs)

    @property
    def is_calibrated(self) -> bool:
        """Whether anything is used now."""
        return self.state.HasField("in_use")

    @property
    def weight(self) -> float:
        """Of what is used now, 0..1; 1 where nothing is."""
        return plain(self.state.in_use.weight) if self.is_calibrated else 1.0

    @property
    def in_use(self) -> common_pb2.CalibrationInUse | None:
        """What is told of what is used now; None: nothing is."""
        return self.state.in_use if self.is_calibrated else None

    async def read(self) -> None:
        """Find out which images there are."""
        self.images = await read_images(
            self.client,
            self.models,
            seconds=self._seconds,
            on_read=lambda count: self._say(Stage.READING, count, 0),
        )

    async def fetch(self, probes: Sequence[Probe]) -> None:
        """Read the templates of these probes."""
        spots = [(one.performer_id, one.image_hash) for one in probes]
        self._templates = await read_templates(self.client, self.models, spots, seconds=self._seconds)

    async def compare(
        self, probes: Sequence[Probe], performers: Performers, *, stage: Stage, seed: int
    ) -> list[Compared]:
        """Compare probes whose templates were fetched with their performers and others of these.

        Raises Refused too: other models serve by now, so there is no knowing what was compared.
        """
        compared = await compare(
            self.client,
            probes,
            self._templates,
            await computed(self._work, partial(_others, probes, performers, seed)),
            performers,
            seconds=self._seconds,
            on_compared=lambda count: self._say(stage, count, len(probes)),
        )
        await self.check_models()
        return compared

    async def check_models(self) -> None:
        """Raises Refused where other models serve than when it was opened."""
        state = await asked(self.client.signal, partial(self.client.calibration, timeout=self._seconds))
        if list(state.models) != list(self.state.models):
            raise failure(self.client.signal, Refused("other models serve"), NOTHING_STORED)

    async def measure(self, probes: Sequence[Probe], *, seed: int) -> Measured:
        """Compare probes with everybody, fit, and judge."""
        everybody = await computed(self._work, partial(Performers.of, self.images))
        compared = await self.compare(probes, everybody, stage=Stage.COMPARING, seed=seed)
        fitted_on, dating = await computed(self._work, partial(dated, compared))
        pairs = await computed(self._work, partial(labelled, fitted_on, everybody))
        judged, problem = None, ""
        self._say(Stage.FITTING, 0, 1)
        try:
            judged = await computed(self._work, self._fit(pairs, seed))
        except TooFewPairs as exc:
            problem = str(exc)
        except InvalidInput as exc:
            label = self.client.signal.label
            raise Unavailable(f"{label}: nothing fits its similarities; {NOTHING_STORED}") from exc
        self._say(Stage.FITTING, 1, 1)
        return Measured(len(probes), pairs, dating, judged, problem)

    def _fit(self, pairs: LabelledPairs, seed: int) -> Callable[[], Judged]:
        if self.client.signal is Signal.BODY:
            return partial(temper_and_judge, pairs, seed=seed)
        return partial(fit_and_judge, pairs, self.shipped, self.earlier, seed=seed)

    def _say(self, stage: Stage, done: int, total: int) -> None:
        self._tell(Progress(self.client.signal, stage, done, total))

    def _calibration(self, fitted: calibration_pb2.FittedCalibration) -> Calibration:
        with well_formed(self.client.signal):
            return from_parameters(fitted.parameters)


def _others(probes: Sequence[Probe], performers: Performers, seed: int) -> dict[Probe, Numbers]:
    return {one: others_of(one, performers, seed=seed) for one in probes}
