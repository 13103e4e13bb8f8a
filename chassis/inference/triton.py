"""Models run by a Triton server: NVIDIA's container on a GPU, or the stand-in of `marquee up --triton`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import structlog
from tritonclient.grpc.aio import InferenceServerClient

from chassis.deadline import Deadline, current_deadline
from chassis.errors import ModelError, Unavailable
from chassis.inference import Batch, ModelFile, Outputs
from chassis.inference._triton_served import ServedModel
from chassis.metrics import InferenceMetrics

__all__ = ["TritonInference"]

# Under the two seconds that a readiness check has.
_QUESTION_SECONDS = 1.8
_MOST_BYTES = 256 * 2**20
_CHANNEL = [
    ("grpc.max_receive_message_length", _MOST_BYTES),
    ("grpc.max_send_message_length", _MOST_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Triton ends connections that ping more often than every 5 minutes, unless it is told otherwise. A dead
    # connection shows earlier: readiness is asked for every few seconds, and every call has a deadline.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Tensors are large: fewer, larger pieces.
    ("grpc.optimization_target", "throughput"),
    # A proxy configured for the web must not see calls to a neighbour.
    ("grpc.enable_http_proxy", 0),
]

_log = structlog.get_logger(__name__)


class TritonInference:
    """An `Inference` whose models a Triton server runs; made by `open`.

    Calls of one model at the same time are batched by the server, not here.
    """

    def __init__(
        self,
        client: InferenceServerClient,
        address: str,
        *,
        timeout_seconds: float,
        retry_seconds: float,
        max_waiting: int,
        metrics: InferenceMetrics,
    ) -> None:
        self._client = client
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._retry_seconds = retry_seconds
        self._max_waiting = max_waiting
        self._metrics = metrics
        self._models: dict[str, ServedModel] = {}
        self._is_open = True

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        address: str,
        files: Mapping[str, ModelFile],
        *,
        timeout_seconds: float = 10.0,
        retry_seconds: float = 5.0,
        max_waiting: int = 512,
        metrics: InferenceMetrics | None = None,
    ) -> AsyncIterator[TritonInference]:
        """A client of the server at `address` (host:port). Opening never fails; `ready` says who is away.

        Args:
            files: models by the key they are called with.
            timeout_seconds: longest a call takes when nobody gave it a deadline.
            retry_seconds: longest that a call is tried again, always within its deadline, while the server is
                not there or the model's queue is full.
            max_waiting: inputs that may wait for one model before callers get `Overloaded`.
        """
        async with InferenceServerClient(address, channel_args=_CHANNEL) as client:
            inference = cls(
                client,
                address,
                timeout_seconds=timeout_seconds,
                retry_seconds=retry_seconds,
                max_waiting=max_waiting,
                metrics=metrics or InferenceMetrics(),
            )
            for key, file in files.items():
                await inference.add(key, file)
            _log.info("Triton runs the models", address=address, models=sorted(files))
            try:
                yield inference
            finally:
                inference._is_open = False

    def __repr__(self) -> str:
        state = "open" if self._is_open else "closed"
        return f"<TritonInference {self._address} {state}, {list(self._models.values())}>"

    async def infer(self, model: str, batch: Batch) -> Outputs:
        """Run a model: see `Inference.infer`. Tries again, within the deadline, while the server is not there
        or the model's queue is full. Raises InternalError, too: the server refuses what we sent.
        """
        return await self._known(model).infer(batch, self._deadline())

    async def ready(self, models: Collection[str] | None = None) -> None:
        """See `Inference.ready`. Each model is asked for by itself: a server that is ready may lack one."""
        keys = self._models if models is None else models
        served = [self._known(key) for key in keys]
        deadline = Deadline.after(_QUESTION_SECONDS)
        answers = await asyncio.gather(*(one.check(deadline) for one in served), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def add(self, key: str, file: ModelFile) -> None:
        """See `Inference.add`; the server is not asked."""
        if key not in self._models:
            self._models[key] = ServedModel(
                self._client,
                key,
                file,
                address=self._address,
                retry_seconds=self._retry_seconds,
                max_waiting=self._max_waiting,
                metrics=self._metrics,
            )

    async def remove(self, key: str) -> None:
        """See `Inference.remove`; the server keeps the model."""
        self._models.pop(key, None)

    def _known(self, key: str) -> ServedModel:
        if not self._is_open:
            raise Unavailable("inference is closed")
        if key not in self._models:
            raise ModelError(f"there is no model {key!r} here")
        return self._models[key]

    def _deadline(self) -> Deadline:
        """When a call must have ended: the caller's deadline, less what reporting takes, or our own."""
        deadline = current_deadline()
        return Deadline.after(self._timeout_seconds if deadline is None else deadline.earlier_of(None))
