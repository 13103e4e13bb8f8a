"""Candidates verified by key points: of the most alike views, which show the very same tattoo."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from chassis.errors import MarqueeError
from chassis.signal.operating_point import OperatingPoint
from chassis.work import WorkPool
from services.tattoo.agreement import agreeing_points
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.key_points import KeyPoints
from services.tattoo.screening import most_paired
from services.tattoo.template import Template

__all__ = ["Agreement", "KeyPointSource", "Ranking", "VerifyCandidates", "verified"]

# The database answers within a millisecond or two each time, or it has other troubles.
_PATIENCE_SECONDS = 0.25
# Of one call; a few milliseconds each.
_MOST_TEMPLATES = 64
# Agreeing points that are worth half the way from a similarity to 1.
_HALF_SURE = 20

# Templates of a call that are compared at the same time.
_AT_ONCE = 2

_Key = TypeVar("_Key")
_T = TypeVar("_T")
_Views = list[tuple[int, str]]
"""Rows and whose they are."""


class KeyPointSource(Protocol):
    """Where key points of enrolled views are. Raises Unavailable and DeadlineExceeded as a database does.

    By row; those that have none, or none of the version in use, are left out.
    """

    async def of_rows(self, seqs: Collection[int]) -> Mapping[int, KeyPoints]:
        """All of each row."""

    async def starts_of_rows(self, seqs: Collection[int]) -> Mapping[int, bytes]:
        """The bytes of each row's first points."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """A template and the performers to compare it with."""

    template: Template
    performer_ids: tuple[str, ...] | None = None
    """The most similar first; None: everybody."""
    except_images: frozenset[str] = frozenset()
    """Hashes of images whose views are not compared."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many key points of a template agree with an enrolled view, and the row of that view."""

    points: int
    seq: int


class VerifyCandidates:
    """Compares key points of each template with those of enrolled views.

    candidates: with how many; 0: nothing is verified. screened: how many of the most alike views are looked
    over for these, by their first points; shared between the templates of a call. Where that is no more than
    `candidates` each, the most alike ones are compared.
    """

    def __init__(self, source: KeyPointSource, pool: WorkPool, *, candidates: int, screened: int = 0) -> None:
        self._source = source
        self._pool = pool
        self.candidates = candidates
        self.screened = screened

    def __repr__(self) -> str:
        return f"<VerifyCandidates, {self.candidates} each, of {self.screened}>"

    async def __call__(
        self, enrolled: EnrolledTattoos, rankings: Sequence[Ranking]
    ) -> list[Mapping[str, int]]:
        """As `agreements`, without the rows."""
        return [
            {performer_id: one.points for performer_id, one in of_one.items()}
            for of_one in await self.agreements(enrolled, rankings)
        ]

    async def agreements(
        self, enrolled: EnrolledTattoos, rankings: Sequence[Ranking]
    ) -> list[Mapping[str, Agreement]]:
        """Of each ranking, how many key points agree, by performer; only those of whom enough do.

        Of many templates the 64 best are verified. Nothing is where the database does not answer, twice
        within a quarter of a second: neutral.
        """
        chosen = self._chosen(rankings)
        if not chosen:
            return [{} for _ in rankings]
        alike = await self._pool.run(self._views, enrolled, [rankings[place] for place in chosen])
        views = await self._screen(list(chosen.values()), alike)
        stored = await self._read(self._source.of_rows, views)
        pairs = zip(chosen.values(), views, strict=True)
        compared = await self._together([partial(_agreeing, *each, stored) for each in pairs])
        found = dict(zip(chosen, compared, strict=True))
        return [found.get(place, {}) for place in range(len(rankings))]

    def _chosen(self, rankings: Sequence[Ranking]) -> dict[int, KeyPoints]:
        """Key points to verify, by place."""
        if self.candidates < 1:
            return {}
        best_first = sorted(enumerate(rankings), key=lambda pair: -pair[1].template.quality)
        able = [
            (place, one.template.key_points)
            for place, one in best_first
            if one.template.key_points is not None and one.performer_ids != ()
        ]
        return dict(able[:_MOST_TEMPLATES])

    def _views(self, enrolled: EnrolledTattoos, rankings: Sequence[Ranking]) -> list[_Views]:
        """Of each, those that are screened, the most alike first."""
        most = max(self.candidates, self.screened // len(rankings))
        # As many views as performers: those of further performers are less alike than all of these.
        return [
            enrolled.most_alike(
                one.template.vectors,
                one.performer_ids[:most] if one.performer_ids is not None else None,
                most,
                except_images=one.except_images,
            )
            for one in rankings
        ]

    async def _screen(self, points: Sequence[KeyPoints], alike: Sequence[_Views]) -> list[_Views]:
        """Of each, those whose first points pair most; the most alike where these cannot be read."""
        many = [of_one for of_one in alike if len(of_one) > self.candidates]
        starts = await self._read(self._source.starts_of_rows, many)
        if not starts:
            return [of_one[: self.candidates] for of_one in alike]
        pairs = zip(points, alike, strict=True)
        return await self._together([partial(_screened, *each, starts, self.candidates) for each in pairs])

    async def _read(
        self, read: Callable[[Collection[int]], Awaitable[Mapping[int, _T]]], views: Iterable[_Views]
    ) -> Mapping[int, _T]:
        seqs = {seq for of_one in views for seq, _ in of_one}
        if not seqs:
            return {}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await read(seqs)
        except (MarqueeError, TimeoutError):
            return {}

    async def _together(self, calls: Iterable[Callable[[], _T]]) -> list[_T]:
        """What each gives, a few at a time: others want threads of the pool, too."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(call: Callable[[], _T]) -> _T:
            async with gate:
                return await self._pool.run(call)

        tasks = [asyncio.ensure_future(one(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        finally:  # where one fails, nobody waits for the others
            for task in tasks:
                task.cancel()


def verified(
    similarities: Mapping[_Key, float], agreeing: Mapping[_Key, int], point: OperatingPoint
) -> dict[_Key, float]:
    """Return similarities -1..1 that count agreeing key points, too.

    n agreeing points are worth w = n / (n + 20): a similarity s becomes s + (1 - s) w. Where a tattoo is
    somebody's, it is nobody else's: of a candidate with a lower w than the highest one, the part of s that
    impostors seldom reach, above a, their 99th percentile, counts less by the difference of the two. Rises
    with s and n, stays within -1..1, and changes nothing where nothing agrees.
    """
    worth = {key: agreeing.get(key, 0) / (agreeing.get(key, 0) + _HALF_SURE) for key in similarities}
    most = max(worth.values(), default=0.0)
    return {key: _counted(one, worth[key], most, point.impostor_p99) for key, one in similarities.items()}


def _counted(similarity: float, worth: float, most: float, impostor: float) -> float:
    doubted = similarity - max(0.0, similarity - impostor) * (most - worth)
    return doubted + (1 - doubted) * worth


def _screened(points: KeyPoints, views: _Views, starts: Mapping[int, bytes], most: int) -> _Views:
    if len(views) <= most:
        return views
    able = [one for one in views if one[0] in starts]
    return [able[place] for place in most_paired(points, [starts[seq] for seq, _ in able], most)]


def _agreeing(
    points: KeyPoints, views: Iterable[tuple[int, str]], stored: Mapping[int, KeyPoints]
) -> dict[str, Agreement]:
    most: dict[str, Agreement] = {}
    for seq, performer_id in views:
        count = agreeing_points(points, stored[seq]) if seq in stored else 0
        if count > (most[performer_id].points if performer_id in most else 0):
            most[performer_id] = Agreement(count, seq)
    return most
