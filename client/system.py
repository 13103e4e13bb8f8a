"""How the whole system is, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from client.values import Signal

__all__ = ["ModelState", "ServiceState", "SystemStatus"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model that a service runs."""

    role: str
    name: str
    version: str
    dimension: int
    """Of its vectors; 0 for a model that makes none."""
    vectors: int
    """In the index, searchable now."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What one service says of itself, or why nobody could ask it."""

    is_reachable: bool
    is_ready: bool
    reason: str
    """Why not reachable or not ready; "" otherwise."""
    version: str = ""
    uptime_seconds: float = 0.0
    models: tuple[ModelState, ...] = ()
    performers: int = 0
    observations: int = 0
    resident_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """The gateway and every signal."""

    gateway: ServiceState
    signals: Mapping[Signal, ServiceState]

    @property
    def is_complete(self) -> bool:
        """Whether everybody is ready."""
        return all(state.is_ready for state in (self.gateway, *self.signals.values()))
