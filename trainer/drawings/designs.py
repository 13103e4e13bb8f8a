"""Draws tattoo designs: motifs and lettering, inked in the styles that tattooists use."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.drawings.motifs import MOTIFS, Path
from trainer.drawings.noise import Field, clipped, fractal, shifted

__all__ = ["Design", "SIDE", "collage_of", "draw_design", "draw_lettering", "draw_paths", "extent_of"]

SIDE = 224
"""Width and height of a drawn design, pixels."""

_FONTS = (
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    cv2.FONT_HERSHEY_SIMPLEX | cv2.FONT_ITALIC,
    cv2.FONT_HERSHEY_COMPLEX | cv2.FONT_ITALIC,
)
_LETTERS = "aabcdeeefghiijklmnnooprrssttuvwxyz"
_BLACKS = np.array(
    [[0.10, 0.11, 0.13], [0.16, 0.18, 0.21], [0.13, 0.17, 0.19], [0.20, 0.22, 0.27]], np.float32
)
_COLOURS = np.array(
    [
        [0.72, 0.13, 0.15],
        [0.80, 0.22, 0.35],
        [0.15, 0.40, 0.62],
        [0.10, 0.55, 0.55],
        [0.18, 0.45, 0.22],
        [0.85, 0.62, 0.12],
        [0.82, 0.40, 0.10],
        [0.45, 0.20, 0.52],
        [0.90, 0.85, 0.80],
        [0.45, 0.28, 0.18],
    ],
    np.float32,
)


@dataclass(frozen=True, slots=True)
class Design:
    """A drawing on nothing: the ink's `opacity` [SIDE, SIDE] and `color` [SIDE, SIDE, 3] RGB, all 0..1."""

    opacity: Field
    color: Field


def draw_design(rng: np.random.Generator) -> Design:
    """Draw one random design: mostly a single motif, else lettering or a dense collage as on a sleeve."""
    choice = rng.random()
    if choice < 0.14:
        return draw_lettering(rng)
    if choice < 0.40:
        return _collage(rng)
    return draw_paths(rng, MOTIFS[rng.integers(len(MOTIFS))](rng))


def collage_of(rng: np.random.Generator, flats: NDArray[np.uint8]) -> Design:
    """Up to six of the drawings [n, side, side, 4] (see `trainer.embedder.flat`) in a row or a heap.

    So large tattoos are composed: of parts that touch, with shading between them or bare skin.
    """
    count = int(rng.choice([1, 2, 3, 4, 6], p=[0.3, 0.2, 0.2, 0.15, 0.15]))
    opacity, color = (
        np.zeros((SIDE, SIDE), np.float32),
        np.tile(_black(rng).astype(np.float32), (SIDE, SIDE, 1)),
    )
    if count > 1 and rng.random() < 0.5:
        haze = fractal(rng, SIDE, SIDE, cells=5) * _soft_disc(rng)
        opacity = np.clip(haze * 1.6 - rng.uniform(0.4, 0.8), 0, 0.75).astype(np.float32)
    along, is_row = rng.uniform(0, np.pi), rng.random() < 0.5
    for place in np.linspace(-1, 1, count) if count > 1 else [0.0]:
        flat = cv2.resize(flats[rng.integers(len(flats))], (SIDE, SIDE)).astype(np.float32) / 255
        size = 1.0 if count == 1 else rng.uniform(0.3, 0.6)
        middle = place * np.array([np.cos(along), np.sin(along)]) if is_row else rng.uniform(-0.8, 0.8, 2)
        matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), float(rng.normal(0, 40)), float(size))
        matrix = shifted(matrix, middle * (1 - size) * SIDE / 2)
        moved = np.asarray(cv2.warpAffine(flat, matrix, (SIDE, SIDE)), np.float32)
        opacity, color = _over(opacity, color, Design(moved[..., 3], moved[..., :3]))
    return Design(opacity, color)


