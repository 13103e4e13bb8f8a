"""The tattoos of a picture: from pixels to detections, by the detector."""

from __future__ import annotations

import asyncio
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
from services.tattoo.detect import CELL, SIDE, Detection, Frame, find_tattoos, heat_of, letterbox
from services.tattoo.looks import Boxes, Looked, looks_at, read_boxes, tattoos_of
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

        Raises ModelError where a model gives something else than its format says, else as `Inference.infer`
        and `WorkPool.run` do.
        """
        if self._row.format == "yolo":
            frame = await self._pool.run(letterbox_centred, picture)
            return await self._pool.run(self._select_boxes, await self._run(frame), frame)
        cells = await self._pool.run(letterbox, picture)
        if self._row.heat is None:
            return await self._pool.run(self._find_regions, await self._run(cells), cells)
        return await self._look(self._row.heat, picture, cells)

    async def _look(self, heat: str, picture: RGBImage, cells: Frame) -> list[Detection]:
        """The heat map is computed beside the boxes."""
        looks = await self._pool.run(looks_at, picture)
        looking = asyncio.gather(*map(self._boxes, looks.values()))
        outputs, boxes = await asyncio.gather(self._inference.infer(heat, cells.tensor[None]), looking)
        looked = Looked(dict(zip(looks, boxes, strict=True)), heat_of(_heatmap(heat, outputs), cells))
        return await self._pool.run(self._agreed, looked)

    async def _boxes(self, look: BoxFrame) -> Boxes:
        return await self._pool.run(read_boxes, self._row.name, await self._run(look), look)

    async def _run(self, frame: _Framed) -> _Outputs:
        return await self._inference.infer(self._row.name, frame.tensor[None])

    def _select_boxes(self, outputs: _Outputs, frame: BoxFrame) -> list[Detection]:
        row = self._row
        candidates = read_candidates(row.name, outputs)
        return select_tattoos(
            candidates, frame, threshold=row.threshold, overlap=row.overlap, most=self._most
        )

    def _find_regions(self, outputs: _Outputs, frame: Frame) -> list[Detection]:
        row = self._row
        heatmap = _heatmap(row.name, outputs)
        return find_tattoos(heatmap, frame, threshold=row.threshold, edge=row.edge, most=self._most)

    def _agreed(self, looked: Looked) -> list[Detection]:
        row = self._row
        return tattoos_of(
            looked,
            threshold=row.threshold,
            edge=row.edge,
            overlap=row.overlap,
            most=self._most,
        )


def _heatmap(model: str, outputs: _Outputs) -> NDArray[np.float32]:
    """Raises ModelError where the model has given none."""
    heatmaps = outputs.get("heatmap")
    if heatmaps is None or heatmaps.shape[1:] != _SHAPE:
        raise ModelError(f"model {model}: it has no output heatmap of {_SHAPE}")
    first: NDArray[np.float32] = heatmaps[0]
    return first
