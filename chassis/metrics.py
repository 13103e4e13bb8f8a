"""What a process counts and times, for Prometheus. Labels never say who or what is in a picture."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

from chassis.errors import DeadlineExceeded, InvalidInput, MarqueeError, ModelError, Overloaded, Unavailable

__all__ = ["Backend", "InferenceMetrics"]

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
)


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


def _cause(error: Exception) -> str:
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), "other")
