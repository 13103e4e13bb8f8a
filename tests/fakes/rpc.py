"""Calls that must fail."""

from __future__ import annotations

from collections.abc import Awaitable

import grpc
import pytest

__all__ = ["code_of"]


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    """The status code of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()
