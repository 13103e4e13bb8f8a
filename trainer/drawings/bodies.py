"""Body shapes and the skin painted on them."""

import cv2
import numpy as np

from trainer.drawings.canvas import Canvas, outline, pixel
from trainer.drawings.noise import Field, fractal
from trainer.drawings.skin import add_marks, rounded_light, skin_surface

__all__ = ["draw_body", "paint_skin"]


def draw_body(rng: np.random.Generator, kind: str, height: int, width: int) -> Field:
    """Return [height, width] 1 where bare skin may be."""
    if kind == "close" and rng.random() < 0.6:
        return np.ones((height, width), np.float32)
    mask = np.zeros((height, width), np.float32)
    if kind in ("close", "limb"):
        _limb(rng, mask, thick=kind == "close")
    elif kind == "torso":
        _torso(rng, mask, reach=rng.uniform(0.5, 1.0))
    elif kind == "figure":
        _figure(rng, mask)
    else:
        _bust(rng, mask)
    return cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32)


def paint_skin(rng: np.random.Generator, canvas: Canvas, body: Field, tone: Field) -> None:
    surface = skin_surface(rng, canvas.height, canvas.width, tone)
    add_marks(rng, surface)
    depth = cv2.distanceTransform(np.pad((body > 0.5).astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    if float(body.min()) < 0.5:
        edge = np.clip(depth / (max(float(depth.max()), 1.0) * rng.uniform(0.25, 0.7)), 0, 1)
        surface *= (1 - rng.uniform(0.1, 0.5) * (1 - np.sqrt(edge)))[..., None].astype(np.float32)
    surface *= rounded_light(rng, canvas.height, canvas.width)[..., None]
    if rng.random() < 0.3:
        surface *= 1 - _cast_shadow(rng, canvas)[..., None] * rng.uniform([0.3, 0.35, 0.35], [0.75, 0.8, 0.8])
    canvas.cover(np.clip(surface, 0, 1), body)
    canvas.skin = np.maximum(canvas.skin, body)


def _limb(rng: np.random.Generator, mask: Field, *, thick: bool) -> None:
    height, width = mask.shape
    girth = max(height, width) * (rng.uniform(0.4, 0.8) if thick else rng.uniform(0.15, 0.45))
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)]) * max(height, width) * 0.75
    middle = rng.uniform(0.3, 0.7, 2) * [width, height]
    joints = middle + np.array(
        [-along, rng.normal(0, 0.06, 2) * width, along + rng.normal(0, 0.15, 2) * width]
    )
    girths = girth * rng.uniform(0.75, 1.15, 3)
    for step in np.linspace(0, 2, 60):
        low = min(int(step), 1)
        share = step - low
        point = joints[low] * (1 - share) + joints[low + 1] * share
        radius = (girths[low] * (1 - share) + girths[low + 1] * share) / 2
        cv2.circle(mask, pixel(point), int(radius), 1.0, -1, cv2.LINE_AA)


def _torso(rng: np.random.Generator, mask: Field, *, reach: float) -> None:
    height, width = mask.shape
    middle, half = rng.uniform(0.35, 0.65) * width, reach * min(height, width) * 0.5
    levels = np.linspace(-0.1, 1.1, 7) * height
    girths = half * np.interp(
        np.linspace(0, 1, 7), [0, 0.2, 0.6, 1], rng.uniform([0.5, 0.9, 0.6, 0.8], [1.1, 1.2, 0.95, 1.1])
    )
    sway = middle + np.cumsum(rng.normal(0, 0.02 * width, 7))
    outline = np.concatenate(
        [np.stack([sway - girths, levels], 1), np.stack([sway + girths, levels], 1)[::-1]]
    )
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1.0, cv2.LINE_AA)
    for side in (-1, 1):
        if rng.random() < 0.7:
            shoulder = np.array([middle + side * half, 0.15 * height])
            arm = np.array([side * rng.uniform(0.0, 0.5) * width, rng.uniform(0.3, 0.8) * height])
            hand = shoulder + arm
            cv2.line(
                mask,
                pixel(shoulder),
                pixel(hand),
                1.0,
                max(4, int(half * rng.uniform(0.3, 0.5))),
                cv2.LINE_AA,
            )


def _figure(rng: np.random.Generator, mask: Field) -> None:
    height, width = mask.shape
    size = height * rng.uniform(0.6, 1.0)
    hip = np.array([rng.uniform(0.3, 0.7) * width, height * 0.5])
    shoulder = hip - [rng.normal(0, 0.05) * size, 0.28 * size]
    cv2.line(mask, pixel(hip), pixel(shoulder), 1.0, int(size * rng.uniform(0.13, 0.2)), cv2.LINE_AA)
    for side in (-1, 1):
        for start, lengths, girth in ((shoulder, (0.17, 0.16), 0.055), (hip, (0.25, 0.25), 0.085)):
            joint = start + np.array([side * 0.07 * size, 0])
            for length in lengths:
                angle = np.pi / 2 - side * rng.uniform(-0.2, 1.0)
                end = joint + length * size * np.array([np.cos(angle), np.sin(angle)])
                cv2.line(mask, pixel(joint), pixel(end), 1.0, max(3, int(girth * size)), cv2.LINE_AA)
                joint = end


def _bust(rng: np.random.Generator, mask: Field) -> None:
    height, width = mask.shape
    middle = rng.uniform(0.35, 0.65) * width
    neck = (int(middle), int(height * 0.55)), (int(middle), int(height * 0.95))
    cv2.line(mask, *neck, 1.0, int(width * rng.uniform(0.15, 0.28)), cv2.LINE_AA)
    shoulders = int(middle), int(height * rng.uniform(1.0, 1.15))
    cv2.ellipse(mask, shoulders, (int(width * rng.uniform(0.35, 0.6)), int(height * 0.3)), 0, 0, 360, 1.0, -1)


def _cast_shadow(rng: np.random.Generator, canvas: Canvas) -> Field:
    """A shadow with a more or less sharp edge, as an arm, a blind or a leaf throws."""
    shadow = outline(rng, canvas, radius=rng.uniform(0.1, 0.5))
    if rng.random() < 0.3:
        field = fractal(rng, canvas.height, canvas.width, cells=int(rng.integers(3, 9)), octaves=2)
        shadow = (field > rng.uniform(0.45, 0.65)).astype(np.float32)
    return cv2.GaussianBlur(shadow, (0, 0), float(rng.uniform(1, 14))).astype(np.float32)
