"""Ways to say how alike two tattoos are: embedders as the service runs them, and key points with RANSAC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.signal.operating_point import OperatingPoint
from chassis.work import WorkPool
from services.tattoo.embed import TattooEmbedder
from services.tattoo.models import MOBILENET_V2, TATTOO_EMBEDDER
from services.tattoo.networks import DIMENSION
from services.tattoo.table import EmbedderRow, built_in_embedder

__all__ = [
    "Describer",
    "EmbedderDescriber",
    "KeyPoints",
    "built_in",
    "frozen_backbone",
    "from_file",
    "verified",
]

Pixels = NDArray[np.uint8]

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
        mean = stored["mean"].astype(np.float64)
    row = EmbedderRow(
        name="mobilenet_v2",
        version="1",
        model_version="1",
        size=224,
        dimension=1280,
        operating_point=_UNKNOWN,
    )
    return EmbedderDescriber(row, store.path(MOBILENET_V2.name), mean)


def from_file(name: str, file: Path) -> EmbedderDescriber:
    """An embedder of `trainer.embedder`: values 0..1, 512-d."""
    row = EmbedderRow(
        name=name, version="file", size=224, mean=(0, 0, 0), deviation=(1, 1, 1), dimension=DIMENSION,
        operating_point=_UNKNOWN, file=file,
    )  # fmt: skip
    return EmbedderDescriber(row, file)


class KeyPoints:
    """SIFT key points, matched by Lowe's ratio, and how many agree on one affine map (RANSAC)."""

    _SIDE = 256
    _RATIO = 0.8
    _PIXELS = 6.0

    def __init__(self) -> None:
        self._sift = cv2.SIFT.create(nfeatures=300)
        self._matcher = cv2.BFMatcher()

    async def similarities(self, probes: Sequence[Pixels], gallery: Sequence[Pixels]) -> NDArray[np.float64]:
        ours, theirs = [[self.describe(crop) for crop in crops] for crops in (probes, gallery)]
        return np.array([[self.agreeing(one, other) for other in theirs] for one in ours], np.float64)

    def describe(self, crop: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Places [n, 2] and descriptors [n, 128], None where there are none."""
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        scale = self._SIDE / max(grey.shape)
        size = [max(16, round(side * scale)) for side in grey.shape[::-1]]
        points, described = self._sift.detectAndCompute(cv2.resize(grey, size), None)
        places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
        return places, None if described is None else np.asarray(described, np.float32)

    def agreeing(
        self,
        one: tuple[NDArray[np.float32], NDArray[np.float32] | None],
        other: tuple[NDArray[np.float32], NDArray[np.float32] | None],
    ) -> int:
        """Matches that agree on one map of scale, turn and shift; 0 where there are too few."""
        if one[1] is None or other[1] is None or len(other[1]) < 2:
            return 0
        pairs = self._matcher.knnMatch(one[1], other[1], k=2)
        good = [first for first, second in pairs if first.distance < self._RATIO * second.distance]
        if len(good) < 4:
            return 0
        start = np.array([one[0][match.queryIdx] for match in good])
        end = np.array([other[0][match.trainIdx] for match in good])
        _, agree = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=self._PIXELS)
        return 0 if agree is None else int(np.asarray(agree).sum())


def verified(
    similarities: NDArray[np.float64],
    probes: Sequence[Pixels],
    gallery: Sequence[Pixels],
    *,
    candidates: int = 10,
    least: int = 12,
) -> NDArray[np.float64]:
    """Similarities where, of each probe's best candidates, those with many agreeing key points come first."""
    points = KeyPoints()
    described = [points.describe(crop) for crop in gallery]
    raised = similarities.copy()
    for number, probe in enumerate(probes):
        ours = points.describe(probe)
        for index in np.argsort(-similarities[number])[:candidates]:
            agree = points.agreeing(ours, described[index])
            raised[number, index] += agree / 100 if agree >= least else 0.0
    return raised
