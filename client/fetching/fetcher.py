"""Fetches pictures: one session, one pace for each host, tries that are bounded."""

from __future__ import annotations

from contextlib import AsyncExitStack
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from chassis.errors import Unavailable
from client.fetching.addresses import socket_maker
from client.fetching.attempt import Attempt
from client.fetching.failures import FetchFailed
from client.fetching.limits import FetchLimits
from client.fetching.pace import HostPace
from client.fetching.urls import checked_url

__all__ = ["Fetcher", "USER_AGENT"]

USER_AGENT = f"Marquee/{version('marquee')} (pictures for a private library, asked for by its owner)"
_LONGEST_PAUSE = 30.0


class Fetcher:
    """`async with Fetcher(limits) as fetcher`: calls may run side by side.

    resolver: looks up names; by default the system does. Whatever it says, every address is checked.
    """

    def __init__(
        self, limits: FetchLimits | None = None, *, resolver: AbstractResolver | None = None
    ) -> None:
        self._limits = limits or FetchLimits()
        self._resolver = resolver
        self._attempt: Attempt | None = None
        self._stack = AsyncExitStack()
        self._pace = HostPace(
            interval=self._limits.host_interval_seconds, longest_wait=self._limits.longest_wait_seconds
        )

    def __repr__(self) -> str:
        return f"Fetcher({self._pace!r})"

    async def __aenter__(self) -> Self:
        session = await self._stack.enter_async_context(self._session())
        self._attempt = Attempt(session, self._pace, self._limits)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._attempt = None
        await self._stack.aclose()

    async def fetch(self, url: str) -> bytes:
        """The bytes of the picture at a URL, recognised by its header and not decoded. Raises FetchFailed."""
        if self._attempt is None:
            raise Unavailable("the fetcher is not open")
        target = checked_url(url)
        tries = AsyncRetrying(
            stop=stop_after_attempt(self._limits.tries),
            wait=wait_random_exponential(multiplier=self._limits.first_pause_seconds, max=_LONGEST_PAUSE),
            retry=retry_if_exception(_is_worth_another_try),
            reraise=True,
        )
        return await tries(self._attempt, target)

    def _session(self) -> aiohttp.ClientSession:
        limits = self._limits
        connector = aiohttp.TCPConnector(
            socket_factory=socket_maker(limits.allowed_networks),
            resolver=self._resolver or aiohttp.ThreadedResolver(),
            use_dns_cache=False,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "image/jpeg, image/png, image/webp",
                "Accept-Encoding": "identity",
            },
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.connect_seconds, sock_read=limits.idle_seconds
            ),
            auto_decompress=False,
            trust_env=False,  # a proxy would connect where it likes
        )


def _is_worth_another_try(error: BaseException) -> bool:
    return isinstance(error, FetchFailed) and error.failure.is_passing and not error.is_over
