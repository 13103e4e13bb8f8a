"""A gRPC server that is observable, bounded and drains before it goes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.config import ServerSection
from chassis.errors import ConfigError, MarqueeError
from chassis.health import Readiness
from chassis.interceptors import RequestInterceptor
from chassis.metrics import Metrics

__all__ = ["Server", "open_server"]

_log = structlog.get_logger()
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
# The health service's name for the process itself: liveness.
_LIVENESS = ""
# After the drain time, for what was cancelled to end.
_LEAVE_SECONDS = 2.0
# Calls of health and reflection that are open beside the work.
_ROOM_FOR_PROBES = 64

Register = Callable[[grpc.aio.Server], None]
Reload = Callable[[], Awaitable[None]]


class Server:
    """A started server. `port` is the one it really listens on."""

    def __init__(
        self, server: grpc.aio.Server, *, port: int, readiness: Readiness, drain_seconds: float
    ) -> None:
        self._server = server
        self._drain_seconds = drain_seconds
        self._stop, self._hangup = asyncio.Event(), asyncio.Event()
        self._reload: Reload | None = None
        self.readiness = readiness
        self.port = port

    def __repr__(self) -> str:
        return f"Server(port={self.port}, {self.readiness!r})"

    def on_reload(self, reload: Reload) -> None:
        """Call `reload` when the process is asked, by SIGHUP, to read its settings again."""
        self._reload = reload

    async def run_until_stopped(self) -> None:
        """Wait for SIGINT or SIGTERM; a second one exits at once. SIGHUP reads the settings again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        loop.add_signal_handler(signal.SIGHUP, self._hangup.set)
        reading = asyncio.create_task(self._read_when_asked())
        try:
            await self._stop.wait()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def aclose(self) -> None:
        """Say NOT_SERVING, let running calls finish within the drain time, then stop."""
        await self.readiness.stop()
        try:
            # gRPC cancels what is left after the drain time, and now and then waits for it for ever.
            async with asyncio.timeout(self._drain_seconds + _LEAVE_SECONDS):
                await self._server.stop(self._drain_seconds)
        except TimeoutError:
            _log.warning("calls did not end and are left behind")

    async def _read_when_asked(self) -> None:
        """One reading at a time; who asks meanwhile gets another one."""
        while True:
            await self._hangup.wait()
            self._hangup.clear()
            await self._read_again()

    async def _read_again(self) -> None:
        """What is wrong with the new settings is told, and changes nothing."""
        if self._reload is None:
            _log.info("no setting here is read again while it runs")
            return
        try:
            await self._reload()
            _log.info("settings read again")
        except MarqueeError as exc:
            _log.error("the settings cannot be used; the process goes on as it was", cause=str(exc))
        except Exception:  # the process goes on whatever it is
            _log.exception("reading the settings again failed")

    def _on_signal(self) -> None:
        if self._stop.is_set():
            os._exit(130)
        _log.info("draining", seconds=self._drain_seconds)
        self._stop.set()


@asynccontextmanager
async def open_server(
    settings: ServerSection,
    *,
    services: Sequence[tuple[str, Register]],
    readiness: Readiness,
    metrics: Metrics | None = None,
) -> AsyncIterator[Server]:
    """Serve `services` (full name, function that adds the servicer) with health and reflection.

    Health: "" is liveness, a service's full name is its readiness. Raises ConfigError when the port is taken.
    """
    metrics = metrics or Metrics()
    metrics.watch(lambda: readiness.is_ready)
    interceptor = RequestInterceptor(
        max_concurrent=settings.max_concurrent_rpcs,
        default_deadline=settings.default_deadline_seconds,
        metrics=metrics,
    )
    # The interceptor refuses with words; this bound, above it, keeps requests from piling up in memory.
    most = 2 * settings.max_concurrent_rpcs + _ROOM_FOR_PROBES
    server = grpc.aio.server(
        interceptors=[interceptor], options=_options(settings), maximum_concurrent_rpcs=most
    )
    names = [name for name, _ in services]
    for _, register in services:
        register(server)
    await _add_health(server, names, readiness)
    reflection.enable_server_reflection(
        [*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME], server
    )
    port = _bind(server, settings)
    await server.start()
    started = Server(server, port=port, readiness=readiness, drain_seconds=settings.drain_seconds)
    async with readiness.watched():
        _log.info("listening", host=settings.host, port=port)
        try:
            yield started
        finally:
            await asyncio.shield(started.aclose())


async def _add_health(server: grpc.aio.Server, names: Sequence[str], readiness: Readiness) -> None:
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)

    async def tell(is_ready: bool) -> None:
        for name in names:
            await servicer.set(name, _SERVING if is_ready else _NOT_SERVING)

    await servicer.set(_LIVENESS, _SERVING)
    await tell(False)
    readiness.on_change(tell)


def _bind(server: grpc.aio.Server, settings: ServerSection) -> int:
    address = f"{settings.host}:{settings.port}"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as exc:
        raise ConfigError(f"port: cannot listen on {address}; is something else there?") from exc
    if port == 0:
        raise ConfigError(f"port: cannot listen on {address}; is something else there?")
    return port


def _options(settings: ServerSection) -> list[tuple[str, int]]:
    return [
        # Two servers on one port would share its calls silently.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_connection_age_ms", int(settings.max_connection_age_seconds * 1000)),
        # No grace limit: a long enrolment stream ends by itself, not in the middle.
        # Both ends agree on pings, else the server answers 'too many pings'; see chassis.channels.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
