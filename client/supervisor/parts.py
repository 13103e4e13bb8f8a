"""Which services there are, in which order they start, and where they listen."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, cast

import pydantic

from chassis.config import ProcessConfig, Section, load_config
from chassis.errors import ConfigError
from chassis.postgres.migrations import SchemaSource

__all__ = ["Part", "StackSettings", "discover_parts", "load_settings", "free_ports", "schema_sources"]

GATEWAY = "gateway"
_GROUP = "marquee.services"
_DAY_ONE_PORTS = {GATEWAY: 50050, "face": 50051, "tattoo": 50052, "body": 50053}


@dataclass(frozen=True, slots=True)
class Part:
    """One service: its name in the settings and the package that `python -m` runs."""

    name: str
    package: str

    @property
    def is_gateway(self) -> bool:
        return self.name == GATEWAY

    @property
    def health_name(self) -> str:
        """Its readiness in the health service: the full name of its gRPC service."""
        if self.is_gateway:
            return "marquee.gateway.v1.IdentificationService"
        return f"marquee.{self.name}.v1.{self.name.capitalize()}Service"

    @property
    def schema(self) -> SchemaSource:
        """Its PostgreSQL schema and who brings the migrations."""
        return SchemaSource("catalogue" if self.is_gateway else self.name, self.package)


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What the supervisor takes from the settings of all processes."""

    process: ProcessConfig
    listens: dict[str, tuple[str, int]]
    """Host and port of each part, by name."""


class _Listen(Section):
    """The fields of a service's section that concern the supervisor; the service checks the others."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = pydantic.Field(default=0, ge=0, le=65535)


def discover_parts() -> list[Part]:
    """All installed parts in the order they start: the gateway, who asks the others, last.

    Raises ConfigError when there is no gateway, as when the distribution is not installed.
    """
    parts = [Part(point.name, point.value) for point in entry_points(group=_GROUP)]
    if not any(part.is_gateway for part in parts):
        raise ConfigError("no services are installed: install the distribution `marquee` (pip install .)")
    return sorted(parts, key=lambda part: (part.is_gateway, _DAY_ONE_PORTS.get(part.name, 0), part.name))


def schema_sources(parts: Sequence[Part]) -> list[SchemaSource]:
    """Schemas in the order they migrate: the catalogue first, since the others reference it."""
    return [part.schema for part in sorted(parts, key=lambda part: not part.is_gateway)]


def load_settings(parts: Sequence[Part]) -> StackSettings:
    """Read the settings once. A port that is not set is the documented one. Raises ConfigError."""
    fields: dict[str, Any] = {part.name: (_Listen, _Listen()) for part in parts}
    schema = cast(type[ProcessConfig], pydantic.create_model("_Stack", __base__=ProcessConfig, **fields))
    config = load_config(schema)
    listens = {part.name: _listen(part, getattr(config, part.name)) for part in parts}
    return StackSettings(config, listens)


def _listen(part: Part, settings: _Listen) -> tuple[str, int]:
    port = settings.port or _DAY_ONE_PORTS.get(part.name, 0)
    return settings.host, port or free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different TCP ports of the loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
