"""Judges identifications of probe folders against gallery folders of the same names."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chassis.errors import DeadlineExceeded, InvalidInput, Overloaded, Unavailable
from chassis.images import image_hash
from client.api import Marquee
from client.concurrency import started
from client.enrolling import Outcome, PictureResult
from client.folders import PerformerFolder
from client.metrics import MISSING_SCORE, Figures, Interval, Probe
from client.picture_file import read_picture
from client.values import Identification, Person, Policy, Signal

__all__ = [
    "JudgedProbe",
    "ProbeFile",
    "EvaluationOptions",
    "Evaluation",
    "identify_probes",
    "judge",
    "probe_files",
    "count_identical",
]

_SIGNALS = (Signal.FACE, Signal.TATTOO, Signal.BODY)


@dataclass(frozen=True, slots=True)
class ProbeFile:
    """One picture to identify."""

    path: Path
    identity: str
    """Name of its folder."""
    expected: str | None
    """External id, `authority:id`, of the gallery's performer; None for an unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """How probes are identified."""

    policy: Policy = Policy.DEFAULT
    signals: tuple[Signal, ...] = ()
    max_candidates: int = 10
    in_flight: int = 4

    @property
    def expects_face(self) -> bool:
        """Whether the judged person must have a face: always, unless faces are not asked for."""
        return not self.signals or Signal.FACE in self.signals


@dataclass(frozen=True, slots=True)
class JudgedProbe:
    """What became of one probe."""

    file: ProbeFile
    probe: Probe
    person: Person | None
    """The person judged; None when nobody was found."""
    missing_signals: frozenset[Signal]
    """Signals that did not answer."""
    error: str
    """Why the picture was not identified at all; "" normally."""

    def sees(self, signal: Signal) -> bool:
        """Whether the signal saw something of the judged person."""
        return self.person is not None and signal in self.person.signals


def probe_files(gallery: Sequence[PerformerFolder], probes: Sequence[PerformerFolder]) -> list[ProbeFile]:
    """Every picture of the probe folders; a folder whose name the gallery has not shows an unknown."""
    expected = {folder.name: str(folder.performer.external_ids[0]) for folder in gallery}
    return [
        ProbeFile(picture.path, folder.name, expected.get(folder.name))
        for folder in probes
        for picture in folder.pictures
    ]


async def identify_probes(
    marquee: Marquee,
    files: Sequence[ProbeFile],
    options: EvaluationOptions,
    *,
    on_judged: Callable[[JudgedProbe], None] = lambda judged: None,
) -> list[JudgedProbe]:
    """Identify all, several at a time, and judge each, in order.

    A picture that is not accepted is judged as one on which nobody is found. Raises Unavailable or
    Unsupported when the server cannot do it at all.
    """

    async def one(file: ProbeFile) -> JudgedProbe:
        judged = await _identify(marquee, file, options)
        on_judged(judged)
        return judged

    calls = [partial(one, file) for file in files]
    async with started(calls, at_a_time=options.in_flight) as tasks:
        return list(await asyncio.gather(*tasks))


async def _identify(marquee: Marquee, file: ProbeFile, options: EvaluationOptions) -> JudgedProbe:
    for is_last in (False, True):
        try:
            seen = await marquee.identify(
                file.path,
                max_candidates=options.max_candidates,
                signals=options.signals,
                policy=options.policy,
            )
            return judge(file, seen, expects_face=options.expects_face)
        except InvalidInput as exc:
            return _judged(file, None, str(exc), frozenset())
        except (Overloaded, DeadlineExceeded, Unavailable):
            if is_last:
                raise
            await asyncio.sleep(1.0)
    raise AssertionError("the last try returns or raises")


def judge(file: ProbeFile, seen: Identification, *, expects_face: bool) -> JudgedProbe:
    """Judge the person with the largest face, who comes first; nobody when no face was found.

    Where faces are not asked for, the first person, who is the largest, is judged.
    """
    first = seen.people[0] if seen.people else None
    if first is not None and expects_face and first.face is None:
        first = None
    missing = frozenset(signal for signal, report in seen.reports.items() if report.is_missing)
    return _judged(file, first, "", missing)


def _judged(file: ProbeFile, person: Person | None, error: str, missing: frozenset[Signal]) -> JudgedProbe:
    candidates = person.candidates if person else ()
    score = candidates[0].score if candidates else MISSING_SCORE
    ranks = (
        rank
        for rank, candidate in enumerate(candidates, start=1)
        if file.expected in [str(external) for external in candidate.external_ids]
    )
    rank = next(ranks, None) if file.expected else None
    probe = Probe(file.identity, file.expected is not None, rank, score)
    return JudgedProbe(file, probe, person, missing, error)


