"""Fetching pictures from real HTTP servers that behave, and from ones that do not."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import numpy as np
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from chassis.images import ImageLimits
from client.fetching import Failure, Fetcher, FetchFailed, FetchLimits
from tests.fakes.pictures import encode, gradient
from tests.fakes.web import Web, dripping, endless, redirect, reply, serve_web

_PICTURE = encode(gradient(), ".jpg")
_QUICK = FetchLimits(
    allowed_networks=(ip_network("127.0.0.2"),),
    images=ImageLimits(max_bytes=200_000, max_pixels=1_000_000),
    host_interval_seconds=0.001,
    first_pause_seconds=0.001,
    connect_seconds=5,
    total_seconds=5,
)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A server whose address the owner allows."""
    async with serve_web("127.0.0.2") as web:
        yield web


async def _fetch(url: str, limits: FetchLimits = _QUICK, **options: AbstractResolver) -> bytes:
    async with Fetcher(limits, **options) as fetcher:
        return await fetcher.fetch(url)


async def _failure(url: str, limits: FetchLimits = _QUICK, **options: AbstractResolver) -> FetchFailed:
    with pytest.raises(FetchFailed) as raised:
        await _fetch(url, limits, **options)
    return raised.value


def _limits(**changes: object) -> FetchLimits:
    values = {name: getattr(_QUICK, name) for name in FetchLimits.__dataclass_fields__}
    return FetchLimits(**{**values, **changes})


async def test_a_picture_comes_as_it_is(web: Web) -> None:
    """Whatever the server calls it; the request says who asks, and asks for nothing packed."""
    for kind in ("image/jpeg", "IMAGE/PNG; charset=x", "application/octet-stream", ""):
        assert await _fetch(web.put("/1", reply(200, _PICTURE, Content_Type=kind))) == _PICTURE
    headers = web.asked[0].headers
    assert headers["user-agent"].startswith("Marquee/")
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


async def test_redirects_are_followed_and_counted(web: Web) -> None:
    """Relative ones too, up to the bound; a circle ends."""
    web.put("/picture", reply(200, _PICTURE))
    assert await _fetch(web.put("/a", redirect("/picture", 308))) == _PICTURE
    assert await _fetch(web.put("/b", redirect(web.url("/a"), 301))) == _PICTURE
    circle = await _failure(web.put("/c", redirect("/c")))
    assert circle.failure is Failure.TOO_MANY_REDIRECTS
    assert sum(one.path == "/c" for one in web.asked) == _QUICK.redirects + 1
    nowhere = await _failure(web.put("/d", reply(302)))
    assert nowhere.failure is Failure.REFUSED


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0x7f.1", "[::]"],
)
async def test_nobody_is_sent_to_this_machine(host: str) -> None:
    """However the address is written: no connection is made, directly or by a redirect."""
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(serve_web("127.0.0.2"))
        inside = [await stack.enter_async_context(serve_web("127.0.0.1", port=web.port))]
        if _has_ipv6():
            inside.append(await stack.enter_async_context(serve_web("::1", port=web.port)))
        for target in inside:
            target.put("/secret", reply(200, _PICTURE))
        url = f"http://{host}:{web.port}/secret"
        direct = await _failure(url)
        moved = await _failure(web.put("/moved", redirect(url)))
        assert direct.failure is moved.failure is Failure.PRIVATE_ADDRESS
        assert [one.connections for one in inside] == [0] * len(inside)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1",
     "255.255.255.255", "192.0.2.1", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]",
     "[64:ff9b::a00:1]", "[2002:a00:1::]", "[::ffff:10.0.0.1]"],
)  # fmt: skip
async def test_nobody_is_sent_to_a_network_of_somebody(web: Web, host: str) -> None:
    """Private, link-local (clouds keep secrets there), shared, multicast, reserved, carried by IPv6."""
    url = f"http://{host}:9/x"
    assert (await _failure(url)).failure is Failure.PRIVATE_ADDRESS
    assert (await _failure(web.put("/moved", redirect(url)))).failure is Failure.PRIVATE_ADDRESS


@pytest.mark.parametrize("host", ["2130706433", "127.1", "017700000001"])
async def test_numbers_that_mean_an_address_are_none(host: str) -> None:
    """What only some programs take for an address is no URL, or a private one."""
    failure = (await _failure(f"http://{host}:9/x")).failure
    assert failure in (Failure.BAD_URL, Failure.PRIVATE_ADDRESS)


