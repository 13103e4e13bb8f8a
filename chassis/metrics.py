"""What a process counts and times, for Prometheus. Labels never say who or what is in a picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread
from typing import Literal
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)

from chassis.config import ServerSection
from chassis.errors import (
    ConfigError,
    DeadlineExceeded,
    InternalError,
    InvalidInput,
    MarqueeError,
    ModelError,
    Overloaded,
    Unavailable,
)

__all__ = ["Backend", "InferenceMetrics", "Metrics", "open_metrics"]

Backend = Literal["cpu", "cuda", "triton"]
"""What a model runs on."""

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_INPUTS = (1, 2, 4, 8, 16, 32, 64, 128)

_CAUSES: tuple[tuple[type[MarqueeError], str], ...] = (
    (InvalidInput, "invalid_input"),
    (ModelError, "model"),
    (Overloaded, "overloaded"),
    (Unavailable, "unavailable"),
    (DeadlineExceeded, "deadline"),
    (InternalError, "internal"),
)

_log = structlog.get_logger()


class InferenceMetrics:
    """Runs of models. `model` is the key that services call it by.

    Without a registry the numbers are kept and nobody reads them.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        labels = ("model", "backend")
        self._runs = Histogram(
            "marquee_inference_seconds", "One run of a model.", labels, buckets=_SECONDS, registry=registry
        )
        self._waits = Histogram(
            "marquee_inference_wait_seconds",
            "Time that inputs waited for their model.",
            labels,
            buckets=_SECONDS,
            registry=registry,
        )
        self._inputs = Histogram(
            "marquee_inference_batch_size", "Inputs of one run.", labels, buckets=_INPUTS, registry=registry
        )
        self._failures = Counter(
            "marquee_inference_failures_total", "Runs that failed.", (*labels, "cause"), registry=registry
        )
        self._retries = Counter(
            "marquee_inference_retries_total", "Runs that were tried again.", labels, registry=registry
        )

    def run(self, model: str, backend: Backend, seconds: float, inputs: int) -> None:
        """A run that gave answers: how long it took, and for how many inputs."""
        self._runs.labels(model, backend).observe(seconds)
        self._inputs.labels(model, backend).observe(inputs)

    def waited(self, model: str, backend: Backend, seconds: float) -> None:
        """Inputs of one call waited so long before their run began."""
        self._waits.labels(model, backend).observe(seconds)

    def failed(self, model: str, backend: Backend, error: Exception) -> None:
        """A run, or one try of it, that gave none; `cause` becomes one of a few words, never the message."""
        self._failures.labels(model, backend, _cause(error)).inc()

    def retried(self, model: str, backend: Backend) -> None:
        """A run that failed is tried again."""
        self._retries.labels(model, backend).inc()


class Metrics:
    """All that one process counts. The registry is its own: two in one Python process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.inference = InferenceMetrics(self.registry)
        self.port: int | None = None
        self._calls = Histogram(
            "marquee_rpc_seconds",
            "One call, from its start to its code.",
            ("method", "code"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._ready = Gauge("marquee_ready", "1 while the service is ready, else 0.", registry=self.registry)
        ProcessCollector(registry=self.registry)

    def __repr__(self) -> str:
        return f"Metrics(port={self.port})"

    def called(self, method: str, code: str, seconds: float) -> None:
        """A call of a method that the server has ended with the name of a gRPC status code."""
        self._calls.labels(method, code).observe(seconds)

    def watch(self, is_ready: Callable[[], bool]) -> None:
        """Tell from now on whether the process is ready; it is asked at each scrape, in another thread."""
        self._ready.set_function(lambda: float(is_ready()))


@asynccontextmanager
async def open_metrics(settings: ServerSection) -> AsyncIterator[Metrics]:
    """What a process counts, served as `http://metrics_host:metrics_port/metrics` unless that is off.

    `port` of what is given is the port it really listens on, None when off. Raises ConfigError when the port
    is taken or the host is none of this machine.
    """
    metrics = Metrics()
    if settings.metrics_port is None:
        yield metrics
        return
    async with _served(metrics.registry, settings.metrics_host, settings.metrics_port) as metrics.port:
        _log.info("serving metrics", host=settings.metrics_host, metrics_port=metrics.port)
        yield metrics


@asynccontextmanager
async def _served(registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[int]:
    try:
        server, thread = await asyncio.to_thread(start_http_server, port, host, registry)
    except (OSError, UnicodeError) as exc:  # the latter for a host that cannot be a name
        raise ConfigError(
            f"metrics_port: cannot listen on {host}:{port}; is something else there? "
            'Another port, or "off", can be set'
        ) from exc
    try:
        yield int(server.server_port)
    finally:
        await asyncio.shield(asyncio.to_thread(_stop, server, thread))


def _stop(server: WSGIServer, thread: Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()


def _cause(error: Exception) -> str:
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), "other")
