"""How the whole system is, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from client.transfer.values import NotSearchable
from client.values import Signal

__all__ = [
    "ModelUse",
    "ModelState",
    "IndexRecall",
    "IndexState",
    "ModelChange",
    "CalibrationInUse",
    "ServiceState",
    "DoNotIdentify",
    "SystemStatus",
]


class ModelUse(StrEnum):
    """What a model that makes vectors is used for."""

    SERVING = "serving"
    PREPARING = "preparing"
    """It takes over when enough observations are described by it."""
    UNSPECIFIED = "unspecified"
    """It makes no vectors, or the server does not say."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model that a service runs."""

    role: str
    name: str
    version: str
    dimension: int
    """Of its vectors; 0 for a model that makes none."""
    vectors: int
    """In the index; those of a model that is being prepared are not searched yet."""
    use: ModelUse = ModelUse.UNSPECIFIED
    index: IndexState | None = None
    """How its vectors are found; None where they are in no index."""


@dataclass(frozen=True, slots=True)
class IndexRecall:
    """What the index finds of what an exact search finds, shares 0..1 over a sample."""

    at_10: float
    """Of the ten nearest vectors."""
    same_performer: float
    """Of the vectors with another one of the same performer near, those that found one."""
    sample: int
    is_low: bool
    """Whether one of them is below what the settings want."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """How the index of one model's vectors is."""

    tombstones: int
    """Places of vectors that are gone."""
    seconds_behind: float
    """Since the service looked at the database last."""
    rebuilding: str
    """Why everything is read anew; "" while it is not."""
    problem: str
    """What went wrong last; "" when nothing did."""
    snapshot_generation: int
    """Of the index file; 0 without one."""
    snapshot_at: str
    """When it was written, RFC 3339; "" without one."""
    recall: IndexRecall | None
    """None before it was measured."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A change of the models that make a signal's vectors, or what one left behind.

    The old models serve until the switch; what the new ones do not describe by then may not be found until
    they do.
    """

    observations: int
    """Enrolled."""
    described: int
    """Of these, by every new model."""
    switch_coverage: float
    """Share of described observations, 0..1, at which the switch is made."""
    problem: str = ""
    """What keeps the change from going on; "" when nothing does."""

    @property
    def pending(self) -> int:
        """Observations that wait for a description."""
        return self.observations - self.described

    @property
    def coverage(self) -> float:
        """Share of described observations, 0..1; 1 when there are none."""
        return self.described / self.observations if self.observations else 1.0


@dataclass(frozen=True, slots=True)
class CalibrationInUse:
    """What turns a signal's similarities into likelihood ratios."""

    is_of_this_library: bool
    """Whether it was fitted on this library; else it came with Marquee."""
    provenance: str
    """Which pairs, of which pictures."""
    genuine_pairs: int
    impostor_pairs: int
    created_at: str
    """RFC 3339; "" when it came with Marquee."""
    weight: float
    """What ratios are multiplied by when evidence is fused, 0..1."""


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
    model_change: ModelChange | None = None
    """None: every enrolled observation is described by the models that are wanted."""
    not_searchable: tuple[NotSearchable, ...] = ()
    """Stored observations that no model in use describes."""
    calibration: CalibrationInUse | None = None
    """None: similarities say nothing of probabilities."""

    @property
    def is_preparing(self) -> bool:
        """Whether models wait to take over."""
        return any(model.use is ModelUse.PREPARING for model in self.models)


@dataclass(frozen=True, slots=True)
class DoNotIdentify:
    """How much is on the list of whom not to identify."""

    external_ids: int
    images: int


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """The gateway and every signal."""

    gateway: ServiceState
    signals: Mapping[Signal, ServiceState]
    do_not_identify: DoNotIdentify | None = None
    """None: the server does not say."""

    @property
    def is_complete(self) -> bool:
        """Whether everybody is ready."""
        return all(state.is_ready for state in (self.gateway, *self.signals.values()))
