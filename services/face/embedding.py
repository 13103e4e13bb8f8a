"""From aligned faces to unit vectors: the embedder's input as its table row says, mirror-averaged output."""

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

__all__ = ["Embedder", "embedder_input", "unit_vectors"]


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
        outputs = await self._inference.infer(self.row.name, batch)
        return await self._pool.run(self._vectors, outputs)

    async def check(self) -> None:
        """Run the model once. Raises ModelError when its file is not what the row says."""
        row = self.row
        blank = np.zeros((row.size, row.size, 3), np.uint8)
        outputs = await self._inference.infer(row.name, embedder_input(row, [blank]))
        self._raw(outputs)

    def _input(self, picture: Picture, meshes: Sequence[FaceMesh]) -> NDArray[np.float32]:
        row = self.row
        return embedder_input(row, [aligned(picture, mesh, row.template, row.size) for mesh in meshes])

    def _vectors(self, outputs: Outputs) -> NDArray[np.float32]:
        return unit_vectors(self._raw(outputs), mirror=self.row.mirror)

    def _raw(self, outputs: Outputs) -> NDArray[np.float32]:
        first = next(iter(outputs.values()))
        raw = first.reshape(len(first), -1)
        if raw.shape[1] != self.row.dimension:
            raise ModelError(
                f"model {self.row.name}: gives {raw.shape[1]} values, its row says {self.row.dimension}"
            )
        return raw


def embedder_input(row: EmbedderRow, faces: Sequence[RGBImage]) -> NDArray[np.float32]:
    """Aligned faces as the embedder's batch: colour order, normalisation and layout of its row.

    With mirror averaging each face is followed by its mirror image, so n faces give 2n inputs.
    """
    both = [view for face in faces for view in ((face, face[:, ::-1]) if row.mirror else (face,))]
    batch = np.stack(both)
    if row.color == "BGR":
        batch = batch[..., ::-1]
    values = (batch.astype(np.float32) - np.float32(row.subtract)) / np.float32(row.divide)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if row.layout == "NCHW" else values)


def unit_vectors(raw: NDArray[np.float32], *, mirror: bool) -> NDArray[np.float32]:
    """The network's vectors (m, dimension) as unit vectors: pairs are averaged when `mirror`, m = 2n.

    Each of a pair counts the same whatever its length. Raises ModelError for a zero vector.
    """
    units = _unit(raw.astype(np.float64))
    if mirror:
        units = _unit(units.reshape(-1, 2, units.shape[1]).mean(axis=1))
    return np.ascontiguousarray(units, dtype=np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ModelError("an embedder gave a zero vector")
    return np.asarray(vectors / lengths)
