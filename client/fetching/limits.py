"""What fetching may take, and where from."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from chassis.images import ImageLimits

__all__ = ["FetchLimits", "Network"]

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Bounds of one fetcher. All seconds are above 0."""

    images: ImageLimits = field(default_factory=ImageLimits)
    """Largest picture, in bytes and pixels."""
    connect_seconds: float = 10.0
    """Longest that connecting may take."""
    idle_seconds: float = 20.0
    """Longest without a byte."""
    total_seconds: float = 60.0
    """Longest that one request may take, however slowly it drips."""
    redirects: int = 5
    """Most redirects of one try."""
    tries: int = 3
    """Most tries of one URL, where it may help."""
    first_pause_seconds: float = 1.0
    """At most before the second try; it doubles with each, and the pause is a random part of it."""
    longest_wait_seconds: float = 60.0
    """Longest that a host's Retry-After is waited for; whoever wants more is left for another run."""
    host_interval_seconds: float = 1.0
    """From the start of one request to a host to that of the next."""
    allowed_networks: tuple[Network, ...] = ()
    """Addresses that are not public and may be fetched from all the same: the owner's own servers."""
