"""The one table from errors to gRPC status codes, and back for clients."""

from __future__ import annotations

import asyncio

import grpc

from chassis import errors

__all__ = ["code_of", "public_message", "error_from"]

_CODES: tuple[tuple[type[BaseException], grpc.StatusCode], ...] = (
    (errors.InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.Conflict, grpc.StatusCode.ALREADY_EXISTS),
    (errors.Refused, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.ModelError, grpc.StatusCode.UNAVAILABLE),
    (errors.StoreError, grpc.StatusCode.UNAVAILABLE),
    (errors.InternalError, grpc.StatusCode.INTERNAL),
    (errors.DeadlineExceeded, grpc.StatusCode.DEADLINE_EXCEEDED),
    (errors.Unsupported, grpc.StatusCode.UNIMPLEMENTED),
    (TimeoutError, grpc.StatusCode.DEADLINE_EXCEEDED),
    (asyncio.CancelledError, grpc.StatusCode.CANCELLED),
)

_ERRORS: dict[grpc.StatusCode, type[errors.MarqueeError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidInput,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.Conflict,
    grpc.StatusCode.FAILED_PRECONDITION: errors.Refused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.UNIMPLEMENTED: errors.Unsupported,
}


def code_of(error: BaseException) -> grpc.StatusCode:
    """The gRPC code of an error; INTERNAL for everything nobody planned."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.INTERNAL


def public_message(error: BaseException) -> str:
    """What a client may read: the text of our own errors, nothing of anybody else's."""
    if isinstance(error, errors.MarqueeError) and not isinstance(error, errors.InternalError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "the deadline is over"
    return "internal error; the server's log has the cause under this request id"


def error_from(error: grpc.aio.AioRpcError) -> errors.MarqueeError:
    """The error a server meant, for clients; every code without a cause of its own is Unavailable."""
    kind = _ERRORS.get(error.code(), errors.Unavailable)
    return kind(error.details() or error.code().name)
