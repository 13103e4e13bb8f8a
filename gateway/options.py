"""What the caller of Identify wants, and knows."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from gateway.hints import Hint
from gateway.observations import Signal
from marquee.gateway.v1.identification_pb2 import (
    FUSION_POLICY_UNSPECIFIED,
    FUSION_POLICY_WEIGHTED,
    FusionPolicy,
)

__all__ = ["IdentifyOptions"]


@dataclass(frozen=True, slots=True)
class IdentifyOptions:
    """How to look at an image, and what the caller knows of it.

    policy: unspecified leaves it to `settled_policy`. hints: each is scored in any case. scene_date, natural
    (probability, 0..1, that the one person in the picture looks natural; None: not stated) and the hints'
    factors: BAYESIAN alone makes use of them.
    """

    max_candidates: int = 10
    signals: frozenset[Signal] = frozenset(Signal)
    policy: FusionPolicy.ValueType = FUSION_POLICY_UNSPECIFIED
    scene_date: datetime.date | None = None
    hints: tuple[Hint, ...] = ()
    natural: float | None = None

    @property
    def hinted(self) -> tuple[str, ...]:
        """Performers with a hint, in order, each once."""
        return tuple(dict.fromkeys(one.performer_id for one in self.hints))

    @property
    def may_be_bayesian(self) -> bool:
        """Whether what only BAYESIAN needs is to be asked for."""
        return self.policy != FUSION_POLICY_WEIGHTED
