"""One image described again: the story from the bytes to the committed rows of the new models."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.errors import InvalidInput, MarqueeError, NotFound, Refused, Unavailable
from chassis.images import ImageLimits, image_hash, inspect
from chassis.protos import parse_uuid
from chassis.work import WorkPool
from gateway.backfill.matching import matched
from gateway.backfill.reembedding import (
    Reembedding,
    could_not_ask,
    has_known,
    not_found_again,
    told,
)
from gateway.enrolment.admission import Admission
from gateway.fan_out import Branch, attempt, restated
from gateway.observations import Signal
from gateway.observing import Look, look
from gateway.signals import ChangingClient, Pending, PendingPage, Signals

__all__ = ["ImageToReembed", "Reembedded", "ReembedImage", "ReembedLimits"]

# More than a performer can have in one image.
_ALL_OF_ONE_IMAGE = 1000


@dataclass(frozen=True, slots=True)
class ImageToReembed:
    """As the client sent it; nothing is checked yet. The image's bytes are not shown."""

    key: str
    performer_id: str
    image: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reembedded:
    """What became of one image; no signals and no detail: nothing waits for it."""

    key: str
    image_hash: str
    signals: tuple[Reembedding, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReembedLimits:
    """Seconds for saying what waits, looking and storing."""

    pending_seconds: float
    observe_seconds: float
    enroll_seconds: float


class ReembedImage:
    """Finds the stored observations of an image again by their place, and has them described by all models.

    Nothing else in the picture is learned, and nobody is picked: that was done at enrolment.
    """

    def __init__(
        self,
        signals: Signals,
        admission: Admission,
        work: WorkPool,
        *,
        images: ImageLimits,
        limits: ReembedLimits,
    ) -> None:
        self._signals = signals
        self._admission = admission
        self._work = work
        self._images = images
        self._limits = limits

    async def __call__(self, item: ImageToReembed) -> Reembedded:
        """Returns after the rows are committed. What cannot be described is an answer, not an error."""
        digest = await self._work.run(image_hash, item.image)
        try:
            return Reembedded(item.key, digest, await self._reembed(item, digest))
        except NotFound:  # forgotten, and everything that waited with them
            return Reembedded(item.key, digest)
        except (InvalidInput, Refused) as exc:
            return Reembedded(item.key, digest, detail=str(exc))
        except MarqueeError as exc:  # the gateway itself has no time or no database: ask all signals again
            signals = tuple(could_not_ask(one.signal, exc, str(exc)) for one in self._signals.changing)
            return Reembedded(item.key, digest, signals)

    async def _reembed(self, item: ImageToReembed, digest: str) -> tuple[Reembedding, ...]:
        performer_id = _checked(item)
        await self._work.run(inspect, item.image, self._images)
        waiting, away = await self._waiting(performer_id, digest)
        if not waiting:
            return away
        date = _earliest_date(waiting)
        await self._admission.check(performer_id, date)
        looks = await self._look(item.image, frozenset(waiting))
        await self._admission.admit(performer_id, date)
        described = await asyncio.gather(
            *(
                self._describe(client, waiting[client.signal], looks[client.signal])
                for client in self._signals.changing
                if client.signal in waiting
            )
        )
        return tuple(sorted((*described, *away), key=lambda one: one.signal))

    async def _waiting(
        self, performer_id: str, digest: str
    ) -> tuple[Mapping[Signal, Sequence[Pending]], tuple[Reembedding, ...]]:
        """What waits in this image, by signal, and the signals that could not be asked."""
        branches: list[Branch[PendingPage]] = await asyncio.gather(
            *(
                attempt(client.signal, self._pending(client, performer_id, digest))
                for client in self._signals.changing
            )
        )
        waiting = {one.signal: one.value.observations for one in branches if one.value is not None}
        away = (
            could_not_ask(one.signal, one.error, str(restated(one)))
            for one in branches
            if one.error is not None
        )
        return {signal: found for signal, found in waiting.items() if found}, tuple(away)

    async def _pending(self, client: ChangingClient[Any], performer_id: str, digest: str) -> PendingPage:
        return await client.pending(
            performer_id=performer_id,
            image_hash=digest,
            page_size=_ALL_OF_ONE_IMAGE,
            timeout=self._limits.pending_seconds,
        )

    async def _look(self, image: bytes, wanted: frozenset[Signal]) -> Mapping[Signal, Look[Any]]:
        """Raises InvalidImage when nobody can decode the image."""
        looks = await look(
            self._signals, image, wanted=wanted, max_candidates=0, seconds=self._limits.observe_seconds
        )
        return {one.signal: one for one in looks.all}

    async def _describe(
        self, client: ChangingClient[Any], stored: Sequence[Pending], look: Look[Any]
    ) -> Reembedding:
        """Raises NotFound: the performer was forgotten meanwhile."""
        if look.branch is not None and look.branch.error is not None:
            return could_not_ask(
                client.signal, look.branch.error, str(restated(look.branch)), missed=len(stored)
            )
        places = matched([one.box for one in stored], [one.box for one in look.seen])
        if not places:
            return not_found_again(client.signal, len(stored))
        matches = [(stored[at], look.seen[found]) for at, found in sorted(places.items())]
        return await self._store(client, matches, waiting=len(stored))

    async def _store(
        self, client: ChangingClient[Any], matches: Sequence[tuple[Pending, Any]], *, waiting: int
    ) -> Reembedding:
        performer_id = matches[0][0].performer_id
        call = client.reembed(performer_id, matches, timeout=self._limits.enroll_seconds)
        branch = await attempt(client.signal, call)
        if isinstance(branch.error, NotFound):
            raise branch.error
        if branch.value is None:
            return _failed(branch, waiting)
        undescribed = 0
        if has_known(branch.value):
            again = await attempt(client.signal, self._still_pending(client, [one for one, _ in matches]))
            if again.value is None:
                return _failed(again, waiting)
            undescribed = again.value
        return told(
            client.signal,
            waiting=waiting,
            matches=len(matches),
            outcome=branch.value,
            undescribed=undescribed,
        )

    async def _still_pending(self, client: ChangingClient[Any], stored: Sequence[Pending]) -> int:
        """How many of the stored observations of one image wait all the same."""
        first = stored[0]
        page = await self._pending(client, first.performer_id, first.source.image_hash)
        return len({one.box for one in stored} & {one.box for one in page.observations})


def _checked(item: ImageToReembed) -> str:
    """The performer's id. Raises InvalidInput naming the field."""
    if not item.key:
        raise InvalidInput("key: must not be empty")
    return parse_uuid(item.performer_id)


def _earliest_date(waiting: Mapping[Signal, Sequence[Pending]]) -> datetime.date | None:
    """Of the image, as stored: whoever was an adult then was one at every later date, too."""
    dates = [one.date for observations in waiting.values() for one in observations]
    return min((date for date in dates if date is not None), default=None)


def _failed(branch: Branch[Any], waiting: int) -> Reembedding:
    """Nothing is known to be described. The branch has no value."""
    return could_not_ask(
        branch.signal, branch.error or Unavailable("no answer"), str(restated(branch)), missed=waiting
    )