def draw_lettering(rng: np.random.Generator) -> Design:
    """Draw one to four lines of invented words in a font with or without serifs, or script."""
    font, count = int(rng.choice(_FONTS)), int(rng.integers(1, 5))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    thickness = int(rng.integers(1, 4))
    for line in range(count):
        word = _word(rng, longest=12 if count < 3 else 16)
        (width, height), _ = cv2.getTextSize(word, font, 1.0, thickness)
        scale = min((SIDE - 16) / width, (SIDE - 16) / count / (height * 1.8))
        baseline = int(SIDE * (line + 0.5) / count + height * scale / 2)
        left = int((SIDE - width * scale) / 2)
        cv2.putText(mask, word, (left, baseline), font, scale, 255, thickness, cv2.LINE_AA)
    color = np.broadcast_to(_black(rng) if rng.random() < 0.85 else _colour(rng), (SIDE, SIDE, 3))
    return Design(mask.astype(np.float32) / 255, np.ascontiguousarray(color))


def draw_paths(rng: np.random.Generator, paths: list[Path]) -> Design:
    """Ink `paths` in a random style: line work, shaded grey, filled colour, blackwork, dots or realism."""
    moved = _warped(rng, paths)
    lines = _lines(moved, width=float(rng.choice([1.2, 2.0, 3.0, 4.5])))
    inside = _filled(moved, everything=True)
    solid = _filled(moved, everything=False)
    style = rng.choice(
        ["line", "grey", "color", "black", "dots", "real"], p=[0.2, 0.25, 0.22, 0.1, 0.05, 0.18]
    )
    fill, color = _fill(rng, str(style), moved, inside)
    outline = lines * (0.0 if style == "real" and rng.random() < 0.5 else 1.0)
    dark = np.maximum(outline, solid)
    opacity = np.maximum(dark, fill)
    black = _black(rng)
    share = (dark / np.maximum(opacity, 1e-3))[..., None].clip(0, 1)
    return Design(opacity.astype(np.float32), (share * black + (1 - share) * color).astype(np.float32))


def extent_of(opacity: Field, *, reach: float = 0.09) -> Field:
    """Return the region [height, width] 0..1 that a design occupies: its ink and the gaps enclosed by it.

    `reach` is the radius bridged between strokes as a share of the picture's longer side.
    """
    radius = max(1, round(reach * max(opacity.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    ink = np.pad((opacity > 0.15).astype(np.uint8), radius)
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, kernel)
    return closed[radius:-radius, radius:-radius].astype(np.float32)


def _collage(rng: np.random.Generator) -> Design:
    opacity = np.zeros((SIDE, SIDE), np.float32)
    color = np.broadcast_to(_black(rng), (SIDE, SIDE, 3)).astype(np.float32)
    if rng.random() < 0.6:
        haze = fractal(rng, SIDE, SIDE, cells=5) * _soft_disc(rng)
        opacity = np.clip(haze * 1.6 - 0.5, 0, 0.75)
    for _ in range(int(rng.integers(2, 6))):
        part = draw_paths(rng, MOTIFS[rng.integers(len(MOTIFS))](rng))
        opacity, color = _over(opacity, color, _placed(rng, part))
    return Design(opacity, color)


def _over(opacity: Field, color: Field, part: Design) -> tuple[Field, Field]:
    top = part.opacity[..., None]
    return np.maximum(opacity * (1 - 0.8 * part.opacity), part.opacity), color * (1 - top) + part.color * top


def _placed(rng: np.random.Generator, part: Design) -> Design:
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-60, 60), rng.uniform(0.4, 0.8))
    matrix = shifted(matrix, rng.uniform(-0.27, 0.27, 2) * SIDE)
    return Design(
        cv2.warpAffine(part.opacity, matrix, (SIDE, SIDE)).astype(np.float32),
        cv2.warpAffine(part.color, matrix, (SIDE, SIDE)).astype(np.float32),
    )


def _fill(rng: np.random.Generator, style: str, paths: list[Path], inside: Field) -> tuple[Field, Field]:
    black = np.broadcast_to(_black(rng), (SIDE, SIDE, 3))
    shade = fractal(rng, SIDE, SIDE, cells=int(rng.integers(3, 9)))
    if style == "grey":
        return inside * np.clip(1.5 * shade - rng.uniform(0.2, 0.6), 0, 0.9), black
    if style == "color":
        return inside * rng.uniform(0.5, 0.95) * (0.55 + 0.45 * shade), _patchwork(rng, paths)
    if style == "black":
        return inside * float(rng.uniform(0.8, 1.0)), black
    if style == "dots":
        return inside * (rng.random((SIDE, SIDE)) < 0.35 * shade).astype(np.float32), black
    if style == "real":
        return _realism(rng, paths, inside), _patchwork(rng, paths) if rng.random() < 0.35 else black
    return np.zeros((SIDE, SIDE), np.float32), black


