"""Which addresses may be connected to: public ones, and those the owner names.

The check is made on the very address that a socket is about to connect to, for every connection, whatever a
name resolved to before: there is no moment between looking and connecting.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from client.fetching.limits import Network

__all__ = ["PrivateAddress", "is_public", "socket_maker"]

# RFC 6052: a translator in the network makes the IPv4 address in the last 32 bits of it.
_TRANSLATED = IPv6Network("64:ff9b::/96")
# Relays that carry IPv4: nobody needs them for pictures, and they would carry a private address as well.
_RELAYED = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class PrivateAddress(OSError):
    """An address that nobody may be sent to."""

    def __init__(self) -> None:
        # One text for all of them: whoever tries several addresses then reports this very error.
        super().__init__(errno.EACCES, "the address is not public")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is on the public internet: no private, loopback, link-local, multicast, reserved or
    unspecified one (IANA's special-purpose registries), also where IPv6 carries IPv4.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _TRANSLATED:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if any(address in network for network in _RELAYED):
            return False
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )


def socket_maker(allowed: Sequence[Network]) -> Callable[[_AddressInfo], socket.socket]:
    """What makes the socket for an address, and refuses to for one that is neither public nor allowed."""

    def make(info: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, target = info
        address = ip_address(target[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        if not is_public(address) and not any(plain in network for network in allowed):
            raise PrivateAddress
        return socket.socket(family, kind, protocol)

    return make
