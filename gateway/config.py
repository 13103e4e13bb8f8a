"""The gateway's settings, section [gateway]."""

from __future__ import annotations

import pydantic

from chassis.config import MetricsPort, Port, ProcessConfig, ServerSection
from gateway.catalogue.target import Target

__all__ = ["GatewaySection", "GatewayConfig"]


class GatewaySection(ServerSection):
    """[gateway]"""

    port: Port = 50050
    """TCP port."""
    metrics_port: MetricsPort = 9090
    """TCP port of /metrics; 0 lets the system choose, "off" serves none."""
    face_address: str = pydantic.Field(default="127.0.0.1:50051", min_length=1)
    """host:port of the face service."""
    tattoo_address: str = pydantic.Field(default="127.0.0.1:50052", min_length=1)
    """host:port of the tattoo service."""
    body_address: str = pydantic.Field(default="127.0.0.1:50053", min_length=1)
    """host:port of the body service."""

    candidates: int = pydantic.Field(default=20, ge=1, le=200)
    """Least number of candidates that each signal is asked for, for each thing seen."""
    observe_seconds: float = pydantic.Field(default=10.0, gt=0)
    """Longest that a signal may look at one image; the answer then goes without it."""
    score_seconds: float = pydantic.Field(default=5.0, gt=0)
    """Longest that a signal may compare; the answer then goes without it."""
    reserve_seconds: float = pydantic.Field(default=0.1, ge=0)
    """Kept back of a caller's time to fuse and to answer."""
    enroll_seconds: float = pydantic.Field(default=20.0, gt=0)
    """Longest that a signal may take to store one image's observations, or to forget a performer."""
    status_seconds: float = pydantic.Field(default=2.0, gt=0)
    """Longest that a signal may take to say how it is or what it has."""
    lookup_seconds: float = pydantic.Field(default=10.0, gt=0)
    """Longest that a signal may take to say what it has of a thousand performers, for coverage."""
    pending_seconds: float = pydantic.Field(default=20.0, gt=0)
    """Longest that a signal may take to list what waits for a new model; counting many takes its time."""
    transfer_seconds: float = pydantic.Field(default=60.0, gt=0)
    """Longest that a signal may take to store one portion of an import, to give one page of an export, or to
    compare one portion of a calibration's probes."""

    unknown_probability: float = pydantic.Field(default=0.3, gt=0, lt=1)
    """Policy BAYESIAN: how often a person in a picture is nobody of the gallery."""
    identified_probability: float = pydantic.Field(default=0.9, gt=0, le=1)
    """Policy BAYESIAN: probability from which on the first candidate is identified."""

    images_in_flight: int = pydantic.Field(default=4, ge=1, le=256)
    """Images of one EnrollImages or ReembedImages stream that are worked on at a time; no more are read."""
    threads: int = pydantic.Field(default=2, ge=1, le=64)
    """Threads for geometry and hashing."""
    adults_only_authorities: tuple[str, ...] = (
        "stashdb.org",
        "theporndb.net",
        "fansdb.cc",
        "javstash.org",
        "pmvstash.org",
    )
    """Authorities of external ids whose own policy is adults only; an id of theirs attests adulthood."""

    target_faces: int = pydantic.Field(default=5, ge=0)
    """Faces wanted of each performer: coverage counts who has fewer, `marquee backfill` looks for more."""
    target_good_faces: int = pydantic.Field(default=3, ge=0)
    """Of these, faces of quality above 0.8."""
    target_bodies: int = pydantic.Field(default=3, ge=0)
    """Measured bodies wanted of each performer."""

    @property
    def target(self) -> Target:
        """How much of each performer is wanted."""
        return Target(self.target_faces, self.target_good_faces, self.target_bodies)

    @property
    def adults_only(self) -> frozenset[str]:
        """The authorities in the form that ids are compared in."""
        return frozenset(authority.casefold() for authority in self.adults_only_authorities)


class GatewayConfig(ProcessConfig):
    """All settings that the gateway reads."""

    gateway: GatewaySection = GatewaySection()
    """[gateway]"""
