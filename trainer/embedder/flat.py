"""Drawings on their own, as they were before anybody wore them: kept on disk, many views are made of each."""

from __future__ import annotations

import json
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from trainer.studio.designs import KINDS, draw, pick_design
from trainer.studio.inking import Design
from trainer.studio.seeds import Split, generator

__all__ = ["FLAT_SIDE", "write_flat", "read_flat_names", "flattened"]

FLAT_SIDE = 192
"""Width and height of a kept drawing, pixels."""

Flat = NDArray[np.uint8]
"""[FLAT_SIDE, FLAT_SIDE, 4]: red, green, blue and opacity, cut to where there is ink."""


def write_flat(
    path: Path, *, split: Split, seed: int, count: int, workers: int, kinds: tuple[str, ...] = KINDS
) -> None:
    """Draw `count` of the studio's designs of a split into one file, [count, FLAT_SIDE, FLAT_SIDE, 4].

    Their ids go into a file beside it, `.json`. A file that is there stays. `kinds` are those of
    `pick_design`; all but motifs need the training packages, and raise Unavailable without.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial.npy")
    kept = np.lib.format.open_memmap(aside, mode="w+", dtype=np.uint8, shape=(count, FLAT_SIDE, FLAT_SIDE, 4))
    with get_context("spawn").Pool(workers) as pool:
        names = [pick_design(generator("flat", seed, number), split, kinds=kinds) for number in range(count)]
        drawn = pool.imap(_draw, names, chunksize=16)
        for number, flat in enumerate(track(drawn, "drawing", total=count)):
            kept[number] = flat
    kept.flush()
    path.with_suffix(".json").write_text(json.dumps(names))
    aside.replace(path)


def read_flat_names(path: Path) -> list[str]:
    """The ids of the designs in a file of `write_flat`."""
    return [str(name) for name in json.loads(path.with_suffix(".json").read_text())]


def flattened(design: Design) -> Flat:
    """A drawing cut to its ink and scaled, its shape kept, into the middle of a square."""
    rows, columns = np.nonzero(design.opacity > 0.1)
    if len(rows) == 0:
        return np.zeros((FLAT_SIDE, FLAT_SIDE, 4), np.uint8)
    window = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    cut = np.concatenate([design.color[window], design.opacity[window][..., None]], axis=2)
    scale = FLAT_SIDE / max(cut.shape[:2])
    size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.clip(cv2.resize(cut.astype(np.float32), size, interpolation=method) * 255, 0, 255)
    flat = np.zeros((FLAT_SIDE, FLAT_SIDE, 4), np.uint8)
    top, left = (FLAT_SIDE - size[1]) // 2, (FLAT_SIDE - size[0]) // 2
    flat[top : top + size[1], left : left + size[0]] = small.astype(np.uint8)
    return flat


def _draw(design_id: str) -> Flat:
    cv2.setNumThreads(1)
    return flattened(draw(design_id))
