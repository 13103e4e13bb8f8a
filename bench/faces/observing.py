"""Every photograph through the service's own observe path, in this process; resumable."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

import services.face
from chassis.models import ModelStore
from chassis.parts import open_inference
from chassis.work import WorkPool
from services.face.config import FaceConfig
from services.face.embedding import Embedder
from services.face.ensemble import Ensemble, ModelKey
from services.face.library import FaceLibrary
from services.face.observe import ObservedFace, Observer
from services.face.quality import QualityFactors
from services.face.selection import rows_in_use
from services.face.serving import model_files, new_observer

__all__ = ["Seen", "Look", "observe_all"]

_PORTION = 32
_AT_ONCE = 4
# Modules of the face service that decide what is seen and how it is described.
_DECIDING = (
    "alignment",
    "detector",
    "embedding",
    "finder",
    "looks",
    "mesh",
    "observe",
    "picture",
    "quality",
    "templates",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest face of a photograph."""

    vectors: dict[ModelKey, NDArray[np.float32]]
    factors: QualityFactors
    confidence: float


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of each photograph (None: no face), and with which embedders."""

    ensemble: Ensemble
    seen: dict[Path, Seen | None]


async def observe_all(files: Sequence[Path], config: FaceConfig, *, cache: Path, progress: Progress) -> Look:
    """Observe the photographs that the cache lacks. The cache is of this code and these models only."""
    models = ModelStore(config.models.directory)
    ensemble = Ensemble(rows_in_use(config.face, models))
    models_in_use = model_files(config, ensemble, models)
    paths = [model.path for model in models_in_use.values() if model.path is not None]
    folder = cache / _fingerprint(ensemble, paths)
    folder.mkdir(parents=True, exist_ok=True)
    portions = [files[start : start + _PORTION] for start in range(0, len(files), _PORTION)]
    task = progress.add_task("photographs", total=len(files))
    seen: dict[Path, Seen | None] = {}
    async with AsyncExitStack() as stack:
        work = await stack.enter_async_context(WorkPool(2, 256))
        inference = await stack.enter_async_context(open_inference(config.inference, models_in_use))
        embedders = [Embedder(row, inference, work) for row in ensemble.rows]
        observer = new_observer(config, inference, embedders, FaceLibrary(ensemble), work)
        for portion in portions:
            seen |= await _portion(observer, portion, folder)
            progress.advance(task, len(portion))
    return Look(ensemble, seen)


async def _portion(observer: Observer, files: Sequence[Path], folder: Path) -> dict[Path, Seen | None]:
    file = folder / f"{hashlib.sha256('|'.join(map(str, files)).encode()).hexdigest()[:24]}.pickle"
    if not file.exists():
        limit = asyncio.Semaphore(_AT_ONCE)
        results = await asyncio.gather(*(_observe(observer, one, limit) for one in files))
        aside = file.with_suffix(".partial")
        aside.write_bytes(pickle.dumps(dict(zip(files, results, strict=True))))
        aside.rename(file)
    known: dict[Path, Seen | None] = pickle.loads(file.read_bytes())
    return known


async def _observe(observer: Observer, file: Path, limit: asyncio.Semaphore) -> Seen | None:
    async with limit:
        observation = await observer.observe(await asyncio.to_thread(file.read_bytes), max_candidates=0)
    return _seen(observation.faces[0]) if observation.faces else None


def _seen(face: ObservedFace) -> Seen:
    return Seen(dict(face.template.vectors), face.factors, face.confidence)


def _fingerprint(ensemble: Ensemble, models: Iterable[Path]) -> str:
    """Changes with all that decides what is observed: code, models' files, rows of the model table."""
    digest = hashlib.sha256()
    package = Path(str(services.face.__file__)).parent
    for name in _DECIDING:
        digest.update((package / f"{name}.py").read_bytes())
    for row in ensemble.rows:
        looks = (row.size, row.layout, row.color, row.subtract, row.divide, row.template, row.views)
        digest.update(f"{row.key} {looks}".encode())
    for model in sorted(models):
        digest.update(model.read_bytes())
    return digest.hexdigest()[:16]
