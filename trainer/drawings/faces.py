"""Draws faces: the commonest thing on skin that is dark, sharp and not a tattoo."""

import cv2
import numpy as np

from trainer.drawings.clutter import hair
from trainer.drawings.noise import Field, fractal, grain
from trainer.drawings.skin import skin_surface

__all__ = ["FACE", "draw_face"]

FACE = 256
"""Width and height of a drawn head with its hair, pixels."""


def draw_face(rng: np.random.Generator, tone: Field) -> tuple[Field, Field]:
    """Return a head: colour [FACE, FACE, 3] RGB and opacity [FACE, FACE], 0..1, of skin colour `tone` [3]."""
    wide, tall = rng.uniform(0.26, 0.32) * FACE, rng.uniform(0.36, 0.43) * FACE
    middle = np.array([FACE / 2, FACE * 0.53])
    oval = _oval(middle, wide, tall)
    mane = _mane(rng, middle, wide, tall)
    strands = hair(rng, FACE, FACE)
    skin = skin_surface(rng, FACE, FACE, tone) * _relief(rng, middle, wide, tall)[..., None]
    _features(rng, skin, middle, wide, tall, tone)
    fringe = _fringe(rng, oval, middle, tall)[..., None]
    face = skin * (1 - fringe) + strands * fringe
    color = strands * (1 - oval[..., None]) + face * oval[..., None]
    if rng.random() < 0.3:
        _glasses(rng, color, middle, wide, tall)
    return _moulded(rng, np.clip(color, 0, 1), np.maximum(oval, mane))


def _moulded(rng: np.random.Generator, color: Field, opacity: Field) -> tuple[Field, Field]:
    """Bend a head smoothly, so that features leave their symmetrical places, and light it hard or softly."""
    reach = rng.uniform(0, 0.12) * FACE
    rows, columns = np.mgrid[:FACE, :FACE].astype(np.float32)
    down, across = (
        (fractal(rng, FACE, FACE, cells=3, octaves=2) - 0.5) * np.float32(reach) for _ in range(2)
    )
    bent = cv2.remap(color.astype(np.float32), columns + across, rows + down, cv2.INTER_LINEAR)
    mask = cv2.remap(opacity.astype(np.float32), columns + across, rows + down, cv2.INTER_LINEAR)
    return np.asarray(bent, np.float32), np.asarray(mask, np.float32)


def _oval(middle: Field, wide: float, tall: float) -> Field:
    mask = np.zeros((FACE, FACE), np.float32)
    cv2.ellipse(mask, _at(middle), (int(wide), int(tall)), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), 1.5).astype(np.float32)


def _mane(rng: np.random.Generator, middle: Field, wide: float, tall: float) -> Field:
    mask = np.zeros((FACE, FACE), np.float32)
    if rng.random() < 0.1:
        return mask
    top = middle - np.array([0, tall * rng.uniform(0.15, 0.35)])
    size = int(wide * rng.uniform(1.05, 1.45)), int(tall * rng.uniform(0.85, 1.05))
    cv2.ellipse(mask, _at(top), size, 0, 180, 360, 1.0, -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        low = int(middle[1] + tall * rng.uniform(0.0, 1.2))
        cv2.rectangle(mask, (int(middle[0] - size[0]), int(top[1])), (int(middle[0] + size[0]), low), 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(1, 9)))
    ragged = fractal(rng, FACE, FACE, cells=int(rng.integers(6, 30))) - 0.5
    return np.clip((soft - 0.5) * rng.uniform(2, 6) + 0.5 + ragged * rng.uniform(0, 1.5), 0, 1).astype(
        np.float32
    )


def _fringe(rng: np.random.Generator, oval: Field, middle: Field, tall: float) -> Field:
    """Hair over the forehead and beard over the chin, with ragged edges."""
    rows = np.mgrid[:FACE, :FACE][0].astype(np.float32)
    ragged = (fractal(rng, FACE, FACE, cells=8) - 0.5) * rng.uniform(5, 40)
    line = middle[1] - tall * rng.uniform(0.45, 0.95)
    cover = np.clip((line - rows + ragged) / 4, 0, 1)
    if rng.random() < 0.22:
        chin = middle[1] + tall * rng.uniform(0.35, 0.7)
        stubble = np.clip(0.6 + 0.5 * grain(rng, FACE, FACE, size=1.3), 0, 1) * rng.uniform(0.3, 1.0)
        cover = np.maximum(cover, np.clip((rows - chin + ragged) / 8, 0, 1) * stubble)
    return np.asarray(cover * oval, np.float32)


