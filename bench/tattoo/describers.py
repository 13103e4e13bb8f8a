"""Ways to say how alike two tattoos are: embedders and key points, both as the service runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.signal.operating_point import OperatingPoint
from chassis.work import WorkPool
from services.tattoo.agreement import agreeing_points
from services.tattoo.embed import TattooEmbedder
from services.tattoo.key_points import find_key_points
from services.tattoo.models import MOBILENET_V2, TATTOO_EMBEDDER
from services.tattoo.table import EmbedderRow, built_in_embedder

__all__ = [
    "Describer",
    "EmbedderDescriber",
    "KeyPointDescriber",
    "built_in",
    "frozen_backbone",
]

Pixels = NDArray[np.uint8]

# Agreeing points that say anything, where nothing else does.
_FEWEST = 4
_POOLED = 1280
_UNKNOWN = OperatingPoint(
    impostor_p99=0.0, genuine_median=1.0, identification_confidence=1.0, provenance="none"
)


class Describer(Protocol):
    """Compares crops of tattoos."""

    async def similarities(self, probes: Sequence[Pixels], gallery: Sequence[Pixels]) -> NDArray[np.float64]:
        """[probes, gallery], higher is more alike."""
        ...


@dataclass(frozen=True, slots=True)
class EmbedderDescriber:
    """An embedder; `mean` [d] is taken off its vectors, if given."""

    row: EmbedderRow
    file: Path
    mean: NDArray[np.float64] | None = None

    async def similarities(self, probes: Sequence[Pixels], gallery: Sequence[Pixels]) -> NDArray[np.float64]:
        async with self._open() as embedder:
            ours, theirs = [await self._vectors(embedder, crops) for crops in (probes, gallery)]
        return np.asarray(ours @ theirs.T)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[TattooEmbedder]:
        async with OnnxInference.open({self.row.model: self.file}) as inference, WorkPool(1, 64) as work:
            yield TattooEmbedder(inference, work, [self.row])

    async def _vectors(self, embedder: TattooEmbedder, crops: Sequence[Pixels]) -> NDArray[np.float64]:
        described = [vector for crop in crops for vector in await embedder.embed([crop])]
        vectors = np.array([one[self.row.key] for one in described], np.float64)
        centred = vectors if self.mean is None else vectors - self.mean
        return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


def built_in() -> EmbedderDescriber:
    """The one that is used unless the settings say otherwise; built where it was not."""
    store = ModelStore()
    store.build([TATTOO_EMBEDDER])
    return EmbedderDescriber(built_in_embedder(), store.path(TATTOO_EMBEDDER.name))


def frozen_backbone() -> EmbedderDescriber:
    """ImageNet's MobileNetV2, 1280 values, minus their mean over drawn tattoos."""
    store = ModelStore()
    store.build([MOBILENET_V2])
    with np.load(BytesIO((files("services.tattoo") / "weights" / "embedder.npz").read_bytes())) as stored:
        # Of the shipped embedder's four depths the first one is this.
        mean = stored["mean"][:_POOLED].astype(np.float64)
    row = EmbedderRow(
        name="mobilenet_v2",
        version="1",
        model_version="1",
        size=224,
        dimension=_POOLED,
        operating_point=_UNKNOWN,
    )
    return EmbedderDescriber(row, store.path(MOBILENET_V2.name), mean)


class KeyPointDescriber:
    """Key points and RANSAC alone, as the service finds and compares them: how many agree."""

    async def similarities(self, probes: Sequence[Pixels], gallery: Sequence[Pixels]) -> NDArray[np.float64]:
        ours, theirs = [[find_key_points(crop) for crop in crops] for crops in (probes, gallery)]
        counts = [[agreeing_points(one, other, least=_FEWEST) for other in theirs] for one in ours]
        return np.array(counts, np.float64)
