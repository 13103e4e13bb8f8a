"""What the frozen backbone says of views of designs; kept on disk, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rich.progress import track

from services.tattoo.crop import to_input
from services.tattoo.pooled_network import build_pooled
from services.tattoo.table import built_in_embedder
from trainer.embedder.lessons import draw_views

__all__ = ["describe_designs"]

_CHUNK = 50
_ROW = built_in_embedder()


def describe_designs(
    flats: Path, checkpoint: bytes, folder: Path, *, seed: int, views: int, workers: int
) -> NDArray[np.float32]:
    """Return [designs, views, d]: what `build_pooled` gives for views of each drawing in the file `flats`.

    checkpoint: weights of the backbone. Designs come in chunks of 50; what `folder` holds is not made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = folder / "pooled.onnx"
    network.write_bytes(build_pooled(checkpoint).SerializeToString())
    designs = len(np.load(flats, mmap_mode="r"))
    key = _key(flats, checkpoint, seed, views)
    paths = [folder / f"{key}-{index:03d}.npy" for index in range(-(-designs // _CHUNK))]
    jobs = [
        (network, flats, path, seed, index, views) for index, path in enumerate(paths) if not path.exists()
    ]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for _ in track(pool.imap_unordered(_describe_chunk, jobs), f"views of {flats.stem}", total=len(jobs)):
            pass
    return np.concatenate([np.load(path) for path in paths])


def _key(flats: Path, checkpoint: bytes, seed: int, views: int) -> str:
    """Of all drawings and of the backbone, too: others of one name are others."""
    with flats.open("rb") as file:
        content = hashlib.file_digest(file, "sha256")
    content.update(checkpoint)
    return f"{flats.stem}-{content.hexdigest()[:16]}-{seed}-{views}"


def _describe_chunk(job: tuple[Path, Path, Path, int, int, int]) -> None:
    network, file, path, seed, index, views = job
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    flats = np.load(file, mmap_mode="r")[index * _CHUNK : (index + 1) * _CHUNK]
    rows = []
    for number, flat in enumerate(flats, start=index * _CHUNK):
        crops = draw_views(np.random.default_rng([seed, number]), flat, views, _ROW.size)
        rows.append(session.run(["pooled"], {"input": _inputs(crops)})[0])
    aside = path.with_suffix(".partial.npy")
    np.save(aside, np.stack(rows))
    aside.rename(path)


def _inputs(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return np.stack(
        [to_input(crop, size=_ROW.size, mean=_ROW.mean, deviation=_ROW.deviation) for crop in crops]
    )
