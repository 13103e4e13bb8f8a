"""Turns drawn scenes into what the head learns from, frozen features and a target a cell; kept on disk."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.tattoo.detect import CELL, SIDE, letterbox
from trainer.drawings.scenes import Scene, draw_scene

__all__ = ["Lessons", "FULL", "make_lessons", "cell_target", "open_backbone"]

FULL = 6.0
"""Largest value of a feature (ReLU6): features are stored as bytes, 0..255 for 0..FULL."""
CHUNK = 200
"""Scenes in one file of the cache, half of them with tattoos."""
_CELLS = SIDE // CELL


@dataclass(frozen=True, slots=True)
class Lessons:
    """Features [n, 20, 20, 576]; target [n, 20, 20]: tattooed share of the cell, -1 outside the picture."""

    features: NDArray[np.uint8]
    target: NDArray[np.float16]

    @property
    def is_clean(self) -> NDArray[np.bool_]:
        """Which scenes [n] show no tattoo at all, not even a faint one."""
        return np.asarray((self.target <= 0).all(axis=(1, 2)))


def make_lessons(backbone: Path, folder: Path, *, seed: int, chunks: int, workers: int) -> Lessons:
    """Draw `chunks` x CHUNK scenes and run the backbone on them; what `folder` holds is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [
        (backbone, path, seed, index)
        for index in range(chunks)
        if not (path := _file(folder, seed, index)).exists()
    ]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for done, path in enumerate(pool.imap_unordered(_make_chunk, missing), start=1):
            print(f"{path.name}: {done} of {len(missing)}", flush=True)
    parts = [np.load(_file(folder, seed, index)) for index in range(chunks)]
    return Lessons(*(np.concatenate([part[name] for part in parts]) for name in ("features", "target")))


def cell_target(scene: Scene, scale: float) -> NDArray[np.float16]:
    """Return [20, 20]: the tattooed share of each cell, -1 for cells outside the picture."""
    height, width = (round(side * scale) for side in scene.tattooed.shape)
    canvas = np.full((SIDE, SIDE), -1, np.float32)
    canvas[:height, :width] = cv2.resize(scene.tattooed, (width, height), interpolation=cv2.INTER_AREA)
    cells = canvas.reshape(_CELLS, CELL, _CELLS, CELL).transpose(0, 2, 1, 3).reshape(_CELLS, _CELLS, -1)
    inside = cells >= 0
    mean = np.where(inside, cells, 0).sum(axis=2) / np.maximum(inside.sum(axis=2), 1)
    return np.where(inside.mean(axis=2) > 0.5, mean, -1).astype(np.float16)


def open_backbone(path: Path) -> onnxruntime.InferenceSession:
    """Open the feature backbone on one thread, so that several processes share the machine well."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _file(folder: Path, seed: int, index: int) -> Path:
    return folder / f"lessons-{seed}-{index:03d}.npz"


def _make_chunk(job: tuple[Path, Path, int, int]) -> Path:
    backbone, path, seed, index = job
    cv2.setNumThreads(1)
    session = open_backbone(backbone)
    features, targets = zip(*_scenes_of(session, seed, index), strict=True)
    aside = path.with_suffix(".partial.npz")
    np.savez(aside, features=np.stack(features), target=np.stack(targets))
    aside.rename(path)
    return path


def _scenes_of(
    session: onnxruntime.InferenceSession, seed: int, index: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float16]]]:
    for number in range(CHUNK):
        scene = draw_scene(np.random.default_rng([seed, index, number]), tattoos=number % 2 == 0)
        frame = letterbox(scene.picture)
        activation = session.run(None, {"input": frame.tensor[None]})[0][0]
        yield (
            np.round(activation.transpose(1, 2, 0) * (255 / FULL)).astype(np.uint8),
            cell_target(scene, frame.scale),
        )
