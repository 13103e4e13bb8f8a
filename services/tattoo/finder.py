"""The tattoos of a picture: from pixels to detections, by the detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.images import RGBImage
from chassis.inference import Inference
from chassis.work import WorkPool
from services.tattoo.box_layouts import read_candidates
from services.tattoo.boxes import BoxFrame, letterbox_centred, select_tattoos
from services.tattoo.detect import CELL, SIDE, Detection, Frame, find_tattoos, letterbox
from services.tattoo.table import DetectorRow

__all__ = ["TattooFinder"]

_SHAPE = (1, SIDE // CELL, SIDE // CELL)

_Outputs = Mapping[str, NDArray[np.float32]]


class _Framed(Protocol):
    @property
    def tensor(self) -> NDArray[np.float32]: ...


class TattooFinder:
    """Finds tattoos. `most`: tattoos of a picture that are told, largest first."""

    def __init__(self, inference: Inference, pool: WorkPool, row: DetectorRow, *, most: int) -> None:
        self._inference = inference
        self._pool = pool
        self._row = row
        self._most = most

    async def find(self, picture: RGBImage) -> list[Detection]:
        """Largest first.

        Raises ModelError where the model gives something else than its format says, else as `Inference.infer`
        and `WorkPool.run` do.
        """
        if self._row.format == "yolo":
            frame = await self._pool.run(letterbox_centred, picture)
            return await self._pool.run(self._select_boxes, await self._run(frame), frame)
        cells = await self._pool.run(letterbox, picture)
        return await self._pool.run(self._find_regions, await self._run(cells), cells)

    async def _run(self, frame: _Framed) -> _Outputs:
        return await self._inference.infer(self._row.name, frame.tensor[None])

    def _select_boxes(self, outputs: _Outputs, frame: BoxFrame) -> list[Detection]:
        row = self._row
        candidates = read_candidates(row.name, outputs)
        return select_tattoos(
            candidates, frame, threshold=row.threshold, overlap=row.overlap, most=self._most
        )

    def _find_regions(self, outputs: _Outputs, frame: Frame) -> list[Detection]:
        row, heatmaps = self._row, outputs.get("heatmap")
        if heatmaps is None or heatmaps.shape[1:] != _SHAPE:
            raise ModelError(f"model {row.name}: it has no output heatmap of {_SHAPE}")
        return find_tattoos(heatmaps[0], frame, threshold=row.threshold, edge=row.edge, most=self._most)
