"""One try: from a URL, through its redirects, to bytes that look like a picture."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from chassis.errors import InvalidImage
from chassis.images import inspect
from client.fetching.addresses import PrivateAddress
from client.fetching.failures import Failure, FetchFailed
from client.fetching.limits import FetchLimits
from client.fetching.pace import HostPace
from client.fetching.urls import next_url

__all__ = ["Attempt", "retry_after_seconds"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STATUSES = {
    401: Failure.FORBIDDEN,
    403: Failure.FORBIDDEN,
    404: Failure.NOT_FOUND,
    408: Failure.TIMEOUT,
    410: Failure.NOT_FOUND,
    429: Failure.RATE_LIMITED,
    451: Failure.FORBIDDEN,
}
_CHUNK = 64 * 1024
# What pictures are sent as by servers that do not know their type.
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})


class Attempt:
    """Asks through a session; each call is one try."""

    def __init__(self, session: aiohttp.ClientSession, pace: HostPace, limits: FetchLimits) -> None:
        self._session = session
        self._pace = pace
        self._limits = limits

    async def __call__(self, url: URL) -> bytes:
        """The picture's bytes, its header checked. Raises FetchFailed."""
        data = await self._follow(url)
        try:
            await asyncio.to_thread(inspect, data, self._limits.images)
        except InvalidImage as exc:
            raise FetchFailed(Failure.NOT_AN_IMAGE, f"{url}: {exc}") from exc
        return data

    async def _follow(self, url: URL) -> bytes:
        here = url
        for _ in range(self._limits.redirects + 1):
            found = await self._ask(here)
            if isinstance(found, bytes):
                return found
            here = found
        raise FetchFailed(
            Failure.TOO_MANY_REDIRECTS, f"{url}: leads on more than {self._limits.redirects} times"
        )

    async def _ask(self, url: URL) -> bytes | URL:
        """The body, or where it is instead. Waiting for a turn is no part of its time."""
        await self._pace.turn(url.host or "")
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                return await self._get(url)
        except TimeoutError as exc:
            raise FetchFailed(Failure.TIMEOUT, f"{url}: did not come in time") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise _translated(url, exc) from exc

    async def _get(self, url: URL) -> bytes | URL:
        async with self._session.get(url, allow_redirects=False) as response:
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location:
                return next_url(url, location)
            self._check_status(url, response)
            self._check_headers(url, response)
            return await self._body(url, response)

    def _check_status(self, url: URL, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status == 200:
            return
        seconds = retry_after_seconds(response.headers.get("Retry-After", ""), now=datetime.now(UTC))
        if seconds is not None and status in (429, 503):
            self._pace.rest(url.host or "", seconds)
        failure = Failure.SERVER_ERROR if status >= 500 else _STATUSES.get(status, Failure.REFUSED)
        raise FetchFailed(failure, f"{url}: HTTP status {status}")

    def _check_headers(self, url: URL, response: aiohttp.ClientResponse) -> None:
        """What need not be read to be refused."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in _UNTYPED and not kind.startswith("image/"):
            raise FetchFailed(Failure.NOT_AN_IMAGE, f"{url}: is {kind}")
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise FetchFailed(Failure.COMPRESSED, f"{url}: sent packed as {encoding}")
        if (response.content_length or 0) > self._limits.images.max_bytes:
            raise self._too_large(url)

    async def _body(self, url: URL, response: aiohttp.ClientResponse) -> bytes:
        """Never more of it than a picture may have, whatever the headers said."""
        data = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) > self._limits.images.max_bytes:
                raise self._too_large(url)
        return bytes(data)

    def _too_large(self, url: URL) -> FetchFailed:
        most = self._limits.images.max_bytes / 2**20
        return FetchFailed(Failure.TOO_LARGE, f"{url}: is larger than {most:g} MB")


def retry_after_seconds(value: str, *, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3); None without a sensible one."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _translated(url: URL, error: Exception) -> FetchFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PrivateAddress):
            return FetchFailed(Failure.PRIVATE_ADDRESS, f"{url}: leads to an address that is not public")
        cause = cause.__cause__
    if isinstance(error, aiohttp.InvalidURL):
        return FetchFailed(Failure.BAD_URL, f"{url}: is no URL that can be fetched")
    return FetchFailed(Failure.UNREACHABLE, f"{url}: {error or type(error).__name__}")