def _relief(rng: np.random.Generator, middle: Field, wide: float, tall: float) -> Field:
    """Brightness of a rounded face: dark sides, eye sockets, below nose and lips."""
    rows, columns = np.mgrid[:FACE, :FACE].astype(np.float32)
    across, down = (columns - middle[0]) / wide, (rows - middle[1]) / tall
    light = 1.1 - rng.uniform(0.1, 0.4) * (across**2 + down**2) + rng.uniform(-0.25, 0.25) * across
    sockets = np.exp(-(((np.abs(across) - 0.42) / 0.28) ** 2) - ((down + 0.2) / 0.14) ** 2)
    nose = np.exp(-((across / 0.3) ** 2) - ((down - 0.27) / 0.07) ** 2)
    side = np.exp(-(((across - rng.choice([-0.17, 0.17])) / 0.07) ** 2) - ((down - 0.02) / 0.22) ** 2)
    chin = np.exp(-((across / 0.4) ** 2) - ((down - 0.68) / 0.06) ** 2)
    folds = np.exp(
        -(((np.abs(across) - 0.3 - 0.35 * (down - 0.2)) / 0.035) ** 2) - ((down - 0.36) / 0.18) ** 2
    )
    amounts = rng.uniform(0.0, [0.4, 0.4, 0.3, 0.2, 0.35])
    shade = sum(a * s for a, s in zip(amounts, (sockets, nose, side, chin, folds), strict=True))
    return np.asarray(light - shade, np.float32)


def _features(
    rng: np.random.Generator, skin: Field, middle: Field, wide: float, tall: float, tone: Field
) -> None:
    iris = np.array([[0.25, 0.14, 0.07], [0.3, 0.45, 0.6], [0.3, 0.4, 0.25], [0.1, 0.07, 0.05]])[
        rng.integers(4)
    ]
    brow = np.clip(tone * rng.uniform(0.15, 0.6), 0, 1)
    gaze, open_eye = rng.uniform(-0.05, 0.05) * wide, rng.uniform(0.05, 0.5)
    for side in (-1, 1):
        eye = middle + np.array([side * 0.42 * wide, -0.17 * tall])
        _eye(rng, skin, eye, wide * 0.21, open_eye, iris, gaze)
        arch = eye + np.array([[-0.26, -0.12], [0, -0.2], [0.26, -0.14]]) * [side * wide, tall]
        pixels = np.round(arch).astype(np.int32)
        cv2.polylines(skin, [pixels], False, brow.tolist(), int(rng.integers(1, 7)), cv2.LINE_AA)
        nostril = middle + np.array([side * 0.13 * wide, 0.27 * tall])
        cv2.ellipse(
            skin, _at(nostril), (int(0.07 * wide), 3), 0, 0, 360, (tone * 0.4).tolist(), -1, cv2.LINE_AA
        )
    if rng.random() < 0.45:
        _wrinkles(rng, skin, middle, wide, tall)
    if rng.random() < 0.12:
        _moustache(rng, skin, middle + np.array([0, 0.37 * tall]), wide)
    _mouth(rng, skin, middle + np.array([0, 0.52 * tall]), wide * rng.uniform(0.3, 0.48), tone)


