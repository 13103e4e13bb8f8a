"""Drawing that stays readable on any picture: sizes that fit it, dark outlines, letters, panels.

OpenCV's built-in letters know ASCII only; text is brought there as far as Unicode can (é becomes e).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from chassis.geometry import Box
from chassis.images import RGBImage, cv2

__all__ = [
    "Color",
    "Style",
    "PANEL",
    "TEXT",
    "enlarged",
    "rectangle",
    "corner_marks",
    "panel",
    "write",
    "text_width",
]

Color = tuple[int, int, int]
"""Red, green, blue, 0..255."""

PANEL: Color = (17, 24, 39)
TEXT: Color = (243, 244, 246)
_DIM: Color = (168, 175, 188)

_LEAST_SIDE = 640
_MOST_ENLARGEMENT = 4.0
_FONT = cv2.FONT_HERSHEY_DUPLEX
_LETTER_HEIGHT = 24
"""Pixels of a line at font scale 1."""


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels that fit one picture."""

    scale: float
    """From the original picture to the drawn one."""
    text: float
    """OpenCV's font scale of small text."""
    line: int
    pad: int

    @classmethod
    def for_size(cls, width: int, height: int) -> Style:
        """For a picture of this many pixels."""
        longest = max(width, height)
        scale = min(_MOST_ENLARGEMENT, max(1.0, _LEAST_SIDE / longest))
        # A tall, narrow picture takes no wider labels than its width allows.
        size = min(longest, 2.2 * min(width, height)) * scale
        return cls(scale, max(0.48, size / 1800), max(2, round(size / 500)), max(4, round(size / 160)))

    @property
    def title(self) -> float:
        """OpenCV's font scale of titles."""
        return self.text * 1.35

    def line_height(self, *, is_title: bool) -> int:
        return round(_LETTER_HEIGHT * (self.title if is_title else self.text))

    def drawn(self, box: Box) -> Box:
        """A box of the original picture on the drawn one."""
        return Box(box.x * self.scale, box.y * self.scale, box.width * self.scale, box.height * self.scale)


def enlarged(pixels: RGBImage, style: Style) -> RGBImage:
    """A copy of the picture in drawing size."""
    if style.scale == 1.0:
        return pixels.copy()
    size = (round(pixels.shape[1] * style.scale), round(pixels.shape[0] * style.scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def rectangle(canvas: RGBImage, box: Box, color: Color, *, width: int) -> None:
    """An outline over a darker, wider one."""
    (left, top), (right, bottom) = _corners(box)
    cv2.rectangle(canvas, (left, top), (right, bottom), PANEL, width + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (left, top), (right, bottom), color, width, cv2.LINE_AA)


def corner_marks(canvas: RGBImage, box: Box, color: Color, *, width: int) -> None:
    """Only the corners of a box, pulled inside the picture."""
    height, breadth = canvas.shape[:2]
    inside = box.intersection(Box(width, width, breadth - 2 * width - 1, height - 2 * width - 1))
    (left, top), (right, bottom) = _corners(inside)
    length = max(6, min(right - left, bottom - top) // 10)
    for x, along_x in ((left, length), (right, -length)):
        for y, along_y in ((top, length), (bottom, -length)):
            path = np.array([(x + along_x, y), (x, y), (x, y + along_y)], np.int32)
            cv2.polylines(canvas, [path], False, PANEL, width + 2, cv2.LINE_AA)
            cv2.polylines(canvas, [path], False, color, width, cv2.LINE_AA)


def panel(canvas: RGBImage, box: Box, color: Color, style: Style) -> None:
    """Darken a part for text and mark its left edge."""
    (left, top), (right, bottom) = _corners(box)
    part = canvas[max(0, top) : bottom, max(0, left) : right]
    part[:] = (part * 0.18 + np.array(PANEL) * 0.82).astype(np.uint8)
    edge = left + max(2, style.pad // 2)
    cv2.rectangle(canvas, (left, top), (edge, bottom - 1), color, cv2.FILLED)


def write(
    canvas: RGBImage,
    text: str,
    at: tuple[int, int],
    style: Style,
    *,
    is_title: bool = False,
    color: Color | None = None,
) -> None:
    """Text whose baseline begins at `at`; without a color bright for titles, else dim."""
    size, usual = (style.title, TEXT) if is_title else (style.text, _DIM)
    cv2.putText(canvas, _ascii(text), at, _FONT, size, color or usual, _weight(style), cv2.LINE_AA)


def text_width(text: str, style: Style, *, is_title: bool = False) -> int:
    """Pixels that `write` needs."""
    size = style.title if is_title else style.text
    (width, _), _ = cv2.getTextSize(_ascii(text), _FONT, size, _weight(style))
    return int(width)


def _corners(box: Box) -> tuple[tuple[int, int], tuple[int, int]]:
    return (round(box.x), round(box.y)), (round(box.right), round(box.bottom))


def _weight(style: Style) -> int:
    return max(1, round(style.text * 1.2))


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return plain.encode("ascii", "replace").decode()
