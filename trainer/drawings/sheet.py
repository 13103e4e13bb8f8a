"""A contact sheet of drawn scenes, to see what the detector learns from."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.drawings.canvas import SIZE
from trainer.drawings.scenes import Scene, draw_scene

__all__ = ["write_sheet"]

_ROWS, _COLUMNS, _TILE = 8, 10, 150


def write_sheet(path: Path, *, seed: int) -> None:
    """Write a PNG of 80 scenes: the upper half tattooed with the target in green, the lower half clean."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        np.concatenate([_tile(_scene(seed, row, column)) for column in range(_COLUMNS)], axis=1)
        for row in range(_ROWS)
    ]
    cv2.imwrite(str(path), np.concatenate(rows)[:, :, ::-1])
    print(path)


def _scene(seed: int, row: int, column: int) -> Scene:
    return draw_scene(np.random.default_rng([seed, row, column]), tattoos=row < _ROWS // 2)


def _tile(scene: Scene) -> NDArray[np.uint8]:
    picture = scene.picture.copy()
    inked = (scene.tattooed > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(inked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, outlines, -1, (0, 255, 0), 2)
    square = np.zeros((SIZE, SIZE, 3), np.uint8)
    square[: picture.shape[0], : picture.shape[1]] = picture
    return np.asarray(cv2.resize(square, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)