def _eye(
    rng: np.random.Generator, skin: Field, eye: Field, half: float, openness: float, iris: Field, gaze: float
) -> None:
    axes = max(2, int(half)), max(1, int(half * openness))
    if rng.random() < 0.3:  # eye shadow
        cv2.ellipse(
            skin, _at(eye), (axes[0] + 5, axes[1] + 7), 0, 180, 360, (rng.random(3) * 0.5).tolist(), -1
        )
    cv2.ellipse(skin, _at(eye), axes, 0, 0, 360, (0.88, 0.86, 0.84), -1, cv2.LINE_AA)
    pupil = eye + np.array([gaze, 0])
    size = max(1, min(int(half * 0.45), axes[1] + 1))
    cv2.circle(skin, _at(pupil), size, iris.tolist(), -1, cv2.LINE_AA)
    cv2.circle(skin, _at(pupil), max(1, size // 2), (0.02, 0.02, 0.02), -1, cv2.LINE_AA)
    cv2.circle(skin, _at(pupil - 2), 1, (1.0, 1.0, 1.0), -1, cv2.LINE_AA)
    lash = int(rng.integers(1, 5))
    cv2.ellipse(skin, _at(eye), axes, 0, 180, 360, (0.06, 0.04, 0.04), lash, cv2.LINE_AA)
    cv2.ellipse(skin, _at(eye), axes, 0, 0, 180, (0.2, 0.12, 0.1), 1, cv2.LINE_AA)


def _mouth(rng: np.random.Generator, skin: Field, mouth: Field, half: float, tone: Field) -> None:
    lips = np.clip(tone * rng.uniform([0.75, 0.4, 0.4], [1.05, 0.8, 0.85]), 0, 1).tolist()
    axes = int(half), max(3, int(half * rng.uniform(0.22, 0.5)))
    cv2.ellipse(skin, _at(mouth), axes, 0, 0, 360, lips, -1, cv2.LINE_AA)
    inner = int(half * 0.8), max(1, int(axes[1] * rng.uniform(0.05, 0.65)))
    shade = (0.92, 0.9, 0.86) if rng.random() < 0.4 else (0.2, 0.06, 0.06)
    cv2.ellipse(skin, _at(mouth), inner, 0, 0, 360, shade, -1, cv2.LINE_AA)


def _wrinkles(rng: np.random.Generator, skin: Field, middle: Field, wide: float, tall: float) -> None:
    """Lines of the forehead, crow's feet, bags below the eyes and folds beside the mouth."""
    veil = np.zeros((FACE, FACE), np.float32)
    lines = [
        np.array([[-0.5, y], [0, y - 0.04], [0.5, y]])
        for y in -rng.uniform(0.4, 0.75, int(rng.integers(0, 5)))
    ]
    for side in (-1, 1):
        lines.append(np.array([[0.2, 0.28], [0.38, 0.45], [0.42, 0.65]]) * [side, 1])
        lines.append(np.array([[0.22, -0.06], [0.42, -0.02], [0.62, -0.08]]) * [side, 1])
        lines += [
            np.array([[0.66, -0.17], [0.85, -0.17 + lift]]) * [side, 1]
            for lift in rng.uniform(-0.12, 0.12, 3)
        ]
    for line in lines:
        pixels = np.round((line + rng.normal(0, 0.02, line.shape)) * [wide, tall] + middle).astype(np.int32)
        cv2.polylines(
            veil, [pixels], False, float(rng.uniform(0.2, 0.9)), int(rng.integers(1, 4)), cv2.LINE_AA
        )
    soft = cv2.GaussianBlur(veil, (0, 0), float(rng.uniform(0.7, 2.5)))[..., None]
    skin *= 1 - soft * np.array([0.45, 0.55, 0.55], np.float32)


def _moustache(rng: np.random.Generator, skin: Field, lip: Field, wide: float) -> None:
    mask = np.zeros((FACE, FACE), np.float32)
    size = int(wide * rng.uniform(0.25, 0.5)), int(wide * rng.uniform(0.06, 0.16))
    cv2.ellipse(mask, _at(lip), size, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    mask = cv2.GaussianBlur(mask, (0, 0), 2.0) * np.clip(0.7 + 0.4 * grain(rng, FACE, FACE, size=1.4), 0, 1)
    skin += (hair(rng, FACE, FACE) - skin) * mask[..., None].astype(np.float32)


def _glasses(rng: np.random.Generator, face: Field, middle: Field, wide: float, tall: float) -> None:
    dark = rng.random() < 0.5
    color = (rng.random(3) * 0.3).tolist()
    size = int(wide * rng.uniform(0.26, 0.36)), int(wide * rng.uniform(0.2, 0.32))
    for side in (-1, 1):
        centre = _at(middle + np.array([side * 0.42 * wide, -0.17 * tall]))
        cv2.ellipse(
            face, centre, size, 0, 0, 360, color, -1 if dark else int(rng.integers(1, 5)), cv2.LINE_AA
        )
    bridge = middle + np.array([0, -0.19 * tall])
    cv2.line(
        face,
        _at(bridge - np.array([0.15 * wide, 0])),
        _at(bridge + np.array([0.15 * wide, 0])),
        color,
        2,
        cv2.LINE_AA,
    )


def _at(point: Field) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
