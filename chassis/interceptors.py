"""What happens around every call: request id, deadline, bound on concurrency, codes, one log line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
import structlog
from grpc.aio import ClientCallDetails, Metadata

from chassis.deadline import Deadline, current_deadline, deadline_scope
from chassis.errors import Overloaded
from chassis.logging import REQUEST_ID_KEY, new_request_id
from chassis.metrics import Metrics
from chassis.status import code_of, public_message

__all__ = ["RequestInterceptor", "OutgoingUnary", "OutgoingReplies", "OutgoingStream"]

_log = structlog.get_logger()
# Answered at any load and not logged: probes come every few seconds, and liveness must not fail under load.
_UNCOUNTED = ("/grpc.health.v1.", "/grpc.reflection.")
# A request id from outside is shown in logs, so it is kept short and printable.
_LONGEST_REQUEST_ID = 64
_LEAVE_SECONDS = 1.0


class RequestInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of a server but those of client streams, of which there are none."""

    def __init__(
        self, *, max_concurrent: int, default_deadline: float, metrics: Metrics | None = None
    ) -> None:
        self._max_concurrent = max_concurrent
        self._default_deadline = default_deadline
        self._metrics = metrics or Metrics()
        self._active = 0

    def __repr__(self) -> str:
        return f"RequestInterceptor({self._active}/{self._max_concurrent} active)"

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_UNCOUNTED):
            return handler
        request_id = _request_id_of(handler_call_details.invocation_metadata)
        if handler.unary_unary:
            return _replace_unary(handler, self._unary(handler.unary_unary, method, request_id))
        if handler.unary_stream:
            return _replace_replies(handler, self._stream(handler.unary_stream, method, request_id))
        if handler.stream_stream:
            return _replace_stream(handler, self._stream(handler.stream_stream, method, request_id))
        return handler

    def _unary(self, behavior: Any, method: str, request_id: str) -> Any:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with self._around(context, method, request_id):
                remaining = context.time_remaining()
                deadline = Deadline.after(self._default_deadline if remaining is None else remaining)
                with deadline_scope(deadline):
                    async with asyncio.timeout(deadline.remaining()):
                        return await behavior(request, context)

        return call

    def _stream(self, behavior: Any, method: str, request_id: str) -> Any:
        # Written and not yielded: whoever leaves while a reply is written ends it here, in the task whose
        # context variables are set, and not some time later in another one.
        async def call(requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            async with self._around(context, method, request_id):
                remaining = context.time_remaining()
                with deadline_scope(None if remaining is None else Deadline.after(remaining)):
                    async with aclosing(behavior(requests, context)) as replies:
                        async for reply in replies:
                            await _write(context, reply)

        return call

    @asynccontextmanager
    async def _around(
        self, context: grpc.aio.ServicerContext[Any, Any], method: str, request_id: str
    ) -> AsyncIterator[None]:
        """Bind the request id, count and time the call, turn errors into codes and write one line."""
        started = time.monotonic()
        code = grpc.StatusCode.OK
        self._active += 1
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if self._active > self._max_concurrent:
                    raise Overloaded(f"{self._max_concurrent} calls are being served; try again later")
                yield
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED
                raise
            except grpc.aio.AbortError:
                code = context.code()
                raise
            except (
                Exception
            ) as exc:  # the edge: every error gets its code here, unplanned ones are logged whole
                code = code_of(exc)
                if code is grpc.StatusCode.INTERNAL:
                    _log.exception("unplanned error", method=method)
                await context.abort(code, public_message(exc))
            finally:
                self._active -= 1
                seconds = time.monotonic() - started
                self._metrics.called(method, code.name, seconds)
                _log.info("call", method=method, code=code.name, ms=round(seconds * 1e3, 1))


class OutgoingUnary(grpc.aio.UnaryUnaryClientInterceptor):
    """Hands the request id and what is left of the deadline on to the callee."""

    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_with_context(client_call_details), request)


class OutgoingReplies(grpc.aio.UnaryStreamClientInterceptor):
    """The same for calls with many replies."""

    async def intercept_unary_stream(
        self, continuation: Any, client_call_details: ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_with_context(client_call_details), request)


class OutgoingStream(grpc.aio.StreamStreamClientInterceptor):
    """The same for bidirectional streams."""

    async def intercept_stream_stream(
        self, continuation: Any, client_call_details: ClientCallDetails, request_iterator: Any
    ) -> Any:
        return await continuation(_with_context(client_call_details), request_iterator)


def _with_context(details: ClientCallDetails) -> ClientCallDetails:
    metadata = Metadata(*(details.metadata or ()))
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if metadata.get(REQUEST_ID_KEY) is None:
        metadata.add(REQUEST_ID_KEY, request_id or new_request_id())
    deadline = current_deadline()
    timeout = details.timeout if deadline is None else deadline.earlier_of(details.timeout)
    return ClientCallDetails(details.method, timeout, metadata, details.credentials, details.wait_for_ready)


async def _write(context: grpc.aio.ServicerContext[Any, Any], reply: Any) -> None:
    """Raises CancelledError where nobody is there to read it."""
    try:
        await context.write(reply)
    except grpc.aio.InternalError as exc:
        # gRPC cancels this task in a moment, and must not do so in the middle of the handler's cleanup.
        await asyncio.sleep(_LEAVE_SECONDS)
        raise asyncio.CancelledError from exc


def _request_id_of(metadata: Sequence[tuple[str, str | bytes]] | None) -> str:
    for key, value in metadata or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and value.isprintable():
            return value[:_LONGEST_REQUEST_ID]
    return new_request_id()


def _replace_unary(handler: Any, behavior: Any) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.unary_unary_rpc_method_handler(
        behavior, handler.request_deserializer, handler.response_serializer
    )


def _replace_replies(handler: Any, behavior: Any) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.unary_stream_rpc_method_handler(
        behavior, handler.request_deserializer, handler.response_serializer
    )


def _replace_stream(handler: Any, behavior: Any) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.stream_stream_rpc_method_handler(
        behavior, handler.request_deserializer, handler.response_serializer
    )