def _realism(rng: np.random.Generator, paths: list[Path], inside: Field) -> Field:
    """Soft shading that follows the contours, with sharp darks: how a portrait or an animal is tattooed."""
    edges = cv2.GaussianBlur(_lines(paths, width=6.0), (0, 0), float(rng.uniform(2, 5)))
    tone = 0.9 * edges / max(float(edges.max()), 1e-6) + 0.6 * fractal(rng, SIDE, SIDE, cells=6, decay=0.7)
    contrast = rng.uniform(1.0, 2.2)
    return np.asarray(inside * np.clip((tone - 0.45) * contrast + 0.4, 0.05, 0.97), np.float32)


def _patchwork(rng: np.random.Generator, paths: list[Path]) -> Field:
    """One colour a path, blended: few hues a design, as inks are chosen."""
    palette = np.stack([_colour(rng) for _ in range(int(rng.integers(1, 4)))])
    canvas = np.tile(palette[0].astype(np.float32), (SIDE, SIDE, 1))
    for path in paths:
        hue = palette[rng.integers(len(palette))] * rng.uniform(0.6, 1.2)
        cv2.fillPoly(canvas, [_pixels(path)], np.clip(hue, 0, 1).tolist(), shift=4)
    return cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(1, 6))).astype(np.float32)


def _warped(rng: np.random.Generator, paths: list[Path]) -> list[Path]:
    """Turn, stretch and bend a motif, so that no two of a kind are alike."""
    angle, stretch = rng.normal(0, 0.35), np.exp(rng.normal(0, 0.2, 2))
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * stretch
    waves = rng.uniform(1, 4, 2), rng.uniform(0, 6.3, 2), rng.uniform(0, 0.09, 2)
    bent = [path.points @ matrix for path in paths]
    bent = [p + waves[2] * np.sin(waves[0] * p[:, ::-1] * np.pi + waves[1]) for p in bent]
    reach = max(float(np.abs(p).max()) for p in bent)
    return [Path(p / reach * 0.93, q.closed, q.weight, q.solid) for p, q in zip(bent, paths, strict=True)]


def _lines(paths: list[Path], *, width: float) -> Field:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for path in paths:
        thickness = max(1, round(width * path.weight))
        cv2.polylines(mask, [_pixels(path)], path.closed, 255, thickness, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def _filled(paths: list[Path], *, everything: bool) -> Field:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for path in paths:
        if path.solid or (everything and path.closed):
            cv2.fillPoly(mask, [_pixels(path)], 255, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def _pixels(path: Path) -> NDArray[np.int32]:
    return np.round((path.points * 0.5 + 0.5) * SIDE * 16).astype(np.int32)


def _soft_disc(rng: np.random.Generator) -> Field:
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    distance = np.hypot(rows * rng.uniform(0.7, 1.3), columns * rng.uniform(0.7, 1.3))
    return clipped((1.05 - distance) * 4)


def _word(rng: np.random.Generator, *, longest: int) -> str:
    letters = "".join(rng.choice(list(_LETTERS), int(rng.integers(2, longest))))
    if rng.random() < 0.15:
        return str(rng.integers(1950, 2026)) if rng.random() < 0.5 else "XIV.VII.MCMXC"[: len(letters) + 3]
    cased = letters.upper() if rng.random() < 0.3 else letters.capitalize()
    return cased if len(cased) < 7 else cased[:4] + " " + cased[4:]


def _black(rng: np.random.Generator) -> Field:
    return np.asarray(_BLACKS[rng.integers(len(_BLACKS))] * np.float32(rng.uniform(0.6, 1.5)), np.float32)


def _colour(rng: np.random.Generator) -> Field:
    return clipped(_COLOURS[rng.integers(len(_COLOURS))] * rng.uniform(0.7, 1.15, 3))
