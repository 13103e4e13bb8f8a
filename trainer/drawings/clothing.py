"""What lies over skin: garments, nets, hair and a head."""

import cv2
import numpy as np

from trainer.drawings.canvas import SIZE, Canvas, outline
from trainer.drawings.clutter import cloth, hair
from trainer.drawings.faces import FACE, draw_face
from trainer.drawings.motifs import curve
from trainer.drawings.noise import Field, fractal, shifted
from trainer.drawings.skin import rounded_light

__all__ = ["add_head", "add_locks", "dress"]


def dress(rng: np.random.Generator, canvas: Canvas, kind: str) -> None:
    """Cover parts of the body with clothes, nets and straps."""
    if rng.random() < (0.9 if kind == "portrait" else 0.4):
        _garment(rng, canvas, low=kind == "portrait")
    if rng.random() < 0.12 and kind != "portrait":
        _net(rng, canvas)
    if rng.random() < 0.12:
        mask = outline(rng, canvas, radius=rng.uniform(0.15, 0.5))
        canvas.cover(hair(rng, canvas.height, canvas.width), mask)


def add_head(rng: np.random.Generator, canvas: Canvas, tone: Field, *, large: bool) -> None:
    color, opacity = draw_face(rng, tone)
    size = min(canvas.height, canvas.width) * (rng.uniform(0.7, 1.9) if large else rng.uniform(0.15, 0.45))
    x = rng.uniform(0.3, 0.7) * canvas.width
    y = (rng.uniform(0.35, 0.6) if large else rng.uniform(0.1, 0.3)) * canvas.height
    matrix = cv2.getRotationMatrix2D((FACE / 2, FACE / 2), rng.normal(0, 12), size / FACE)
    matrix = shifted(matrix, np.array([x - FACE / 2, y - FACE / 2]))
    shape = canvas.width, canvas.height
    light = rounded_light(rng, canvas.height, canvas.width)[..., None]
    layer = cv2.warpAffine(color, matrix, shape, flags=cv2.INTER_AREA) * light
    canvas.cover(
        np.clip(layer, 0, 1).astype(np.float32), cv2.warpAffine(opacity, matrix, shape).astype(np.float32)
    )


def add_locks(rng: np.random.Generator, canvas: Canvas) -> None:
    """Strands of head hair that fall across whatever is below."""
    tint = np.array([[0.07, 0.05, 0.05], [0.25, 0.15, 0.1], [0.75, 0.6, 0.4]])[rng.integers(3)]
    start = rng.uniform(0, 1, 2) * [canvas.width, 0.5 * canvas.height]
    fall = np.cumsum(rng.normal([0.02, 0.12], [0.08, 0.06], (5, 2)), axis=0) * SIZE
    for _ in range(int(rng.integers(5, 60))):
        line = curve(start + rng.normal(0, 9, 2) + fall * rng.uniform(0.6, 1.1) + rng.normal(0, 2, (5, 2)))
        shade = np.clip(tint * rng.uniform(0.5, 1.5), 0, 1).tolist()
        cv2.polylines(canvas.picture, [np.round(line).astype(np.int32)], False, shade, 1, cv2.LINE_AA)


def _garment(rng: np.random.Generator, canvas: Canvas, *, low: bool) -> None:
    if low:
        rows = np.mgrid[: canvas.height, : canvas.width][0] / canvas.height
        columns = np.abs(np.mgrid[: canvas.height, : canvas.width][1] / canvas.width - 0.5)
        collar = rng.uniform(0.72, 0.95) - columns * rng.uniform(-0.2, 0.5) * np.sign(rng.normal())
        mask = np.clip((rows - collar) * canvas.height / 2, 0, 1).astype(np.float32)
    else:
        mask = outline(rng, canvas, radius=rng.uniform(0.2, 0.6))
    canvas.cover(cloth(rng, canvas.height, canvas.width), mask)


def _net(rng: np.random.Generator, canvas: Canvas) -> None:
    """Fishnet or lace: a regular dark pattern on skin that is no tattoo; tattoos below still show."""
    rows, columns = np.mgrid[: canvas.height, : canvas.width].astype(np.float32)
    bend = (fractal(rng, canvas.height, canvas.width, cells=2, octaves=2) - 0.5) * 40
    period = rng.uniform(7, 26)
    lines = [
        np.abs(np.sin((rows + sign * columns + bend) * np.pi / period)) < rng.uniform(0.1, 0.3)
        for sign in (-1, 1)
    ]
    mask = (
        (lines[0] | lines[1]).astype(np.float32)
        * outline(rng, canvas, radius=rng.uniform(0.3, 0.7))
        * canvas.skin
    )
    tint = np.array([0.08, 0.08, 0.09]) if rng.random() < 0.7 else rng.random(3)
    canvas.picture += (tint.astype(np.float32) - canvas.picture) * (mask * rng.uniform(0.6, 1.0))[..., None]
