"""Waiting until a service says that it is ready."""

from __future__ import annotations

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.channels import open_channel
from chassis.errors import DeadlineExceeded, Unavailable
from client.supervisor.process import ServiceProcess

__all__ = ["wait_until_ready", "is_ready"]

_POLL_SECONDS = 0.1
_CALL_SECONDS = 2.0


async def wait_until_ready(process: ServiceProcess, *, timeout: float) -> None:
    """Return when the service's readiness is SERVING.

    Raises Unavailable with the service's own words when it ends first, DeadlineExceeded with the last words
    of its log when it is not ready within `timeout` seconds.
    """
    try:
        async with asyncio.timeout(timeout), open_channel(process.address) as channel:
            while not await is_ready(channel, process.part.health_name):
                if process.has_ended:
                    how = await process.wait()
                    raise Unavailable(f"{process.part.name} did not start ({how}): {process.complaint()}")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as exc:
        raise DeadlineExceeded(
            f"{process.part.name} was not ready after {timeout:g} s; {process.complaint()}"
        ) from exc


async def is_ready(channel: grpc.aio.Channel, health_name: str) -> bool:
    """Whether the server behind `channel` answers and says SERVING for `health_name`."""
    request = health_pb2.HealthCheckRequest(service=health_name)
    try:
        reply = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=_CALL_SECONDS)
    except grpc.aio.AioRpcError:
        return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
