"""Channels to other services: bounded reconnects, agreed pings, request id and deadline handed on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from chassis.interceptors import OutgoingReplies, OutgoingStream, OutgoingUnary

__all__ = ["open_channel"]


@asynccontextmanager
async def open_channel(
    address: str, *, max_message_bytes: int = 40 * 2**20
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `address` (host:port). Opening never fails: calls say when nobody is there."""
    channel = grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            # A proxy configured for the web must not see calls to a neighbour.
            ("grpc.enable_http_proxy", 0),
        ],
        interceptors=[OutgoingUnary(), OutgoingReplies(), OutgoingStream()],
    )
    async with channel:
        yield channel
