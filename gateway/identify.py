"""Who is in one image: the story, from the bytes to the ranking."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chassis.errors import Unavailable
from chassis.images import ImageHeader, ImageLimits, inspect
from chassis.work import WorkPool
from gateway.asking import performers_to_ask, queries_for
from gateway.bayesian import Belief
from gateway.catalogue.names import NamedPerformer, PerformerNames
from gateway.catalogue.size import GallerySize
from gateway.circumstances import Circumstances
from gateway.fan_out import Branch, attempt, time_for
from gateway.fusing import Compared, fuse_bayesian, fuse_weighted, stated_of
from gateway.fusion.moment import moment_of
from gateway.known_tattoos import TattooFacts
from gateway.observations import FaceSeen, Signal, TattooSeen
from gateway.observing import Looks, look
from gateway.options import IdentifyOptions
from gateway.people import Scene, read_scene
from gateway.ranked import RankedPerson
from gateway.reports import Report, report_of
from gateway.settling import settled_policy
from gateway.signals import Scores, Signals
from marquee.gateway.v1.identification_pb2 import FUSION_POLICY_WEIGHTED, FusionPolicy

__all__ = ["Identify", "Identification", "Prior", "Timing"]

# Of the caller's time, the share that looking at the image may take; the rest is for comparing.
_OBSERVE_SHARE = 0.7
# Performers of whom the tattoo signal tells what it knows at a time.
_MOST_FACTS = 1000


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
    """The people of an image with their rankings, the performers by id, and one report for each signal.

    years: probability that the scene was made in each; empty where the date is known, or nothing tells.
    """

    width: int
    height: int
    people: tuple[RankedPerson, ...]
    unassigned: tuple[TattooSeen, ...]
    drawn: tuple[FaceSeen, ...]
    performers: Mapping[str, NamedPerformer]
    reports: tuple[Report, ...]
    policy: FusionPolicy.ValueType
    milliseconds: float
    years: Mapping[int, float] = field(default_factory=dict)


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
        today: Callable[[], datetime.date] = datetime.date.today,
    ) -> None:
        self._signals = signals
        self._names = names
        self._size = size
        self._work = work
        self._limits = limits
        self._timing = timing
        self._prior = prior
        self._today = today

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
        asked = [performers_to_ask(view, options.hinted) for view in scene.people]
        compared = await self._compare(scene, looks, asked, options)
        options = replace(options, policy=settled_policy(options.policy, compared.scoring))
        people, years = await self._fuse(scene, looks, compared, options)
        return Identification(
            width=header.width,
            height=header.height,
            people=people,
            unassigned=scene.unassigned,
            drawn=scene.drawn,
            performers=compared.performers,
            reports=tuple(report_of(one, compared.scoring.get(one.signal)) for one in looks.all),
            policy=options.policy,
            milliseconds=(time.monotonic() - started) * 1e3,
            years=years,
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
        self, scene: Scene, looks: Looks, asked: Sequence[tuple[str, ...]], options: IdentifyOptions
    ) -> Compared:
        """Ask the signals for scores and, at the same time, the catalogue who these performers are.

        Every search has ended by now, so whoever is forgotten before the request began is not found here.
        """
        everybody = set[str]().union(*asked)
        scoring = asyncio.create_task(self._score(scene, asked))
        knowing = asyncio.create_task(self._facts(scene, looks, everybody, options))
        try:
            performers = await self._names(
                everybody,
                with_past=options.may_be_bayesian,
                with_history=options.may_be_bayesian and stated_of(scene, options) is not None,
            )
            return Compared(await scoring, performers, await knowing)
        finally:
            scoring.cancel()
            knowing.cancel()

    async def _facts(
        self, scene: Scene, looks: Looks, performers: Iterable[str], options: IdentifyOptions
    ) -> Mapping[str, TattooFacts]:
        """Tattoos that could be missing: asked for where tattoos were looked for and regions are in view.

        What is not told in time is neutral.
        """
        is_seen = any(view.regions_in_view for view in scene.people)
        if not (options.may_be_bayesian and looks.tattoo.has_answered and is_seen):
            return {}
        seconds = time_for(self._timing.score_seconds, reserve=self._timing.reserve_seconds)
        wanted, client = sorted(performers), self._signals.tattoo
        portions = [wanted[first : first + _MOST_FACTS] for first in range(0, len(wanted), _MOST_FACTS)]
        calls = [attempt(client.signal, client.facts(one, timeout=seconds)) for one in portions]
        told = [branch.value for branch in await asyncio.gather(*calls) if branch.value is not None]
        return {performer_id: facts for one in told for performer_id, facts in one.items()}

    async def _fuse(
        self, scene: Scene, looks: Looks, compared: Compared, options: IdentifyOptions
    ) -> tuple[tuple[RankedPerson, ...], Mapping[int, float]]:
        """The people ranked, and the years in which the scene may have been made."""
        if options.policy == FUSION_POLICY_WEIGHTED:
            return await self._work.run(fuse_weighted, scene, looks, compared, options), {}
        belief = Belief(await self._size(), self._prior.unknown, self._prior.identified)
        circumstances = Circumstances(
            moment_of(options.scene_date, today=self._today()),
            pasts={one.id: one.past for one in compared.performers.values()},
            facts=compared.facts,
            natural=stated_of(scene, options),
            is_searched=looks.tattoo.has_answered and not scene.unassigned,
        )
        return await self._work.run(fuse_bayesian, scene, compared, options, belief, circumstances)

    async def _score(self, scene: Scene, asked: Sequence[tuple[str, ...]]) -> dict[Signal, Branch[Scores]]:
        """One Score for each signal that saw somebody, for all people and exactly their candidates."""
        seconds = time_for(self._timing.score_seconds, reserve=self._timing.reserve_seconds)
        calls = [
            attempt(client.signal, client.score(queries, timeout=seconds))
            for client in self._signals.all
            if (queries := queries_for(client.signal, scene.people, asked))
        ]
        return {branch.signal: branch for branch in await asyncio.gather(*calls)}
