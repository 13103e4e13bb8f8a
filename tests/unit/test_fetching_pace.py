"""Turns for one host, addresses, and what a Retry-After means."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.fetching.addresses import PrivateAddress, is_public, socket_maker
from client.fetching.attempt import retry_after_seconds
from client.fetching.failures import Failure, FetchFailed
from client.fetching.pace import HostPace

_NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


class _Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def _pace(time: _Time, *, interval: float = 2.0) -> HostPace:
    return HostPace(interval=interval, longest_wait=60.0, clock=lambda: time.now, sleep=time.sleep)


async def test_each_host_has_its_own_turns() -> None:
    """One request each interval to one host; another host waits for none of them."""
    time = _Time()
    pace = _pace(time)
    turns = []
    for host in ("a", "a", "a", "b"):
        await pace.turn(host)
        turns.append((host, time.now))
    assert turns == [("a", 100.0), ("a", 102.0), ("a", 104.0), ("b", 104.0)]
    assert repr(pace) == "HostPace(2 hosts, one request each 2 s)"


async def test_a_resting_host_is_left_alone() -> None:
    """A short rest is waited for, a long one refused; a shorter one later does not end it."""
    time = _Time()
    pace = _pace(time)
    pace.rest("a", 30)
    pace.rest("a", 1)
    await pace.turn("a")
    assert time.now == 130.0
    pace.rest("a", 61)
    with pytest.raises(FetchFailed) as raised:
        await pace.turn("a")
    assert raised.value.failure is Failure.RATE_LIMITED
    assert raised.value.is_over
    await pace.turn("b")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 15 Jun 2024 12:01:00 GMT", 60.0),
        ("Sat, 15 Jun 2024 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_what_retry_after_asks_for(value: str, seconds: float | None) -> None:
    """Seconds or a day; what is neither asks for nothing."""
    assert retry_after_seconds(value, now=_NOW) == seconds


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(text: str) -> None:
    """Of the internet, also where IPv6 carries them."""
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0", "10.1.2.3", "127.0.0.1", "169.254.0.1", "172.31.0.1", "192.168.0.1", "198.18.0.1",
     "224.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "fe80::1%1", "fc00::1", "ff00::1",
     "::ffff:192.168.0.1",
     "64:ff9b::7f00:1", "2001::1", "2002:7f00:1::", "2001:db8::1", "fec0::1"],
)  # fmt: skip
def test_addresses_that_are_not_public(text: str) -> None:
    """IANA's special-purpose ones, and relays that could carry them."""
    assert not is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_however_it_is_carried(address: object) -> None:
    """Mapped or translated into IPv6 it is as public as alone."""
    number = int(address)  # type: ignore[call-overload]  # an IPv4Address
    alone = is_public(ip_address(number))
    assert is_public(ip_address((0xFFFF << 32) | number)) is alone
    assert is_public(ip_address((0x64FF9B << 96) | number)) is alone


def test_a_socket_is_made_for_the_allowed_only() -> None:
    """A network that the owner names, also in its IPv6 form; nothing beside it."""
    make = socket_maker([ip_network("192.168.1.0/24")])
    for host, family in (("192.168.1.9", 2), ("::ffff:192.168.1.9", 10)):
        make((family, 1, 6, "", (host, 80))).close()
    for host in ("192.168.2.9", "127.0.0.1"):
        with pytest.raises(PrivateAddress):
            make((2, 1, 6, "", (host, 80)))
