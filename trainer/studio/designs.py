"""Tattoo designs by their id: the same id is the same drawing, whoever draws it.

`icon/NAME/VARIANT`, `ornament/NAME/VARIANT`, and `motif`, `text`, `sleeve` or `band` with `/SPLIT/N`.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from chassis.errors import InvalidInput, Unavailable
from trainer.drawings.designs import draw_paths
from trainer.drawings.motifs import MOTIFS
from trainer.drawings.noise import fractal, shifted
from trainer.studio.arrays import Floats
from trainer.studio.inking import STYLES, Design, black, colour, inked, stack
from trainer.studio.lettering import text_design
from trainer.studio.seeds import Split, generator, split_of
from trainer.studio.sources import icon_names, icon_svg

__all__ = ["SIDE", "KINDS", "draw", "pick_design", "silhouette", "split_of_design"]

SIDE = 384
"""Pixels along a drawing's longer side; sleeves have twice as many."""

_KINDS = {"icon": 0.41, "motif": 0.14, "text": 0.13, "ornament": 0.08, "sleeve": 0.19, "band": 0.05}
KINDS = tuple(_KINDS)
"""The first part of every design's id."""

_VARIANTS = 4
_STYLE_NAMES = tuple(STYLES)
_STYLE_SHARES = np.array([0.13, 0.14, 0.17, 0.16, 0.15, 0.08, 0.06, 0.04, 0.07])


def pick_design(rng: np.random.Generator, split: Split, *, kinds: tuple[str, ...] = KINDS) -> str:
    """The id of a random design that the split owns."""
    shares = np.array([_KINDS[kind] for kind in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
    if kind in ("icon", "ornament"):
        names = _icons_of(split)
        return f"{kind}/{names[rng.integers(len(names))]}/{rng.integers(_VARIANTS)}"
    return f"{kind}/{split}/{rng.integers(3000)}"


def split_of_design(design_id: str) -> Split:
    """The split that owns a design."""
    kind, name, _ = design_id.split("/")
    return split_of("icon", name) if kind in ("icon", "ornament") else Split(name)


@lru_cache(maxsize=64)
def draw(design_id: str) -> Design:
    """The drawing of a design. Raises InvalidInput for an id that is none."""
    kind, name, _ = design_id.split("/")
    rng = generator("design", design_id)
    if kind == "icon":
        return inked(rng, silhouette(name), _style(rng))
    if kind == "ornament":
        return inked(rng, _turned_copies(rng, silhouette(name)), _style(rng))
    if kind == "motif":
        drawn = draw_paths(rng, MOTIFS[rng.integers(len(MOTIFS))](rng))
        return _resized(Design(drawn.opacity, drawn.color), SIDE)
    if kind == "text":
        return text_design(rng)
    if kind == "sleeve":
        return _sleeve(rng, Split(name))
    if kind == "band":
        return _band(rng, Split(name))
    raise InvalidInput(f"{design_id} is no design")


@lru_cache(maxsize=256)
def silhouette(name: str) -> Floats:
    """A drawing's shape (SIDE, SIDE) 0..1. Raises Unavailable without the training packages."""
    try:
        import resvg_py
    except ImportError as exc:
        raise Unavailable("drawings need the training packages: make train-venv") from exc
    side = SIDE - 24
    png = bytes(resvg_py.svg_to_bytes(svg_string=icon_svg(name, side=side)))
    drawn = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert drawn is not None, "a drawing of pinned bytes can be decoded"
    alpha = drawn[..., 3].astype(np.float32) / 255
    return np.pad(alpha, 12)


@lru_cache(maxsize=4)
def _icons_of(split: Split) -> tuple[str, ...]:
    return tuple(name for name in icon_names() if split_of("icon", name) is split)


def _style(rng: np.random.Generator) -> str:
    return _STYLE_NAMES[rng.choice(len(_STYLE_NAMES), p=_STYLE_SHARES)]


def _resized(design: Design, side: int) -> Design:
    scale = side / max(design.opacity.shape)
    shape = (round(design.opacity.shape[1] * scale), round(design.opacity.shape[0] * scale))
    return Design(
        np.asarray(cv2.resize(design.opacity, shape), np.float32),
        np.asarray(cv2.resize(design.color, shape), np.float32),
    )


def _turned_copies(rng: np.random.Generator, mask: Floats) -> Floats:
    """A mandala: the shape repeated around a middle."""
    count, reach = int(rng.integers(4, 11)), float(rng.uniform(0.22, 0.3)) * SIDE
    scale = float(rng.uniform(0.28, 0.5))
    whole = np.zeros((SIDE, SIDE), np.float32)
    for turn in range(count):
        angle = 360 * turn / count
        radians = np.radians(angle)
        matrix = shifted(
            cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), -angle, scale),
            reach * np.array([np.sin(radians), -np.cos(radians)]),
        )
        whole = np.maximum(whole, np.asarray(cv2.warpAffine(mask, matrix, (SIDE, SIDE)), np.float32))
    if rng.random() < 0.6:
        middle = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 0, 0.25)
        whole = np.maximum(whole, np.asarray(cv2.warpAffine(mask, middle, (SIDE, SIDE)), np.float32))
    return whole


