"""Following the database for as long as a process serves: hints, polls, and files when it is time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import asyncpg
import structlog

from chassis.config import IndexSection
from chassis.errors import MarqueeError
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate
from chassis.recall import Recall, is_low
from chassis.signal.feed import Moment
from chassis.signal.followed import Followed
from chassis.signal.model_sets import ModelKey

__all__ = ["FollowWatch"]

_LISTEN_AGAIN_SECONDS = 5.0
_FILES_SECONDS = 1.0
# After a start others have more need of the processor.
_FIRST_RECALL_SECONDS = 30.0
# What was withdrawn before the last round is noted no longer: everyone who follows has seen it since.
_TRIM_SECONDS = 3600.0
_PATIENCE_SECONDS = 10.0

_log = structlog.get_logger()

AllFollowed = Callable[[], Iterable[Followed[Any, Any]]]
Look = Callable[[], Awaitable[None]]


class FollowWatch:
    """Has everything followed catch up once a second, and at once when the database gives a hint.

    A hint can be lost, so it only saves waiting; polling is what can be relied on. also: what else looks at
    the database each time, such as calibrations.
    """

    def __init__(
        self,
        pool: Pool,
        channel: str,
        followed: AllFollowed,
        settings: IndexSection | None = None,
        *,
        also: Sequence[Look] = (),
        trim_seconds: float = _TRIM_SECONDS,
    ) -> None:
        self._pool = pool
        self._channel = channel
        self._followed = followed
        self._also = tuple(also)
        self._trim_seconds = trim_seconds
        self._settings = settings or IndexSection()
        self._hint = asyncio.Event()
        self._troubles: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<FollowWatch of {self._channel}, {self._troubles or 'fine'}>"

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Follow for the time of the block; afterwards other processes may write the files."""
        loops = (
            self._follow(),
            self._listen(),
            self._keep_files(),
            self._delete_files(),
            self._watch_recall(),
            self._trim(),
        )
        tasks = [asyncio.create_task(one) for one in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for one in self._followed():
                await one.close()

    async def _follow(self) -> None:
        is_behind = False
        while True:
            if not is_behind:
                # Not `wait_for`, which on Python 3.11 forgets a cancellation that comes together with a hint.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_seconds):
                        await self._hint.wait()
            self._hint.clear()
            followed = tuple(self._followed())
            looks: list[tuple[Look, dict[str, str]]] = [(one.look, one.troubles) for one in followed]
            looks += [(look, self._troubles) for look in self._also]
            tried = await asyncio.gather(*(self._tried("following", *one) for one in looks))
            is_behind = all(tried[: len(followed)]) and any(one.is_behind for one in followed)

    async def _keep_files(self) -> None:
        while True:
            await asyncio.sleep(_FILES_SECONDS)
            for one in tuple(self._followed()):
                await self._tried("saving indexes", one.keep_files, one.troubles)

    async def _delete_files(self) -> None:
        """Not held up by a compaction."""
        while True:
            await asyncio.sleep(_FILES_SECONDS)
            for one in tuple(self._followed()):
                await self._tried("deleting indexes", one.delete_files, one.troubles)

    async def _watch_recall(self) -> None:
        await asyncio.sleep(min(_FIRST_RECALL_SECONDS, self._settings.recall_seconds))
        while True:
            for one in tuple(self._followed()):
                work = partial(one.check_recall, sample=self._settings.recall_sample)
                await self._tried("measuring recall", work, one.troubles)
                for key, recall in one.recalls.items():
                    self._warn(key, recall)
            await asyncio.sleep(self._settings.recall_seconds)

    async def _trim(self) -> None:
        seen: Moment | None = None
        while True:
            for one in tuple(self._followed())[:1]:  # all follow one table
                if seen is not None:
                    await self._tried("trimming notes of withdrawals", partial(one.trim, seen), one.troubles)
                seen = one.state.moment
            await asyncio.sleep(self._trim_seconds)

    def _warn(self, key: ModelKey, recall: Recall) -> None:
        if is_low(recall, self._settings.recall_warning):
            _log.warning(
                "the index misses some of what is near",
                model=key[0],
                version=key[1],
                recall_at_10=round(recall.at_10, 4),
                same_performer_recall=round(recall.same_performer, 4),
            )

    async def _listen(self) -> None:
        while True:
            await self._tried("listening", self._listen_once, self._troubles)
            await asyncio.sleep(_LISTEN_AGAIN_SECONDS)

    async def _listen_once(self) -> None:
        """Return when the connection is lost."""
        with translate():
            async with self._pool.acquire(timeout=_PATIENCE_SECONDS) as connection:
                await self._heard(connection)

    async def _heard(self, connection: Connection) -> None:
        lost = asyncio.Event()

        def on_hint(*_: object) -> None:
            self._hint.set()

        def on_loss(*_: object) -> None:
            lost.set()

        connection.add_termination_listener(on_loss)
        await connection.add_listener(self._channel, on_hint)
        self._hint.set()  # what was notified before
        try:
            await lost.wait()
        finally:
            if not lost.is_set():
                with suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):  # lost just now
                    connection.remove_termination_listener(on_loss)
                    await connection.remove_listener(self._channel, on_hint)

    async def _tried(self, what: str, work: Look, troubles: dict[str, str]) -> bool:
        """Whether it went well. What fails is told once; the next try may go well.

        work: called here, so that nothing is left unawaited by who is cancelled before this begins.
        """
        trouble = ""
        try:
            await work()
        except MarqueeError as exc:  # the database is away: what is known goes on serving
            trouble = str(exc)
            if trouble != troubles.get(what):
                _log.warning("cannot go on now", what=what, cause=trouble)
        except Exception:
            trouble = f"{what} failed; the log has the cause"
            _log.exception("failed", what=what)
        troubles[what] = trouble
        return not trouble