class _Names(AbstractResolver):
    """Answers each question with the next list of addresses."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None:
        return None


async def test_a_name_that_changes_its_address_gains_nothing(web: Web) -> None:
    """Good at the first question, this machine at the next: what is connected to is what is checked."""
    async with serve_web("127.0.0.1", port=web.port) as inside:
        inside.put("/1", reply(200, _PICTURE))
        web.put("/1", reply(200, _PICTURE))
        names = _Names(["127.0.0.2"], ["127.0.0.1"])
        async with Fetcher(_QUICK, resolver=names) as fetcher:
            assert await fetcher.fetch(f"http://picture.example:{web.port}/1") == _PICTURE
            with pytest.raises(FetchFailed) as raised:
                await fetcher.fetch(f"http://picture.example:{web.port}/1")
        assert raised.value.failure is Failure.PRIVATE_ADDRESS
        assert (names.asked, inside.connections) == (2, 0)


async def test_of_several_addresses_only_the_good_are_tried(web: Web) -> None:
    """A private one beside a public one is passed over; nothing but private ones is said."""
    async with serve_web("127.0.0.1", port=web.port) as inside:
        url = f"http://picture.example:{web.port}/1"
        web.put("/1", reply(200, _PICTURE))
        assert await _fetch(url, resolver=_Names(["127.0.0.1", "127.0.0.2"])) == _PICTURE
        only = await _failure(url, resolver=_Names(["127.0.0.1", "10.0.0.1"]))
        assert only.failure is Failure.PRIVATE_ADDRESS
        assert inside.connections == 0


async def test_without_the_owners_word_no_private_address_is_fetched(web: Web) -> None:
    """The default allows nothing."""
    url = web.put("/1", reply(200, _PICTURE))
    assert (await _failure(url, _limits(allowed_networks=()))).failure is Failure.PRIVATE_ADDRESS
    assert web.connections == 0


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/1.jpg", "file:///etc/passwd", "data:image/png;base64,", "gopher://example.org/",
     "/1.jpg", "http://", "http:///1.jpg", "http://user@example.org/", "http://user:secret@example.org/",
     "http://[::1/", "http://example.org:99999/", "", "x" * 5000],
)  # fmt: skip
async def test_what_is_no_plain_url_is_not_fetched(web: Web, url: str) -> None:
    """Other schemes, no host, credentials, nonsense; also behind a redirect. Credentials are not repeated."""
    direct = await _failure(url)
    assert direct.failure is Failure.BAD_URL
    assert "secret" not in str(direct)
    if url.startswith(("ftp", "file", "data", "gopher", "http://u")):
        assert (await _failure(web.put("/moved", redirect(url)))).failure is Failure.BAD_URL


async def test_a_body_without_end_is_cut(web: Web) -> None:
    """At the largest picture that is taken, whether or not a length was named."""
    start = _PICTURE[:100]
    for answer in (endless(start), endless(start, Transfer_Encoding="identity")):
        failed = await _failure(web.put("/1", answer))
        assert failed.failure is Failure.TOO_LARGE


async def test_a_length_that_is_too_large_is_not_read(web: Web) -> None:
    """The header is enough."""
    url = web.put("/1", reply(200, _PICTURE, Content_Length=str(200_001)))
    assert (await _failure(url)).failure is Failure.TOO_LARGE


async def test_a_length_that_lies(web: Web) -> None:
    """Too long: the rest never comes, and another try may bring it. Too short: what comes is no picture."""
    long = web.put("/1", reply(200, _PICTURE, Content_Length=str(len(_PICTURE) + 10)))
    assert (await _failure(long)).failure is Failure.UNREACHABLE
    short = web.put("/2", reply(200, _PICTURE, Content_Length=str(len(_PICTURE) - 10)))
    assert (await _failure(short)).failure in (Failure.NOT_AN_IMAGE, Failure.UNREACHABLE)
    mended = web.put("/3", reply(200, _PICTURE, Content_Length="9999"), reply(200, _PICTURE))
    assert await _fetch(mended) == _PICTURE


async def test_a_slow_drip_ends(web: Web) -> None:
    """A byte now and then keeps no connection for ever; nor does a server that says nothing."""
    drip = web.put("/1", dripping(_PICTURE, seconds=0.05))
    assert (await _failure(drip, _limits(total_seconds=0.5, tries=1))).failure is Failure.TIMEOUT
    silent = web.put("/2", dripping(b"", seconds=60))
    assert (await _failure(silent, _limits(idle_seconds=0.2, tries=1))).failure is Failure.TIMEOUT


async def test_nothing_is_unpacked(web: Web) -> None:
    """A packed body is refused as it is: 100 MB in 100 kB stay 100 kB."""
    bomb = gzip.compress(b"\0" * 100_000_000)
    assert len(bomb) < _QUICK.images.max_bytes
    for encoding in ("gzip", "deflate", "br", "zstd"):
        url = web.put("/1", reply(200, bomb, Content_Encoding=encoding))
        assert (await _failure(url)).failure is Failure.COMPRESSED
    unsaid = web.put("/2", reply(200, bomb))
    assert (await _failure(unsaid)).failure is Failure.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>gone</html>", "text/html"),
        (b"<html>gone</html>", "image/jpeg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"GIF89a" + b"\0" * 100, "image/gif"),
        (_PICTURE, "text/html; charset=utf-8"),
        (_PICTURE[: len(_PICTURE) // 2], "image/jpeg"),
        (encode(np.zeros((1000, 2000, 3), np.uint8)), "image/png"),
        (b"", "image/jpeg"),
    ],
)
async def test_what_is_no_picture_is_told(web: Web, body: bytes, kind: str) -> None:
    """By its type, by its first bytes, by what its header says of its size."""
    assert (
        await _failure(web.put("/1", reply(200, body, Content_Type=kind)))
    ).failure is Failure.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (404, Failure.NOT_FOUND),
        (410, Failure.NOT_FOUND),
        (403, Failure.FORBIDDEN),
        (418, Failure.REFUSED),
        (204, Failure.REFUSED),
    ],
)
async def test_what_will_not_change_is_asked_once(web: Web, status: int, failure: Failure) -> None:
    """No second try."""
    failed = await _failure(web.put("/1", reply(status)))
    assert failed.failure is failure
    assert not failed.failure.is_passing
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("status", "failure"),
    [(500, Failure.SERVER_ERROR), (503, Failure.SERVER_ERROR), (429, Failure.RATE_LIMITED)],
)
async def test_what_may_change_is_asked_again_and_not_for_ever(
    web: Web, status: int, failure: Failure
) -> None:
    """So many tries; the picture comes if one of them succeeds."""
    failed = await _failure(web.put("/1", reply(status)))
    assert failed.failure is failure
    assert failed.failure.is_passing
    assert len(web.asked) == _QUICK.tries
    assert await _fetch(web.put("/2", reply(status), reply(status), reply(200, _PICTURE))) == _PICTURE


async def test_a_host_that_wants_rest_has_it(web: Web) -> None:
    """Retry-After in seconds or as a day; a long one is left for another run, and so is the whole host."""
    soon = web.put("/1", reply(429, Retry_After="0"), reply(200, _PICTURE))
    assert await _fetch(soon) == _PICTURE
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1))
    for value in ("3600", later):
        web.asked.clear()
        url, other = web.put("/2", reply(503, Retry_After=value)), web.put("/3", reply(200, _PICTURE))
        async with Fetcher(_QUICK) as fetcher:
            for each in (url, other):
                with pytest.raises(FetchFailed) as raised:
                    await fetcher.fetch(each)
            assert raised.value.failure is Failure.RATE_LIMITED
        assert [one.path for one in web.asked] == ["/2"]


async def test_nobody_there_is_said(web: Web) -> None:
    """A name without an address, a port without a server: both may be there another time."""
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        closed = f"http://127.0.0.2:{free.getsockname()[1]}/1"
    nameless = "http://nobody.invalid/1"
    for url in (closed, nameless):
        failed = await _failure(url, _limits(tries=1))
        assert failed.failure is Failure.UNREACHABLE
        assert url in str(failed)


async def test_a_broken_answer_is_no_picture(web: Web) -> None:
    """A server that speaks no HTTP."""

    async def nonsense(writer: object) -> None:
        writer.write(b"\0\1\2 nonsense\r\n\r\n")  # type: ignore[attr-defined]  # an asyncio.StreamWriter

    assert (await _failure(web.put("/1", nonsense), _limits(tries=1))).failure is Failure.UNREACHABLE


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
