"""From aligned faces to unit vectors: the embedder's input as its table row says, averaged output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.images import RGBImage
from chassis.inference import Inference, Outputs
from chassis.work import WorkPool
from services.face.alignment import aligned
from services.face.mesh import FaceMesh
from services.face.picture import Picture
from services.face.table import EmbedderRow

__all__ = ["Embedder", "views_of", "embedder_input", "unit_vectors"]


class Embedder:
    """One row of the model table, in use."""

    def __init__(self, row: EmbedderRow, inference: Inference, pool: WorkPool) -> None:
        self.row = row
        self._inference = inference
        self._pool = pool

    def __repr__(self) -> str:
        return f"Embedder({self.row.name} {self.row.version}, {self.row.dimension}-d)"

    async def embed(self, picture: Picture, meshes: Sequence[FaceMesh]) -> NDArray[np.float32]:
        """Unit vectors of the faces, float32 (n, dimension); n at least 1.

        Raises ModelError when the model does not give what its row says; Overloaded, Unavailable.
        """
        batch = await self._pool.run(self._input, picture, meshes)
        outputs = await self._inference.infer(self.row.model, batch)
        return await self._pool.run(self._vectors, outputs)

    async def check(self) -> None:
        """Run the model once. Raises ModelError when its file is not what the row says."""
        row = self.row
        blank = np.zeros((row.size, row.size, 3), np.uint8)
        outputs = await self._inference.infer(row.model, embedder_input(row, [blank]))
        self._raw(outputs)

    def _input(self, picture: Picture, meshes: Sequence[FaceMesh]) -> NDArray[np.float32]:
        return embedder_input(
            self.row, [view for mesh in meshes for view in views_of(self.row, picture, mesh)]
        )

    def _vectors(self, outputs: Outputs) -> NDArray[np.float32]:
        return unit_vectors(self._raw(outputs), views=len(self.row.views))

    def _raw(self, outputs: Outputs) -> NDArray[np.float32]:
        first = next(iter(outputs.values()))
        raw = first.reshape(len(first), -1)
        if raw.shape[1] != self.row.dimension:
            raise ModelError(
                f"model {self.row.name}: gives {raw.shape[1]} values, its row says {self.row.dimension}"
            )
        return raw


def views_of(row: EmbedderRow, picture: Picture, mesh: FaceMesh) -> list[RGBImage]:
    """The looks at one face that the row averages, in its order."""
    zooms = {view.zoom for view in row.views}
    faces = {zoom: aligned(picture, mesh, row.template, row.size, zoom=zoom) for zoom in zooms}
    return [faces[view.zoom][:, ::-1] if view.is_mirrored else faces[view.zoom] for view in row.views]


def embedder_input(row: EmbedderRow, looks: Sequence[RGBImage]) -> NDArray[np.float32]:
    """Looks at aligned faces as the embedder's batch: colour order, normalisation and layout of its row."""
    batch = np.stack(looks)
    if row.color == "BGR":
        batch = batch[..., ::-1]
    values = (batch.astype(np.float32) - np.float32(row.subtract)) / np.float32(row.divide)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if row.layout == "NCHW" else values)


def unit_vectors(raw: NDArray[np.float32], *, views: int) -> NDArray[np.float32]:
    """The network's vectors (n x views, dimension) as unit vectors (n, dimension), looks at a face averaged.

    Each look counts the same whatever its vector's length. Raises ModelError for a zero vector.
    """
    units = _unit(raw.astype(np.float64))
    means = _unit(units.reshape(-1, views, units.shape[1]).mean(axis=1))
    return np.ascontiguousarray(means, dtype=np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ModelError("an embedder gave a zero vector")
    return np.asarray(vectors / lengths)
