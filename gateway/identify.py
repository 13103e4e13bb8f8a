"""Who is in one image: the story, from the bytes to the ranking."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.errors import Unavailable
from chassis.images import ImageHeader, ImageLimits, inspect
from chassis.work import WorkPool
from gateway.asking import performers_to_ask, queries_for
from gateway.bayesian import Belief, believe, rank_bayesian
from gateway.catalogue.names import NamedPerformer, PerformerNames
from gateway.catalogue.size import GallerySize
from gateway.fan_out import Branch, attempt, time_for
from gateway.fusion.exclusive import exclusive
from gateway.observations import Signal, TattooSeen
from gateway.observing import Looks, look
from gateway.people import Scene, read_scene
from gateway.ranked import PersonScores, RankedPerson
from gateway.ranking import rank_person
from gateway.reports import Report, report_of
from gateway.signals import Scores, Signals
from marquee.gateway.v1.identification_pb2 import (
    FUSION_POLICY_BAYESIAN,
    FUSION_POLICY_WEIGHTED,
    FusionPolicy,
)

__all__ = ["Identify", "IdentifyOptions", "Identification", "Prior", "Timing"]

# Of the caller's time, the share that looking at the image may take; the rest is for comparing.
_OBSERVE_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class IdentifyOptions:
    """How to look at an image. No policy makes use of `scene_date` yet."""

    max_candidates: int = 10
    signals: frozenset[Signal] = frozenset(Signal)
    policy: FusionPolicy.ValueType = FUSION_POLICY_WEIGHTED
    scene_date: datetime.date | None = None
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """Limits in seconds, and the least number of candidates that each signal is asked for."""

    observe_seconds: float
    score_seconds: float
    reserve_seconds: float
    candidates: int


@dataclass(frozen=True, slots=True)
class Prior:
    """What BAYESIAN believes and decides by; see `Belief`."""

    unknown: float
    identified: float


@dataclass(frozen=True, slots=True)
class Identification:
    """The people of an image with their rankings, the performers by id, and one report for each signal."""

    width: int
    height: int
    people: tuple[RankedPerson, ...]
    unassigned: tuple[TattooSeen, ...]
    performers: Mapping[str, NamedPerformer]
    reports: tuple[Report, ...]
    policy: FusionPolicy.ValueType
    milliseconds: float


class Identify:
    """Fans out to the signals, associates what they see with people, and fuses."""

    def __init__(
        self,
        signals: Signals,
        names: PerformerNames,
        size: GallerySize,
        work: WorkPool,
        *,
        limits: ImageLimits,
        timing: Timing,
        prior: Prior,
    ) -> None:
        self._signals = signals
        self._names = names
        self._size = size
        self._work = work
        self._limits = limits
        self._timing = timing
        self._prior = prior

    async def __call__(self, image: bytes, options: IdentifyOptions) -> Identification:
        """Identify everybody in a JPEG, PNG or WebP image.

        A signal that is down or late is named in its report; the answer goes without what it did not say.

        Raises:
            InvalidImage: not an acceptable image, or one that a signal cannot decode.
            Unavailable: no requested signal answered, or the catalogue cannot be reached: without it nobody
                can be named, and nobody could tell who is forgotten.
        """
        started = time.monotonic()
        header = await self._work.run(inspect, image, self._limits)
        looks = await self._look(image, options)
        scene = await self._read(header, looks)
        asked = [performers_to_ask(view, options.hints) for view in scene.people]
        scoring, performers = await self._compare(scene, asked)
        belief = await self._belief(options)
        return Identification(
            width=header.width,
            height=header.height,
            people=await self._work.run(_rank, scene, looks, scoring, performers, options, belief),
            unassigned=scene.unassigned,
            performers=performers,
            reports=tuple(report_of(one, scoring.get(one.signal)) for one in looks.all),
            policy=options.policy,
            milliseconds=(time.monotonic() - started) * 1e3,
        )

    async def _look(self, image: bytes, options: IdentifyOptions) -> Looks:
        timing = self._timing
        looks = await look(
            self._signals,
            image,
            wanted=options.signals,
            max_candidates=max(timing.candidates, options.max_candidates),
            seconds=time_for(timing.observe_seconds, reserve=timing.reserve_seconds, share=_OBSERVE_SHARE),
        )
        if not any(one.has_answered for one in looks.all):
            missing = ", ".join(one.signal.label for one in looks.all if one.has_failed)
            raise Unavailable(f"no signal answered: {missing}")
        return looks

    async def _read(self, header: ImageHeader, looks: Looks) -> Scene:
        return await self._work.run(
            read_scene,
            looks.face.seen,
            looks.body.seen,
            looks.tattoo.seen,
            width=header.width,
            height=header.height,
        )

    async def _compare(
        self, scene: Scene, asked: Sequence[tuple[str, ...]]
    ) -> tuple[dict[Signal, Branch[Scores]], dict[str, NamedPerformer]]:
        """Ask the signals for scores and, at the same time, the catalogue who these performers are.

        Every search has ended by now, so whoever is forgotten before the request began is not found here.
        """
        scoring = asyncio.create_task(self._score(scene, asked))
        try:
            performers = await self._names(set[str]().union(*asked))
            return await scoring, performers
        finally:
            scoring.cancel()

    async def _belief(self, options: IdentifyOptions) -> Belief | None:
        """None under WEIGHTED, which has none."""
        if options.policy != FUSION_POLICY_BAYESIAN:
            return None
        return Belief(await self._size(), self._prior.unknown, self._prior.identified)

    async def _score(self, scene: Scene, asked: Sequence[tuple[str, ...]]) -> dict[Signal, Branch[Scores]]:
        """One Score for each signal that saw somebody, for all people and exactly their candidates."""
        seconds = time_for(self._timing.score_seconds, reserve=self._timing.reserve_seconds)
        calls = [
            attempt(client.signal, client.score(queries, timeout=seconds))
            for client in self._signals.all
            if (queries := queries_for(client.signal, scene.people, asked))
        ]
        return {branch.signal: branch for branch in await asyncio.gather(*calls)}


def _rank(
    scene: Scene,
    looks: Looks,
    scoring: Mapping[Signal, Branch[Scores]],
    performers: Mapping[str, NamedPerformer],
    options: IdentifyOptions,
    belief: Belief | None,
) -> tuple[RankedPerson, ...]:
    """By BAYESIAN where there is a belief to start from, else by WEIGHTED."""
    views = [(view, _scores_of(str(index), scoring)) for index, view in enumerate(scene.people)]
    known, hints, limit = performers.keys(), options.hints, options.max_candidates
    if belief is None:
        points = {one.signal: one.operating_points for one in looks.all}
        return tuple(
            rank_person(view, scores=scores, known=known, hints=hints, operating_points=points, limit=limit)
            for view, scores in views
        )
    alone = [believe(view, scores=scores, known=known, hints=hints, belief=belief) for view, scores in views]
    return tuple(
        rank_bayesian(view, believed, scores=scores, known=known, belief=belief, limit=limit)
        for (view, scores), believed in zip(views, exclusive(alone), strict=True)
    )


def _scores_of(key: str, scoring: Mapping[Signal, Branch[Scores]]) -> PersonScores:
    """One person's scores; a signal that did not compare the person is missing."""
    return {
        signal: branch.value[key]
        for signal, branch in scoring.items()
        if branch.value is not None and key in branch.value
    }
