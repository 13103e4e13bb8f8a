"""What the services really send to their models, recorded on photographs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack

import numpy as np
from numpy.typing import NDArray

from chassis.images import ImageLimits, RGBImage, decode
from chassis.inference import Batch, Inference, ModelFile, Outputs
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelSpec, ModelStore, discover_specs
from chassis.models.repository import has_config
from chassis.work import WorkPool
from services.body.people import PeopleFinder
from services.face.embedding import Embedder
from services.face.finder import FaceFinder
from services.face.models import FACE_DETECTOR, FACE_MESH
from services.face.picture import Picture
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.embed import TattooEmbedder
from services.tattoo.finder import TattooFinder
from services.tattoo.table import built_in_detector, built_in_embedder

__all__ = ["served_specs", "record_inputs"]

_LIMITS = ImageLimits(max_bytes=32 * 2**20, max_pixels=50_000_000)


class _Recording:
    """An `Inference` that remembers what it was asked."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self.inputs: dict[str, list[Batch]] = {}

    async def infer(self, model: str, batch: Batch) -> Outputs:
        self.inputs.setdefault(model, []).append(batch.copy())
        return await self._inference.infer(model, batch)

    async def ready(self, models: Collection[str] | None = None) -> None:
        await self._inference.ready(models)

    async def add(self, key: str, file: ModelFile) -> None:
        await self._inference.add(key, file)

    async def remove(self, key: str) -> None:
        await self._inference.remove(key)


def served_specs(store: ModelStore) -> list[ModelSpec]:
    """The models that services call and that are built."""
    return [spec for spec in discover_specs() if has_config(spec) and store.built(spec)]


async def record_inputs(
    images: Sequence[bytes], store: ModelStore, *, most: int
) -> dict[str, NDArray[np.float32]]:
    """For each model up to `most` inputs, (n, *input shape), that the services make of these photographs.

    images: encoded; one with a face each, and a whole person on some, or a model gets no input.
    """
    specs = served_specs(store)
    async with AsyncExitStack() as stack:
        work = await stack.enter_async_context(WorkPool(1, 64))
        paths = {spec.name: store.path(spec.name) for spec in specs}
        inference = await stack.enter_async_context(OnnxInference.open(paths))
        recording = _Recording(inference)
        for image in images:
            await _look(decode(image, _LIMITS), recording, work, {spec.name for spec in specs})
    return {model: _of_one_shape(batches)[:most] for model, batches in recording.inputs.items()}


def _of_one_shape(batches: Sequence[Batch]) -> NDArray[np.float32]:
    """That of the first one: a model that takes any size is timed with one."""
    return np.concatenate([batch for batch in batches if batch.shape[1:] == batches[0].shape[1:]])


async def _look(image: RGBImage, inference: Inference, work: WorkPool, models: set[str]) -> None:
    """As the three services look at a picture, without searching."""
    picture = Picture(image)
    finder = FaceFinder(inference, work, detector=FACE_DETECTOR.name, mesh=FACE_MESH.name, max_faces=64)
    meshes = [face.mesh for face in await finder.find(picture)]
    for name in DEFAULT_EMBEDDERS:
        if meshes and name in models:
            await Embedder(BUILT_IN_ROWS[name], inference, work).embed(picture, meshes)
    await PeopleFinder(inference, work).find(image)
    await TattooFinder(inference, work, built_in_detector(), most=16).find(image)
    # Photographs of faces show no tattoos: quarters of them stand for crops.
    height, width = image.shape[0] // 2, image.shape[1] // 2
    crops = [image[y : y + height, x : x + width] for y in (0, height) for x in (0, width)]
    await TattooEmbedder(inference, work, [built_in_embedder()]).embed(crops)
