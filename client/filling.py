"""Enrols more of performers who have less than is wanted: picture by picture, until it is enough."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from chassis.errors import NotFound, Unavailable
from client.api import Marquee
from client.catalogue import EnrollImage, EnrollReply, Rejection
from client.concurrency import worked_off
from client.fetching import FetchFailed
from client.filling_results import Filled, Outcome, PictureResult, outcome_of, reason_of
from client.filling_sources import KnownPicture, Pictures, ToFill
from client.images import ImageReport
from client.patience import GONE, TEMPORARY, until_back
from client.system import SystemStatus
from client.values import Signal

__all__ = ["OnPicture", "OnPerformer", "fill"]

# Pictures of several people may become clear once faces are enrolled; so many are kept until then.
_MOST_DOUBTFUL = 4

OnPicture = Callable[[PictureResult], None]
OnPerformer = Callable[[Filled], None]
_T = TypeVar("_T")


async def fill(
    marquee: Marquee,
    performers: Iterable[ToFill],
    pictures: Pictures,
    *,
    at_a_time: int,
    on_picture: OnPicture = lambda result: None,
    on_performer: OnPerformer = lambda filled: None,
) -> None:
    """Read and enrol pictures of each performer until there is enough, or there are no more.

    The server knows what became of a picture before `on_picture` is told, so nothing is lost by stopping,
    and nothing is read twice. Raises Unavailable, Overloaded or DeadlineExceeded when the server, or a
    signal, is gone and stays so: pictures without their tattoos would not be offered again.
    """

    async def one(performer: ToFill) -> None:
        on_performer(await _Filling(marquee, performer, on_picture).run(pictures))

    await worked_off(performers, one, at_a_time=at_a_time)


class _Filling:
    """One performer's way to enough."""

    def __init__(self, marquee: Marquee, performer: ToFill, on_picture: OnPicture) -> None:
        self._marquee = marquee
        self._performer = performer
        self._on_picture = on_picture
        self._is_reached = False
        self._has_new_faces = False
        self._new: set[str] = set()
        self._doubtful: list[tuple[KnownPicture, bytes, EnrollReply]] = []

    async def run(self, pictures: Pictures) -> Filled:
        if self._performer.is_attested:
            with suppress(NotFound):  # forgotten meanwhile
                await self._try_all(await self._again_if_away(partial(pictures, self._performer)))
        return Filled(
            self._performer.performer_id,
            self._performer.name,
            is_reached=self._is_reached,
            is_refused=not self._performer.is_attested,
        )

    async def _try_all(self, pictures: Sequence[KnownPicture]) -> None:
        for picture in pictures:
            if self._is_reached:
                break
            try:
                data = await picture.read()
            except FetchFailed as exc:
                await self._fail(picture, exc)
            else:
                await self._try(picture, data)
        for picture, data, reply in self._doubtful:
            is_worth_it = self._has_new_faces and not self._is_reached
            self._tell(picture, await self._offer(picture, data) if is_worth_it else reply)

    async def _try(self, picture: KnownPicture, data: bytes) -> None:
        """Enrol a picture, or keep it until the others have been seen."""
        reply = await self._offer(picture, data)
        is_doubtful = reply.reason is Rejection.AMBIGUOUS_PERSON
        if is_doubtful and len(self._doubtful) < _MOST_DOUBTFUL:
            self._doubtful.append((picture, data, reply))
        else:
            self._tell(picture, reply)

    async def _offer(self, picture: KnownPicture, data: bytes) -> EnrollReply:
        """The server's reply; a signal that was away is given one more chance."""
        image = EnrollImage(
            key=picture.uri,
            performer_id=self._performer.performer_id,
            image=data,
            uri=picture.uri,
            date=picture.date,
            source=picture.source,
        )
        reply = await self._again_if_away(partial(_enrolled, self._marquee, image))
        self._note(picture, reply)
        if _is_temporary(reply):
            await until_back(self._marquee, _is_ready)
            reply = await self._again_if_away(partial(_enrolled, self._marquee, image))
            self._note(picture, reply)
        if picture.uri in self._new:
            self._is_reached = await self._is_enough()
        return reply

    def _note(self, picture: KnownPicture, reply: EnrollReply) -> None:
        if reply.is_new:
            self._new.add(picture.uri)
        face = reply.signals.get(Signal.FACE)
        self._has_new_faces |= face is not None and face.accepted > 0

    async def _is_enough(self) -> bool:
        """Raises NotFound for somebody who was forgotten, Unavailable when nobody can say."""
        performer_id = self._performer.performer_id
        found = await self._again_if_away(partial(self._marquee.coverage_of, [performer_id]))
        if performer_id not in found:
            raise NotFound("no such performer, or forgotten")
        is_below = found[performer_id].is_below_target
        if is_below is None:
            raise Unavailable(GONE)
        return not is_below

    async def _fail(self, picture: KnownPicture, error: FetchFailed) -> None:
        report = ImageReport(
            performer_id=self._performer.performer_id,
            uri=picture.uri,
            source=picture.source,
            date=picture.date,
            failure=error.failure.value,
            detail=str(error),
        )
        await self._again_if_away(partial(self._marquee.record_images, [report]))
        outcome = Outcome.UNREACHABLE if error.failure.is_passing else Outcome.FAILED
        self._on_picture(self._result(picture, outcome, error.failure.value, str(error)))

    def _tell(self, picture: KnownPicture, reply: EnrollReply) -> None:
        outcome = outcome_of(reply, is_new=picture.uri in self._new)
        self._on_picture(self._result(picture, outcome, reason_of(reply), reply.detail))

    def _result(self, picture: KnownPicture, outcome: Outcome, reason: str, detail: str) -> PictureResult:
        return PictureResult(
            performer_id=self._performer.performer_id,
            name=self._performer.name,
            uri=picture.uri,
            source=picture.source,
            outcome=outcome,
            reason=reason,
            detail=detail,
        )

    async def _again_if_away(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Wait for a server that is away or busy, and ask once more."""
        try:
            return await call()
        except TEMPORARY:
            await until_back(self._marquee)
            return await call()


async def _enrolled(marquee: Marquee, image: EnrollImage) -> EnrollReply:
    replies = [reply async for reply in marquee.enroll([image])]
    if not replies:
        raise Unavailable(GONE)
    return replies[0]


def _is_temporary(reply: EnrollReply) -> bool:
    reasons = {reason for outcome in reply.signals.values() for reason in outcome.rejected}
    return any(reason.is_temporary for reason in reasons | ({reply.reason} if reply.reason else set()))


def _is_ready(seen: SystemStatus) -> bool:
    return all(state.is_ready for state in seen.signals.values())
