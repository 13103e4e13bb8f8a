"""Writes drawn scenes as a set like the studio's: close-ups of many kinds that the studio does not have."""

from __future__ import annotations

import json
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from trainer.drawings.scenes import Scene, draw_scene

__all__ = ["write_drawn"]

_TATTOOED_OF_TEN = 6
_HELD_OUT_OF_TEN = 1
_LEAST_PIXELS = 60
_SURE = 0.5


def write_drawn(folder: Path, *, seed: int, count: int, workers: int, flats: Path | None = None) -> None:
    """Draw `count` scenes that are not there yet, one in ten of them held out, and their truth.

    flats: a file of drawings (see `trainer.embedder.flat`) to compose tattoos of.
    """
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(workers) as pool:
        drawn = pool.imap(partial(_write_one, folder, seed, flats), range(count), chunksize=8)
        truths = list(track(drawn, "drawing", total=count))
    aside = folder / "truth.partial"
    aside.write_text("".join(json.dumps(truth) + "\n" for truth in truths), encoding="utf-8")
    aside.replace(folder / "truth.jsonl")


def _write_one(folder: Path, seed: int, flats: Path | None, number: int) -> dict[str, Any]:
    cv2.setNumThreads(1)
    picture, known = f"pictures/{seed}-{number:06d}.jpg", folder / "pictures" / f"{seed}-{number:06d}.json"
    if known.exists():
        kept: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
        return kept
    scene = draw_scene(
        np.random.default_rng([seed, number]),
        tattoos=number % 10 < _TATTOOED_OF_TEN,
        flats=None if flats is None else np.load(flats, mmap_mode="r"),
    )
    cv2.imwrite(str(folder / picture), scene.picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    truth = {
        "picture": picture,
        "split": "validation" if number // 10 % 10 < _HELD_OUT_OF_TEN else "train",
        "performer_id": f"drawn/{seed}/{number}",
        "height": scene.picture.shape[0],
        "width": scene.picture.shape[1],
        "overlays": [],
        "tattoos": _tattoos(scene, f"drawn/{seed}/{number}"),
    }
    known.write_text(json.dumps(truth), encoding="utf-8")
    return truth


def _tattoos(scene: Scene, name: str) -> list[dict[str, Any]]:
    """A box for each inked region; faint ones are marked by their contrast."""
    count, _, found, _ = cv2.connectedComponentsWithStats((scene.tattooed > 0.01).astype(np.uint8))
    tattoos: list[dict[str, Any]] = []
    for index in range(1, count):
        x, y, width, height, pixels = (int(value) for value in found[index])
        if pixels < _LEAST_PIXELS:
            continue
        strongest = float(scene.tattooed[y : y + height, x : x + width].max())
        tattoos.append(
            {
                "box": {"x": x, "y": y, "w": width, "h": height},
                "tattoo_id": f"{name}/{index}",
                "design_id": f"{name}/{index}",
                "region": "UNKNOWN",
                "visible_fraction": 1.0,
                "area_share": 1.0,
                "view_angle": 0.0,
                "occlusion": 0.0,
                "contrast": 1.0 if strongest > _SURE else 0.0,
                "pixels": pixels,
            }
        )
    return tattoos
