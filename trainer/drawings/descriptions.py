"""Backbone vectors of drawn views of drawn designs; kept on disk."""

import multiprocessing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.tattoo.crop import to_input
from trainer.drawings.lessons import open_backbone
from trainer.drawings.views import draw_views

__all__ = ["describe_designs"]

_CHUNK = 50
_SIZE = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def describe_designs(
    backbone: Path, folder: Path, *, seed: int, designs: int, views: int, workers: int
) -> NDArray[np.float32]:
    """Return [designs, views, 1280]: mean of the backbone's unit vectors of a view and its mirror image.

    Designs come in chunks of 50, the last one whole too; what `folder` holds is not made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chunks = -(-designs // _CHUNK)
    paths = [folder / f"views-{seed}-{views}-{index:03d}.npy" for index in range(chunks)]
    jobs = [(backbone, path, seed, index, views) for index, path in enumerate(paths) if not path.exists()]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for done, path in enumerate(pool.imap_unordered(_describe_chunk, jobs), start=1):
            print(f"{path.name}: {done} of {len(jobs)}", flush=True)
    return np.concatenate([np.load(path) for path in paths])[:designs]


def _describe_chunk(job: tuple[Path, Path, int, int, int]) -> Path:
    backbone, path, seed, index, views = job
    cv2.setNumThreads(1)
    session = open_backbone(backbone)
    rows = []
    for number in range(index * _CHUNK, (index + 1) * _CHUNK):
        crops = draw_views(np.random.default_rng([seed, number]), views)
        inputs = np.stack([to_input(crop, size=_SIZE, mean=_MEAN, deviation=_DEVIATION) for crop in crops])
        both = session.run(["embedding"], {"input": np.concatenate([inputs, inputs[..., ::-1]])})[0]
        rows.append((both[:views] + both[views:]) / 2)
    aside = path.with_suffix(".partial.npy")
    np.save(aside, np.stack(rows))
    aside.rename(path)
    return path
