"""Small sets of pictures in the studio's format: dark discs on skin are tattoos."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

__all__ = ["write_set"]


def write_set(folder: Path, count: int, *, split: str = "train", width: int = 240, height: int = 320) -> Path:
    """`count` pictures, every third of them clean, the others with a disc; each has a tattoo unseen."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        rng = np.random.default_rng([len(split), number])
        pixels = np.full((height, width, 3), rng.integers(150, 220, 3), np.uint8)
        tattoos = [] if number % 3 == 2 else [_disc(rng, pixels, number)]
        name = f"pictures/{split}-{number:04d}.png"
        cv2.imwrite(str(folder / name), pixels)
        lines.append(
            {
                "picture": name,
                "split": split,
                "performer_id": f"p{number // 3}",
                "width": width,
                "height": height,
                "tattoos": [*tattoos, _unseen(number)],
                "overlays": [{"kind": "watermark"}] if number % 5 == 0 else [],
            }
        )
    with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return folder


def _disc(
    rng: np.random.Generator, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], number: int
) -> dict[str, object]:
    radius = int(rng.integers(25, 50))
    x, y = (int(rng.integers(radius, side - radius)) for side in (pixels.shape[1], pixels.shape[0]))
    cv2.circle(pixels, (x, y), radius, (40, 30, 30), -1)
    box = {"x": x - radius, "y": y - radius, "w": 2 * radius + 1, "h": 2 * radius + 1}
    return {**_facts(number), "box": box, "visible_fraction": 0.9, "contrast": 0.6, "pixels": radius**2 * 3}


def _unseen(number: int) -> dict[str, object]:
    return {**_facts(number), "box": None, "visible_fraction": 0.0, "contrast": 0.0, "pixels": 0}


def _facts(number: int) -> dict[str, object]:
    return {
        "tattoo_id": f"t{number // 3}",
        "design_id": f"d{number // 3}",
        "region": "CHEST",
        "area_share": 0.03 if number % 2 else 0.2,
        "view_angle": 10.0,
        "occlusion": 0.0,
    }