class Evaluation:
    """The figures of one run. docs/evaluate.md documents what they mean."""

    def __init__(
        self,
        enrolled: Sequence[PictureResult],
        judged: Sequence[JudgedProbe],
        *,
        gallery: Sequence[PerformerFolder],
        n_identical: int,
    ) -> None:
        self._enrolled = list(enrolled)
        self._judged = list(judged)
        self._gallery = list(gallery)
        self._n_identical = n_identical
        self._figures = Figures([each.probe for each in judged])

    def __repr__(self) -> str:
        return f"Evaluation({len(self._judged)} probes, {len(self._gallery)} performers)"

    @property
    def figures(self) -> Mapping[str, Interval]:
        """Shares with intervals by their JSON key, in the order they are shown."""
        figures = self._figures
        return {
            "rank1": figures.rank_at_most(1),
            "rank5": figures.rank_at_most(5),
            "fnir_at_fpir_0.01": figures.fnir_at_fpir(0.01),
            "fnir_at_fpir_0.1": figures.fnir_at_fpir(0.1),
            "detection_failures": self._share(each.person is None for each in self._judged),
            **self._server_decisions(),
            **{
                f"availability_{signal.value}": self._share(each.sees(signal) for each in self._judged)
                for signal in _SIGNALS
            },
        }

    @property
    def counts(self) -> Mapping[str, int]:
        """Numbers by their JSON key."""
        outcomes = Counter(result.outcome for result in self._enrolled)
        enrolled = {result.folder.path for result in self._enrolled if result.outcome is not Outcome.REJECTED}
        return {
            "n_gallery": len(self._gallery),
            "n_gallery_enrolled": len(enrolled),
            "n_gallery_images": len(self._enrolled),
            "n_gallery_images_rejected": outcomes[Outcome.REJECTED],
            "n_probes": len(self._judged),
            "n_known": sum(each.probe.is_known for each in self._judged),
            "n_unknown": sum(not each.probe.is_known for each in self._judged),
            "n_unknown_identities": len({e.file.identity for e in self._judged if not e.probe.is_known}),
            "n_detection_failures": sum(each.person is None for each in self._judged),
            "n_probe_errors": sum(bool(each.error) for each in self._judged),
            "n_degraded": sum(bool(each.missing_signals) for each in self._judged),
            "n_probes_also_in_gallery": self._n_identical,
        }

    @property
    def thresholds(self) -> Mapping[str, float | None]:
        """The score thresholds behind the FNIR figures; None where every or no score would do."""
        limits = {"fpir_0.01": 0.01, "fpir_0.1": 0.1}
        found = {key: self._figures.threshold_at_fpir(fpir) for key, fpir in limits.items()}
        return {
            key: None if value is None or not np.isfinite(value) else value for key, value in found.items()
        }

    def _server_decisions(self) -> dict[str, Interval]:
        """What the IDENTIFIED status, at the server's own threshold, gets right and wrong."""
        known = np.array([each.probe.is_known for each in self._judged], dtype=bool)
        named = np.array([_is_identified(each) for each in self._judged], dtype=bool)
        right = np.array([each.probe.rank == 1 for each in self._judged], dtype=bool)
        return {
            "identified_known": self._figures.share(named & right, among=known),
            "identified_wrongly": self._figures.share(named & ~right, among=known),
            "identified_unknown": self._figures.share(named, among=~known),
        }

    def _share(self, conditions: Iterable[bool]) -> Interval:
        values: NDArray[np.bool_] = np.array(list(conditions), dtype=bool)
        return self._figures.share(values)


def _is_identified(judged: JudgedProbe) -> bool:
    return judged.person is not None and judged.person.identified is not None


def count_identical(gallery: Sequence[PerformerFolder], files: Sequence[ProbeFile]) -> int:
    """Probes whose very bytes are in the gallery: they flatter every figure."""
    known = {_hash(picture.path) for folder in gallery for picture in folder.pictures} - {None}
    return sum(_hash(file.path) in known for file in files)


def _hash(path: Path) -> str | None:
    """None for a file that is too large or gone: it is neither enrolled nor identified."""
    try:
        return image_hash(read_picture(path))
    except InvalidInput:
        return None
