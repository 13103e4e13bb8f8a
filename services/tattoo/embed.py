"""From crops of tattoos to unit vectors, by one or several embedders."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from chassis.errors import MarqueeError, ModelError
from chassis.inference import Inference
from chassis.signal.describing import described, is_passing
from chassis.work import WorkPool
from services.tattoo.crop import coarsened, to_input
from services.tattoo.table import EmbedderRow
from services.tattoo.template import ModelKey, Vector

__all__ = ["TattooEmbedder", "OnWork", "ignore_work", "averaged", "batch_of"]

OnWork = Callable[[EmbedderRow, str], None]
"""Called with an embedder that is being prepared when it has described, and why it could not, else ""."""


def ignore_work(_row: EmbedderRow, _failure: str) -> None:
    """For embedders of which none is being prepared."""


class TattooEmbedder:
    """Describes tattoos with the embedders in use.

    rows: those that serve, at least one, the primary one first; further: those that are being prepared.
    """

    def __init__(
        self,
        inference: Inference,
        pool: WorkPool,
        rows: Sequence[EmbedderRow],
        further: Sequence[EmbedderRow] = (),
        *,
        on_work: OnWork = ignore_work,
    ) -> None:
        self._inference = inference
        self._pool = pool
        self._rows = tuple(rows)
        self._further = tuple(further)
        self._on_work = on_work

    async def embed(self, crops: Sequence[NDArray[np.uint8]]) -> list[dict[ModelKey, Vector]]:
        """Of each crop, uint8 RGB, a unit vector by each embedder.

        Raises ModelError where a model that serves gives no usable vectors, else as `Inference.infer` does.
        One that is being prepared and fails is left out.
        """
        if not crops:
            return []
        served, further = await described(
            [self._embed(row, crops) for row in self._rows],
            [self._embed(row, crops) for row in self._further],
        )
        vectors = {row.key: values for row, values in zip(self._rows, served, strict=True)}
        for row, values in zip(self._further, further, strict=True):
            if not isinstance(values, MarqueeError):
                vectors[row.key] = values
                self._on_work(row, "")
            elif not is_passing(values):
                self._on_work(row, str(values))
        return [{key: values[index] for key, values in vectors.items()} for index in range(len(crops))]

    async def _embed(self, row: EmbedderRow, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        batch = await self._pool.run(batch_of, row, crops)
        outputs = list((await self._inference.infer(row.model, batch)).values())
        if len(outputs) != 1 or outputs[0].shape != (len(batch), row.dimension):
            raise ModelError(f"model {row.name}: its output is not one vector of {row.dimension} values")
        try:
            return averaged(outputs[0].reshape(len(crops), -1, row.dimension))
        except ValueError as exc:
            raise ModelError(f"model {row.name}: {exc}") from exc


def averaged(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return unit vectors [n, d], each the mean direction of `vectors` [n, views, d].

    Raises ValueError where there is none: values that are not finite, or that cancel out.
    """
    mean = _unit(vectors.astype(np.float64)).mean(axis=1)
    return np.ascontiguousarray(_unit(mean), np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < 1e-9).any():
        raise ValueError("a vector has no direction")
    return np.asarray(vectors / lengths)


def batch_of(row: EmbedderRow, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The inputs of all crops; each is followed by its mirror image or its coarse copy, as the row says."""
    return np.stack([_input(row, view) for crop in crops for view in _views(row, crop)])


def _views(row: EmbedderRow, crop: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    other = crop[:, ::-1] if row.mirror else crop
    if row.coarse is not None:
        return [crop, coarsened(other, row.coarse)]
    return [crop, other] if row.mirror else [crop]


def _input(row: EmbedderRow, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    return to_input(
        crop, size=row.size, mean=row.mean, deviation=row.deviation, layout=row.layout, color=row.color
    )
