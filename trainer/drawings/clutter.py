"""Whatever is not skin: backgrounds, cloth, hair, jewellery, and what studios lay over pictures."""

import itertools

import cv2
import numpy as np

from trainer.drawings.designs import draw_design, draw_lettering
from trainer.drawings.noise import Field, clipped, fractal, grain, ramp, shifted

__all__ = ["background", "cloth", "add_overlay", "add_jewellery", "hair"]


def background(rng: np.random.Generator, height: int, width: int) -> Field:
    """Return [height, width, 3] of a place: wall, floor, foliage, furniture, foil, cloth or a poster."""
    kinds = (_wall, _wall, _tiles, _foliage, _furniture, _foil, cloth, _poster)
    picture = kinds[rng.integers(len(kinds))](rng, height, width)
    if rng.random() < 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1, 6))).astype(np.float32)
    return np.clip(picture, 0, 1).astype(np.float32)


def cloth(rng: np.random.Generator, height: int, width: int) -> Field:
    """Return [height, width, 3] of cloth with folds: plain, striped, dotted, printed, knitted or lace."""
    base = _flat(rng, height, width)
    patterns = (_plain, _plain, _stripes, _plaid, _dots, _print, _print, _camouflage, _knit, _lattice)
    picture = patterns[rng.integers(len(patterns))](rng, base)
    folds = fractal(rng, height, width, cells=int(rng.integers(2, 6)), octaves=3)[..., None]
    return np.clip(picture * (0.65 + 0.6 * folds), 0, 1).astype(np.float32)


