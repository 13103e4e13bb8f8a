"""Enrols a gallery: performers folder by folder, pictures streamed, the doubtful ones offered once more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from chassis.errors import Conflict, InvalidInput, MarqueeError, NotFound, Refused, Unavailable
from client.api import Marquee
from client.catalogue import EnrollImage, EnrollReply, Performer, PersonChoice, Rejection, SignalOutcome
from client.concurrency import started
from client.folders import PerformerFolder, Picture
from client.images import ImageReport
from client.patience import BUSY, GONE, PICTURES_PER_STREAM, TEMPORARY, chunks, until_back
from client.picture_file import read_picture

__all__ = ["Outcome", "PictureResult", "OnResult", "enroll_gallery"]

_FOLDERS_AT_A_TIME = 3


class Outcome(StrEnum):
    """What became of one picture."""

    ENROLLED = "enrolled"
    ALREADY = "already enrolled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PictureResult:
    """One picture of one performer."""

    folder: PerformerFolder
    path: Path
    outcome: Outcome
    reason: str
    """Why rejected; "" otherwise."""
    signals: tuple[str, ...]
    """Names of the signals that have it now."""
    missing: tuple[str, ...]
    """Names of the signals that could not be asked; repeating the command asks them again."""
    performer_id: str
    """"" when the performer was refused."""


OnResult = Callable[[PictureResult], None]


async def enroll_gallery(
    marquee: Marquee,
    folders: Sequence[PerformerFolder],
    *,
    attests_adults: bool,
    choice: PersonChoice,
    on_result: OnResult = lambda result: None,
) -> list[PictureResult]:
    """Enrol every folder and say what became of every picture, in the order of the folders.

    attests_adults: the owner's word for performers whose folder gives no birth date. `on_result` is called as
    results come. Nothing is lost by stopping: another run finds enrolled pictures enrolled.

    A file that is too large or cannot be read is rejected without being sent. Raises Unavailable, Overloaded
    or DeadlineExceeded when the server is gone or has too much to do, and stays so for the second try.
    """
    calls = [_Enrolment(marquee, folder, attests_adults, choice, on_result).run for folder in folders]
    async with started(calls, at_a_time=_FOLDERS_AT_A_TIME) as tasks:
        return [result for results in await asyncio.gather(*tasks) for result in results]


class _Enrolment:
    """One folder's way into the catalogue."""

    def __init__(
        self,
        marquee: Marquee,
        folder: PerformerFolder,
        attests_adults: bool,
        choice: PersonChoice,
        on_result: OnResult,
    ) -> None:
        self._marquee = marquee
        self._folder = folder
        self._attests_adults = attests_adults
        self._choice = choice
        self._on_result = on_result
        self._performer_id = ""
        self._new: set[Path] = set()
        self._settled: dict[Path, PictureResult] = {}

    async def run(self) -> list[PictureResult]:
        try:
            performer = await self._upserted()
        except (Refused, Conflict, InvalidInput, NotFound) as exc:
            return [self._tell(self._rejected(picture.path, str(exc))) for picture in self._folder.pictures]
        self._performer_id = performer.id
        return await self._pictures()

    async def _upserted(self) -> Performer:
        try:
            return await self._marquee.upsert(self._described())
        except BUSY:  # a server that is not there at all is told at once
            await until_back(self._marquee)
            return await self._marquee.upsert(self._described())

    def _described(self) -> Performer:
        performer = self._folder.performer
        is_attested = performer.adult_attested or (self._attests_adults and performer.birth_date is None)
        return replace(performer, adult_attested=is_attested)

    async def _pictures(self) -> list[PictureResult]:
        """First all pictures; then once more those that the enrolled ones may have made clear."""

        def settle(picture: Picture, reply: EnrollReply) -> None:
            self._settle(self._result(picture.path, reply))

        def settle_if_final(picture: Picture, reply: EnrollReply) -> None:
            if reply.is_new:  # the second reply would call it a duplicate
                self._new.add(picture.path)
            if not _may_improve(reply):
                settle(picture, reply)

        if not await self._offer(self._unsettled(), settle_if_final):
            await until_back(self._marquee)
            await self._offer(self._unsettled(), settle_if_final)
        if not await self._offer(self._unsettled(), settle):
            raise Unavailable(GONE)
        return [self._settled[picture.path] for picture in self._folder.pictures]

    def _unsettled(self) -> list[Picture]:
        return [picture for picture in self._folder.pictures if picture.path not in self._settled]

    async def _offer(
        self, pictures: Sequence[Picture], on_reply: Callable[[Picture, EnrollReply], None]
    ) -> bool:
        """Send pictures and pass on the replies; whether every picture got one or cannot be read."""
        waiting = {str(picture.path): picture for picture in pictures}
        for chunk in chunks(pictures, PICTURES_PER_STREAM):
            try:
                async for reply in self._marquee.enroll(self._images(chunk)):
                    on_reply(waiting.pop(reply.key), reply)
            except TEMPORARY:
                break
        return all(picture.path in self._settled for picture in waiting.values())

    async def _images(self, pictures: Sequence[Picture]) -> AsyncIterator[EnrollImage]:
        for picture in pictures:
            try:
                image = await asyncio.to_thread(read_picture, picture.path)
            except InvalidInput as exc:
                await self._fail(picture, str(exc))
                continue
            yield EnrollImage(
                key=str(picture.path),
                performer_id=self._performer_id,
                image=image,
                uri=str(picture.path.resolve()),
                date=picture.date,
                choice=self._choice,
            )

    async def _fail(self, picture: Picture, detail: str) -> None:
        """Reject it here, and have it counted there: what nobody could read is seen all the same."""
        uri = str(picture.path.resolve())
        failed = ImageReport(performer_id=self._performer_id, uri=uri, failure="unreadable", detail=detail)
        with suppress(MarqueeError):  # the owner is told in any case
            await self._marquee.record_images([failed])
        self._settle(self._rejected(picture.path, detail))

    def _result(self, path: Path, reply: EnrollReply) -> PictureResult:
        if not reply.is_accepted:
            words = reply.reason.value if reply.reason else "rejected"
            return self._rejected(path, reply.detail or words)
        is_new = reply.is_new or path in self._new
        return PictureResult(
            folder=self._folder,
            path=path,
            outcome=Outcome.ENROLLED if is_new else Outcome.ALREADY,
            reason="",
            signals=tuple(signal.value for signal, outcome in reply.signals.items() if _has(outcome)),
            missing=tuple(signal.value for signal, outcome in reply.signals.items() if _missed(outcome)),
            performer_id=self._performer_id,
        )

    def _rejected(self, path: Path, reason: str) -> PictureResult:
        return PictureResult(self._folder, path, Outcome.REJECTED, reason, (), (), self._performer_id)

    def _settle(self, result: PictureResult) -> None:
        self._settled[result.path] = self._tell(result)

    def _tell(self, result: PictureResult) -> PictureResult:
        self._on_result(result)
        return result


def _may_improve(reply: EnrollReply) -> bool:
    """Ambiguous pictures become clear once faces are enrolled; what was down may be up."""
    reasons = {reason for outcome in reply.signals.values() for reason in outcome.rejected}
    if reply.reason is not None:
        reasons.add(reply.reason)
    return Rejection.AMBIGUOUS_PERSON in reasons or any(reason.is_temporary for reason in reasons)


def _has(outcome: SignalOutcome) -> bool:
    return outcome.accepted > 0 or any(reason.is_enough for reason in outcome.rejected)


def _missed(outcome: SignalOutcome) -> bool:
    return any(reason.is_temporary for reason in outcome.rejected)
