"""The part of a tattoo service that a fake has not: tests of it run the real one."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.errors import Unsupported
from marquee.tattoo.v1 import tattoo_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2_grpc

__all__ = ["NoTattooCatalogue"]

_Context = grpc.aio.ServicerContext[Any, Any]
_NOT_HERE = "a fake keeps no tattoos"


class NoTattooCatalogue(tattoo_pb2_grpc.TattooServiceServicer):
    """Every call is UNIMPLEMENTED."""

    async def ListTattoos(self, request: pb.ListTattoosRequest, context: _Context) -> pb.ListTattoosResponse:
        raise Unsupported(_NOT_HERE)

    async def UpdateTattoo(
        self, request: pb.UpdateTattooRequest, context: _Context
    ) -> pb.UpdateTattooResponse:
        raise Unsupported(_NOT_HERE)

    async def MergeTattoos(
        self, request: pb.MergeTattoosRequest, context: _Context
    ) -> pb.MergeTattoosResponse:
        raise Unsupported(_NOT_HERE)

    async def SplitTattoo(self, request: pb.SplitTattooRequest, context: _Context) -> pb.SplitTattooResponse:
        raise Unsupported(_NOT_HERE)

    async def DeleteTattooViews(
        self, request: pb.DeleteTattooViewsRequest, context: _Context
    ) -> pb.DeleteTattooViewsResponse:
        raise Unsupported(_NOT_HERE)