def hair(rng: np.random.Generator, height: int, width: int) -> Field:
    """Return [height, width, 3] of strands, straight to wavy, in a natural or dyed colour."""
    tones = np.array(
        [[0.08, 0.06, 0.05], [0.25, 0.15, 0.09], [0.5, 0.35, 0.2], [0.8, 0.68, 0.45], [0.55, 0.2, 0.1]]
    )
    tone = tones[rng.integers(len(tones))] * rng.uniform(0.7, 1.3)
    strands = cv2.resize(rng.random((max(2, height // 24), width), dtype=np.float32), (width, height))
    bend = (fractal(rng, height, width, cells=3, octaves=2) - 0.5) * rng.uniform(5, 60)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    strands = cv2.remap(
        strands, columns + bend.astype(np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return clipped(tone * (0.45 + 1.0 * strands[..., None]))


def add_overlay(rng: np.random.Generator, picture: Field) -> None:
    """Lay a watermark, logo, subtitle or caption over `picture`, in place, in image coordinates."""
    height, width = picture.shape[:2]
    design = draw_lettering(rng) if rng.random() < 0.7 else draw_design(rng)
    wide = int(width * rng.uniform(0.2, 0.9))
    tall = int(min(height, wide * rng.uniform(0.12, 0.6)))
    left, top = (
        int(rng.integers(0, width - wide + 1)),
        int(rng.choice([0, height - tall, rng.integers(0, height - tall + 1)])),
    )
    mask = cv2.resize(design.opacity, (wide, tall), interpolation=cv2.INTER_AREA)[..., None] * rng.uniform(
        0.3, 1.0
    )
    tint = np.ones(3) if rng.random() < 0.6 else rng.random(3)
    patch = picture[top : top + tall, left : left + wide]
    patch += (tint.astype(np.float32) - patch) * mask.astype(np.float32)


def add_jewellery(rng: np.random.Generator, picture: Field) -> None:
    """Draw a chain, beads, a watch strap or a strap across `picture`, in place."""
    height, width = picture.shape[:2]
    points = np.cumsum(rng.normal(0, 0.16, (5, 2)), axis=0) + rng.uniform(0.1, 0.9, 2)
    pixels = np.round(points * [width, height]).astype(np.int32)
    tint = np.array([[0.85, 0.7, 0.3], [0.8, 0.8, 0.82], [0.1, 0.1, 0.1], [0.6, 0.1, 0.15]])[rng.integers(4)]
    if rng.random() < 0.5:
        cv2.polylines(picture, [pixels], False, tint.tolist(), int(rng.integers(1, 14)), cv2.LINE_AA)
        return
    for start, end in itertools.pairwise(pixels):
        for step in np.linspace(0, 1, 14):
            spot = np.round(start + (end - start) * step).astype(int).tolist()
            cv2.circle(
                picture,
                (spot[0], spot[1]),
                int(rng.integers(1, 5)),
                (tint * rng.uniform(0.6, 1.2)).tolist(),
                -1,
            )


def _flat(rng: np.random.Generator, height: int, width: int) -> Field:
    return np.tile(_color(rng), (height, width, 1))


def _color(rng: np.random.Generator) -> Field:
    """A colour as things have them: grey to muted, seldom vivid."""
    hue, vivid = rng.random(3), rng.beta(1.2, 3.0)
    return np.asarray(rng.beta(1.2, 1.2) * (1 - vivid) + hue * vivid, np.float32)


def _mixed(base: Field, mask: Field, color: Field) -> Field:
    return base + (color.astype(np.float32) - base) * mask[..., None].astype(np.float32)


def _plain(rng: np.random.Generator, base: Field) -> Field:
    return base + grain(rng, *base.shape[:2], size=rng.uniform(1, 3))[..., None] * np.float32(
        rng.uniform(0, 0.06)
    )


def _phase(rng: np.random.Generator, base: Field, *, period: float) -> Field:
    height, width = base.shape[:2]
    return ramp(rng, height, width) * np.float32(max(height, width) / period * 2 * np.pi)


def _stripes(rng: np.random.Generator, base: Field) -> Field:
    mask = (np.sin(_phase(rng, base, period=rng.uniform(6, 60))) > rng.uniform(-0.5, 0.6)).astype(np.float32)
    return _mixed(base, mask, _color(rng))


def _plaid(rng: np.random.Generator, base: Field) -> Field:
    return _stripes(rng, base) * 0.5 + _stripes(rng, base) * 0.5


def _dots(rng: np.random.Generator, base: Field) -> Field:
    period = rng.uniform(8, 40)
    waves = np.sin(_phase(rng, base, period=period)) * np.sin(_phase(rng, base, period=period))
    return _mixed(base, (waves > rng.uniform(0.2, 0.6)).astype(np.float32), _color(rng))


def _print(rng: np.random.Generator, base: Field) -> Field:
    """A drawing on cloth looks like a tattoo but for the ground that carries it."""
    height, width = base.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        design = draw_design(rng)
        matrix = cv2.getRotationMatrix2D((112, 112), rng.uniform(-40, 40), rng.uniform(0.3, 1.4))
        matrix = shifted(matrix, rng.uniform(0, 1, 2) * [width, height] - 112)
        mask = cv2.warpAffine(design.opacity, matrix, (width, height))
        ink = cv2.warpAffine(design.color, matrix, (width, height))
        light = 1 - ink if base.mean() < 0.4 else ink
        base = base + (light - base) * mask[..., None]
    return np.asarray(base, np.float32)


def _camouflage(rng: np.random.Generator, base: Field) -> Field:
    for _ in range(3):
        field = fractal(rng, *base.shape[:2], cells=int(rng.integers(3, 12)), octaves=3)
        base = _mixed(base, (field > rng.uniform(0.5, 0.7)).astype(np.float32), _color(rng))
    return base


def _knit(rng: np.random.Generator, base: Field) -> Field:
    return base * (0.8 + 0.2 * np.sin(_phase(rng, base, period=rng.uniform(3, 8))))[..., None]


def _lattice(rng: np.random.Generator, base: Field) -> Field:
    period = rng.uniform(6, 24)
    lines = [np.abs(np.sin(_phase(rng, base, period=period))) < 0.25 for _ in range(2)]
    return _mixed(base, (lines[0] | lines[1]).astype(np.float32), _color(rng))


def _wall(rng: np.random.Generator, height: int, width: int) -> Field:
    light = ramp(rng, height, width)[..., None] * rng.uniform(0, 0.6) + rng.uniform(0.5, 0.9)
    flat = _flat(rng, height, width)
    speckle = grain(rng, height, width, size=2)[..., None] * rng.uniform(0, 0.03)
    return np.asarray(flat * light + speckle)


def _tiles(rng: np.random.Generator, height: int, width: int) -> Field:
    source = 480
    rows, columns = np.mgrid[:source, :source] // int(rng.integers(16, 90))
    board = np.where(((rows + columns) % 2)[..., None] > 0, _color(rng), _color(rng)).astype(np.float32)
    corners = np.array([[0, 0], [source, 0], [source, source], [0, source]], np.float32)
    matrix = cv2.getPerspectiveTransform(
        corners, corners * np.float32(0.8) + rng.uniform(-60, 60, (4, 2)).astype(np.float32)
    )
    return cv2.warpPerspective(board, matrix, (width, height), borderMode=cv2.BORDER_REFLECT).astype(
        np.float32
    )


def _foliage(rng: np.random.Generator, height: int, width: int) -> Field:
    field = fractal(rng, height, width, cells=8, decay=0.85)[..., None]
    tint = fractal(rng, height, width, cells=4)[..., None]
    return np.asarray(field * (_color(rng) * tint + _color(rng) * (1 - tint)) * 1.8, np.float32)


def _furniture(rng: np.random.Generator, height: int, width: int) -> Field:
    picture = _wall(rng, height, width)
    for _ in range(int(rng.integers(2, 14))):
        x, y = int(rng.integers(-20, width)), int(rng.integers(-20, height))
        far = x + int(rng.integers(8, width // 2 + 9)), y + int(rng.integers(8, height // 2 + 9))
        thickness = -1 if rng.random() < 0.75 else int(rng.integers(1, 8))
        cv2.rectangle(picture, (x, y), far, _color(rng).tolist(), thickness, cv2.LINE_AA)
    return picture


def _foil(rng: np.random.Generator, height: int, width: int) -> Field:
    edges = np.abs(fractal(rng, height, width, cells=7, decay=0.8) - 0.5) * 4
    return clipped(edges[..., None] * rng.uniform(0.5, 1.0, 3) * rng.uniform(0.6, 1.3))


def _poster(rng: np.random.Generator, height: int, width: int) -> Field:
    return _print(rng, _wall(rng, height, width))
