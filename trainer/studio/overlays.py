"""What publishers lay over pictures: marks, titles, logos, mosaics, frames. None is a tattoo."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from trainer.drawings.designs import draw_design, draw_lettering
from trainer.studio.arrays import Floats
from trainer.studio.truth import Box, OverlayTruth

__all__ = ["lay_over", "OVERLAYS"]

Overlay = Callable[[np.random.Generator, Floats, Box | None], OverlayTruth | None]


def lay_over(rng: np.random.Generator, picture: Floats, body: Box | None) -> list[OverlayTruth]:
    """Lay none to three of OVERLAYS over a picture (h, w, 3) of display values 0..1, in place."""
    count = int(rng.choice([0, 1, 2, 3], p=[0.56, 0.28, 0.12, 0.04]))
    names = rng.choice(list(OVERLAYS), count, replace=False)
    laid = (OVERLAYS[name](rng, picture, body) for name in names)
    return [one for one in laid if one is not None]


def _spot(
    rng: np.random.Generator, picture: Floats, wide: int, tall: int, *, corner: bool
) -> tuple[int, int]:
    height, width = picture.shape[:2]
    free_x, free_y = max(width - wide, 0), max(height - tall, 0)
    if corner:
        margin = int(rng.integers(2, 24))
        return int(rng.choice([min(margin, free_x), max(free_x - margin, 0)])), int(
            rng.choice([min(margin, free_y), max(free_y - margin, 0)])
        )
    return int(rng.integers(0, free_x + 1)), int(rng.integers(0, free_y + 1))


def _blend(picture: Floats, x: int, y: int, mask: Floats, tint: Floats, strength: float) -> Box:
    """Mix a colour, or a picture, into a part by a mask (h, w)."""
    tall, wide = mask.shape
    part = picture[y : y + tall, x : x + wide]
    share = (mask * strength)[: part.shape[0], : part.shape[1], None]
    part += (tint - part) * share
    return Box(x=float(x), y=float(y), w=float(part.shape[1]), h=float(part.shape[0]))


def _watermark(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth:
    height, width = picture.shape[:2]
    wide = int(width * rng.uniform(0.2, 0.8))
    tall = max(10, int(wide * rng.uniform(0.12, 0.3)))
    mask = _fitted(draw_lettering(rng).opacity, min(wide, width), min(tall, height))
    x, y = _spot(rng, picture, mask.shape[1], mask.shape[0], corner=rng.random() < 0.5)
    tint = np.ones(3) if rng.random() < 0.7 else rng.random(3)
    return OverlayTruth(
        kind="watermark", box=_blend(picture, x, y, mask, tint, rng.uniform(0.2, 0.9)), hides=False
    )


def _tiled_mark(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth:
    height, width = picture.shape[:2]
    small = _fitted(draw_lettering(rng).opacity, int(rng.integers(70, 160)), int(rng.integers(20, 50)))
    small = np.pad(small, int(rng.integers(8, 50)))
    rows, columns = -(-2 * height // len(small)), -(-2 * width // small.shape[1])
    sheet = np.tile(small, (rows, columns))
    turn = cv2.getRotationMatrix2D(
        (sheet.shape[1] / 2, sheet.shape[0] / 2), float(rng.choice([0, 30, -30, 45])), 1
    )
    turn[:, 2] -= [(sheet.shape[1] - width) / 2, (sheet.shape[0] - height) / 2]
    mask = np.asarray(cv2.warpAffine(sheet, turn, (width, height)), np.float32)
    box = _blend(picture, 0, 0, mask, np.ones(3), rng.uniform(0.12, 0.4))
    return OverlayTruth(kind="tiled watermark", box=box, hides=False)


def _subtitle(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth:
    height, width = picture.shape[:2]
    letters = (
        "".join(rng.choice(list("abcdefghijklmnoprstuvw    ,."), int(rng.integers(12, 42))))
        .strip()
        .capitalize()
    )
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX]))
    (long, tall), base = cv2.getTextSize(letters, font, 1, 2)
    scale = min(width * 0.9 / long, height * rng.uniform(0.03, 0.06) / tall)
    at = (int((width - long * scale) / 2), int(height * rng.uniform(0.84, 0.96)))
    tint = [1.0, 1.0, 1.0] if rng.random() < 0.7 else [1.0, 0.95, 0.3]
    box = Box(x=at[0], y=at[1] - tall * scale, w=long * scale, h=(tall + base) * scale)
    if rng.random() < 0.3:
        cv2.rectangle(
            picture, (at[0] - 6, int(box.y) - 5), (at[0] + int(box.w) + 6, int(box.y + box.h)), (0, 0, 0), -1
        )
    for color, thick in (((0.0, 0.0, 0.0), 4), (tint, 1 + (scale > 0.7))):
        cv2.putText(picture, letters, at, font, scale, color, thick, cv2.LINE_AA)
    return OverlayTruth(kind="subtitle", box=_inside(box, picture), hides=False)


def _logo(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth:
    """A channel's mark: a drawing in a corner, often on a plate."""
    side = int(min(picture.shape[:2]) * rng.uniform(0.08, 0.22))
    mask = np.asarray(
        cv2.resize(draw_design(rng).opacity, (side, side), interpolation=cv2.INTER_AREA), np.float32
    )
    x, y = _spot(rng, picture, side, side, corner=True)
    if rng.random() < 0.5:
        plate = np.zeros((side, side), np.float32)
        cv2.circle(plate, (side // 2, side // 2), side // 2, 1.0, -1, cv2.LINE_AA)
        _blend(picture, x, y, plate, rng.random(3), 0.9)
    tint = np.ones(3) if rng.random() < 0.5 else rng.random(3)
    return OverlayTruth(
        kind="logo", box=_blend(picture, x, y, mask, tint, rng.uniform(0.5, 1.0)), hides=False
    )


def _mosaic(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth | None:
    """Coarse blocks or a blur over part of the body."""
    place = _part_of(rng, picture, body)
    if place is None:
        return None
    x, y, wide, tall = place
    part = picture[y : y + tall, x : x + wide]
    block = int(rng.integers(6, 22))
    if rng.random() < 0.65:
        small = cv2.resize(part, (max(1, wide // block), max(1, tall // block)), interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(small, (wide, tall), interpolation=cv2.INTER_NEAREST)
    else:
        part[:] = cv2.GaussianBlur(part, (0, 0), block)
    return OverlayTruth(kind="mosaic", box=Box(x=x, y=y, w=wide, h=tall), hides=True)


def _plate(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth | None:
    """A black bar, a banner or an emoji-like disc over part of the body."""
    place = _part_of(rng, picture, body)
    if place is None:
        return None
    x, y, wide, tall = place
    picture[y : y + tall, x : x + wide] = 0 if rng.random() < 0.5 else rng.random(3)
    return OverlayTruth(kind="plate", box=Box(x=x, y=y, w=wide, h=tall), hides=True)


def _stamp(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth:
    """Date and time, as cameras write them."""
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1998, 2026)
    text = f"{day:02d}/{month:02d}/{year} {rng.integers(24):02d}:{rng.integers(60):02d}"
    scale = float(picture.shape[1] / 900 * rng.uniform(0.7, 1.3))
    (long, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x, y = _spot(rng, picture, long, tall, corner=True)
    cv2.putText(
        picture, text, (x, y + tall), cv2.FONT_HERSHEY_SIMPLEX, scale, (1.0, 0.75, 0.1), 1, cv2.LINE_AA
    )
    return OverlayTruth(kind="stamp", box=_inside(Box(x=x, y=y, w=long, h=tall + 2), picture), hides=False)


def _bars(rng: np.random.Generator, picture: Floats, body: Box | None) -> OverlayTruth:
    """Black bars above and below or at both sides; the box is the first."""
    height, width = picture.shape[:2]
    is_wide = rng.random() < 0.5
    size = int((height if is_wide else width) * rng.uniform(0.04, 0.13))
    part = picture if is_wide else picture.transpose(1, 0, 2)
    part[:size] = part[-size:] = 0
    box = Box(x=0, y=0, w=width if is_wide else size, h=size if is_wide else height)
    return OverlayTruth(kind="bars", box=box, hides=True)


def _part_of(rng: np.random.Generator, picture: Floats, body: Box | None) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of a random part of the person's box."""
    if body is None or min(body.w, body.h) < 24:
        return None
    wide, tall = int(body.w * rng.uniform(0.15, 0.45)), int(body.h * rng.uniform(0.06, 0.22))
    wide, tall = max(wide, 8), max(tall, 8)
    x = int(np.clip(body.x + rng.random() * (body.w - wide), 0, picture.shape[1] - wide))
    y = int(np.clip(body.y + rng.random() * (body.h - tall), 0, picture.shape[0] - tall))
    return x, y, wide, tall


def _fitted(mask: Floats, wide: int, tall: int) -> Floats:
    rows, columns = np.flatnonzero((mask > 0.1).any(axis=1)), np.flatnonzero((mask > 0.1).any(axis=0))
    cropped = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else mask
    return np.asarray(cv2.resize(cropped, (wide, tall), interpolation=cv2.INTER_AREA), np.float32)


def _inside(box: Box, picture: Floats) -> Box:
    height, width = picture.shape[:2]
    left, top = max(box.x, 0), max(box.y, 0)
    return Box(x=left, y=top, w=min(box.x + box.w, width) - left, h=min(box.y + box.h, height) - top)


OVERLAYS: dict[str, Overlay] = {
    "watermark": _watermark,
    "tiled watermark": _tiled_mark,
    "subtitle": _subtitle,
    "logo": _logo,
    "mosaic": _mosaic,
    "plate": _plate,
    "stamp": _stamp,
    "bars": _bars,
}
