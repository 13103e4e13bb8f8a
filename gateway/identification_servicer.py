"""IdentificationService: translation only."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.errors import InvalidInput
from chassis.protos import parse_date, parse_uuid
from gateway.identify import Identify, IdentifyOptions
from gateway.observations import Signal
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
    if request.policy not in pb.FusionPolicy.values():
        raise InvalidInput("policy: not a policy")
    hints = (parse_uuid(one, field="hinted_performer_ids") for one in request.hinted_performer_ids)
    return IdentifyOptions(
        max_candidates=request.max_candidates or _DEFAULT_CANDIDATES,
        signals=_signals(request),
        policy=request.policy or pb.FUSION_POLICY_WEIGHTED,
        scene_date=parse_date(request.scene_date, field="scene_date"),
        hints=tuple(dict.fromkeys(hints)),
    )


def _signals(request: pb.IdentifyRequest) -> frozenset[Signal]:
    if not request.signals:
        return frozenset(Signal)
    if not set(request.signals) <= set(common_pb2.Signal.values()) - {common_pb2.SIGNAL_UNSPECIFIED}:
        raise InvalidInput("signals: not a signal")
    return frozenset(Signal(one) for one in request.signals)