def _placed(design: Design, shape: tuple[int, int], *, centre: Floats, size: float, turn: float) -> Design:
    """A design as part of a larger one of `shape` (h, w); `size` is the new longer side in pixels."""
    height, width = design.opacity.shape
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), turn, size / max(height, width))
    matrix = shifted(turned, centre - np.array([width / 2, height / 2]))
    out = (shape[1], shape[0])
    return Design(
        np.asarray(cv2.warpAffine(design.opacity, matrix, out), np.float32),
        np.asarray(cv2.warpAffine(design.color, matrix, out), np.float32),
    )


def _sleeve(rng: np.random.Generator, split: Split) -> Design:
    """Many drawings over a shaded ground, as on a whole arm or back."""
    shape = (2 * SIDE, SIDE) if rng.random() < 0.7 else (SIDE + SIDE // 3, SIDE + SIDE // 3)
    is_coloured = rng.random() < 0.35
    smoke = fractal(rng, *shape, cells=int(rng.integers(4, 9)))
    ground = np.clip(smoke * rng.uniform(1.2, 2.0) - rng.uniform(0.35, 0.7), 0, 0.85) * _ragged(rng, shape)
    tint = colour(rng) * 0.6 if is_coloured and rng.random() < 0.5 else black(rng)
    whole = Design(ground.astype(np.float32), np.broadcast_to(tint, (*shape, 3)).astype(np.float32))
    styles = (
        ("filled", "grey", "realism", "line")
        if is_coloured
        else ("grey", "realism", "solid", "hatched", "dotted")
    )
    names, count = _icons_of(split), int(rng.integers(7, 15))
    # Spread over the area, the large ones first.
    rows = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count
    for row, size in zip(rng.permutation(rows), np.sort(rng.uniform(0.3, 0.85, count))[::-1], strict=True):
        part = inked(rng, silhouette(names[rng.integers(len(names))]), str(rng.choice(styles)))
        centre = np.array([rng.uniform(0.15, 0.85) * shape[1], row * shape[0]])
        whole = stack(whole, _placed(part, shape, centre=centre, size=size * SIDE, turn=rng.uniform(-50, 50)))
    return whole


def _ragged(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """1 inside, fading out at an uneven border."""
    rows, columns = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    edge = np.maximum(np.abs(rows), np.abs(columns)) + 0.25 * (fractal(rng, *shape, cells=6) - 0.5)
    return np.asarray(np.clip((0.93 - edge) * 8, 0, 1), np.float32)


def _band(rng: np.random.Generator, split: Split) -> Design:
    """A strip to go around a limb: repeated drawings between lines, or lines alone."""
    height, width = SIDE // 4, SIDE * 5 // 4
    mask = np.zeros((height, width), np.float32)
    for row in rng.uniform(0.08, 0.92, int(rng.integers(1, 4))) if rng.random() < 0.4 else (0.08, 0.92):
        thickness = int(rng.integers(2, 9))
        cv2.line(mask, (0, int(row * height)), (width, int(row * height)), 1.0, thickness)
    if rng.random() < 0.8:
        names = _icons_of(split)
        motif = cv2.resize(silhouette(names[rng.integers(len(names))]), (height * 3 // 4, height * 3 // 4))
        step = int(len(motif) * rng.uniform(1.0, 1.3))
        for left in range(0, width - len(motif) + 1, step):
            spot = mask[height // 8 : height // 8 + len(motif), left : left + len(motif)]
            np.maximum(spot, motif, out=spot)
    return inked(rng, mask, str(rng.choice(["solid", "solid", "line", "grey", "filled"])))
