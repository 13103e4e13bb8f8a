"""IdentificationService: translation only."""

from __future__ import annotations

import math
from typing import Any

import grpc

from chassis.errors import InvalidInput
from chassis.protos import parse_date, parse_uuid
from gateway.hints import Hint, bounded_hint
from gateway.identify import Identify
from gateway.observations import Signal
from gateway.options import IdentifyOptions
from gateway.signals.base import plain
from gateway.translation import to_identify_response
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import identification_pb2 as pb
from marquee.gateway.v1 import identification_pb2_grpc

__all__ = ["IdentificationServicer"]

_DEFAULT_CANDIDATES = 10
_MOST_CANDIDATES = 100
_MOST_HINTS = 100


class IdentificationServicer(identification_pb2_grpc.IdentificationServiceServicer):
    """Who is in a picture."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    async def Identify(
        self, request: pb.IdentifyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.IdentifyResponse:
        return to_identify_response(await self._identify(request.image, _options(request)))


def _options(request: pb.IdentifyRequest) -> IdentifyOptions:
    """Raises InvalidInput naming the field."""
    if request.max_candidates > _MOST_CANDIDATES:
        raise InvalidInput(f"max_candidates: more than {_MOST_CANDIDATES}")
    if len(request.hinted_performer_ids) > _MOST_HINTS:
        raise InvalidInput(f"hinted_performer_ids: more than {_MOST_HINTS}")
    if len(request.hints) > _MOST_HINTS:
        raise InvalidInput(f"hints: more than {_MOST_HINTS}")
    if request.policy not in pb.FusionPolicy.values():
        raise InvalidInput("policy: not a policy")
    tagged = [parse_uuid(one, field="hinted_performer_ids") for one in request.hinted_performer_ids]
    hints = [
        bounded_hint(parse_uuid(one.performer_id, field="hints.performer_id"), one.kind, one.factor)
        for one in request.hints
    ]
    return IdentifyOptions(
        max_candidates=request.max_candidates or _DEFAULT_CANDIDATES,
        signals=_signals(request),
        policy=request.policy,
        scene_date=parse_date(request.scene_date, field="scene_date"),
        hints=(*(Hint(one) for one in dict.fromkeys(tagged)), *hints),
        natural=_natural(request),
    )


def _natural(request: pb.IdentifyRequest) -> float | None:
    if not request.scene.HasField("natural_probability"):
        return None
    natural = plain(request.scene.natural_probability)
    if not (math.isfinite(natural) and 0 <= natural <= 1):
        raise InvalidInput("scene.natural_probability: not in 0..1")
    return natural


def _signals(request: pb.IdentifyRequest) -> frozenset[Signal]:
    if not request.signals:
        return frozenset(Signal)
    if not set(request.signals) <= set(common_pb2.Signal.values()) - {common_pb2.SIGNAL_UNSPECIFIED}:
        raise InvalidInput("signals: not a signal")
    return frozenset(Signal(one) for one in request.signals)
