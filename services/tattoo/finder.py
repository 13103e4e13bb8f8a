"""The tattoos of a picture: from pixels to detections, by the detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.images import RGBImage
from chassis.inference import Inference
from chassis.work import WorkPool
from services.tattoo.detect import CELL, SIDE, Detection, find_tattoos, letterbox
from services.tattoo.table import DetectorRow

__all__ = ["TattooFinder"]

_SHAPE = (1, SIDE // CELL, SIDE // CELL)


class TattooFinder:
    """Finds tattoos. `most`: tattoos of a picture that are told, largest first."""

    def __init__(self, inference: Inference, pool: WorkPool, row: DetectorRow, *, most: int) -> None:
        self._inference = inference
        self._pool = pool
        self._row = row
        self._most = most

    async def find(self, picture: RGBImage) -> list[Detection]:
        """Largest first. Raises as `Inference.infer` and `WorkPool.run` do."""
        frame = await self._pool.run(letterbox, picture)
        outputs = await self._inference.infer(self._row.name, frame.tensor[None])
        heatmap = self._checked(outputs.get("heatmap"))
        row = self._row
        return await self._pool.run(
            find_tattoos, heatmap, frame, threshold=row.threshold, edge=row.edge, most=self._most
        )

    def _checked(self, heatmaps: NDArray[np.float32] | None) -> NDArray[np.float32]:
        if heatmaps is None or heatmaps.shape[1:] != _SHAPE:
            raise ModelError(f"model {self._row.name}: it has no output heatmap of {_SHAPE}")
        heatmap: NDArray[np.float32] = heatmaps[0]
        return heatmap
