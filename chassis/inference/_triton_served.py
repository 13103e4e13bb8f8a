"""One model behind a Triton server: described, called, tried out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_before_delay, wait_random_exponential
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from chassis.deadline import Deadline
from chassis.errors import InternalError, MarqueeError, ModelError, Overloaded, Unavailable
from chassis.inference import Batch, ModelFile, Outputs
from chassis.inference._triton_errors import error_of, is_worth_another_try
from chassis.inference._triton_model import (
    TritonModel,
    described,
    joined,
    outputs_of,
    requests_of,
    trial_batch,
)
from chassis.metrics import InferenceMetrics

__all__ = ["ServedModel"]

_T = TypeVar("_T")

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 1.0
# What is larger is checked, read and written in a thread: it takes more than half a millisecond.
_SMALL_BYTES = 2**20
_MICROSECONDS = 1_000_000

_log = structlog.get_logger(__name__)


class ServedModel:
    """Calls one model of a server. `key` is what services call it by, `address` is for messages.

    retry_seconds: longest that a call is tried again while the server is not there or the model's queue is
        full, always within the call's deadline.
    max_waiting: inputs that may wait before callers get `Overloaded`.
    """

    def __init__(
        self,
        client: InferenceServerClient,
        key: str,
        file: ModelFile,
        *,
        address: str,
        retry_seconds: float,
        max_waiting: int,
        metrics: InferenceMetrics,
    ) -> None:
        self._client = client
        self._key = key
        self._file = file
        self._address = address
        self._retry_seconds = retry_seconds
        self._max_waiting = max_waiting
        self._metrics = metrics
        # None until the server has told us, and again after a failure: it may have another file by then.
        self._model: TritonModel | None = None
        self._waiting = 0

    def __repr__(self) -> str:
        return f"<ServedModel {self._key} {'known' if self._model else 'not known'}, waiting {self._waiting}>"

    async def infer(self, batch: Batch, deadline: Deadline) -> Outputs:
        """Outputs of n inputs, see `Inference.infer`. Raises InternalError, too: the server refuses what we
        sent.
        """
        with self._counted(len(batch)), self._told():
            model = await self._known(deadline)
            model.check(batch)
            requests = await _aside(batch.nbytes, partial(requests_of, model, batch))
            outputs = await self._run_all(model, requests, deadline)
            self._model = model
            return outputs

    async def check(self, deadline: Deadline) -> None:
        """Return when the server can run the model.

        A model that is new to us, is another now, or has failed, is run once on a blank input, since Triton
        goes on calling a model ready when the process that runs it is dead. Raises ModelError and Unavailable
        as `Inference.ready`.
        """
        if not await self._is_ready(deadline):
            self._model = None
            raise ModelError(f"Triton at {self._address} has no model {self._label} ready")
        with self._told():
            model = await self._describe(deadline)
            if model != self._model:
                await self._run_all(model, requests_of(model, trial_batch(model)), deadline)
                self._model = model

    async def _is_ready(self, deadline: Deadline) -> bool:
        try:
            with self._told():
                answer = await self._client.is_model_ready(**self._where, client_timeout=_left(deadline))
                return bool(answer)
        except Unavailable as exc:
            raise Unavailable(f"Triton at {self._address} is not there") from exc

    @property
    def _where(self) -> dict[str, str]:
        return {"model_name": self._file.name, "model_version": self._file.served_version}

    @property
    def _label(self) -> str:
        version = self._file.served_version
        return f"{self._file.name!r} version {version}" if version else repr(self._file.name)

    async def _known(self, deadline: Deadline) -> TritonModel:
        if self._model is not None:
            return self._model
        return await self._patiently(deadline, partial(self._describe, deadline))

    async def _describe(self, deadline: Deadline) -> TritonModel:
        metadata = await self._client.get_model_metadata(**self._where, client_timeout=_left(deadline))
        answer = await self._client.get_model_config(**self._where, client_timeout=_left(deadline))
        version, spec = self._file.served_version, self._file.spec
        return described(metadata, answer.config, version=version, spec=spec)

    async def _run_all(self, model: TritonModel, requests: list[InferInput], deadline: Deadline) -> Outputs:
        """All requests at the same time, so that the server can batch them."""
        tasks = [asyncio.create_task(self._run(model, request, deadline)) for request in requests]
        try:
            return joined(await asyncio.gather(*tasks))
        finally:
            for task in tasks:  # after a failure or cancellation the others are not wanted either
                task.cancel()

    async def _run(self, model: TritonModel, request: InferInput, deadline: Deadline) -> Outputs:
        count = int(request.shape()[0])
        started = monotonic()
        result = await self._patiently(
            deadline,
            lambda: self._client.infer(
                model.name,
                [request],
                model_version=model.version,
                # The server drops what waited so long, rather than computing what nobody waits for any more.
                timeout=int(_left(deadline) * _MICROSECONDS),
                client_timeout=_left(deadline),
            ),
        )
        self._metrics.run(self._key, "triton", monotonic() - started, count)
        size = sum(len(content) for content in result.get_response().raw_output_contents)
        return await _aside(size, lambda: outputs_of(model, result, count))

    async def _patiently(self, deadline: Deadline, call: Callable[[], Awaitable[_T]]) -> _T:
        """The call's answer, tried again while that may help and time is left."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(is_worth_another_try),
            wait=wait_random_exponential(multiplier=_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
            stop=stop_before_delay(min(self._retry_seconds, deadline.remaining())),
            before_sleep=lambda _state: self._metrics.retried(self._key, "triton"),
            reraise=True,
        )

        async def attempt() -> _T:
            return await call()

        return await retrying(attempt)

    @contextmanager
    def _counted(self, inputs: int) -> Iterator[None]:
        if self._waiting >= self._max_waiting:
            raise Overloaded(f"{self._waiting} inputs wait for model {self._key!r}; try later")
        self._waiting += inputs
        try:
            yield
        finally:
            self._waiting -= inputs

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong, counted, and in our own words."""
        try:
            yield
        except InferenceServerException as exc:
            error = error_of(exc, self._file.name)
            self._model = None
            self._metrics.failed(self._key, "triton", error)
            if isinstance(error, InternalError):
                _log.error("Triton refused a request", model=self._key, cause=exc.message())
            raise error from exc
        except MarqueeError as exc:
            if isinstance(exc, ModelError):
                self._model = None
            self._metrics.failed(self._key, "triton", exc)
            raise


def _left(deadline: Deadline) -> float:
    """Seconds, at least 1 ms: 0 would be forever."""
    return max(0.001, deadline.remaining())


async def _aside(size: int, compute: Callable[[], _T]) -> _T:
    """Small things at once, large ones in a thread: nothing may hold the event loop for long."""
    return compute() if size <= _SMALL_BYTES else await asyncio.to_thread(compute)
