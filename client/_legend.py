"""Colours and what they mean, in rows as wide as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chassis.images import RGBImage
from client._canvas import PANEL, Color, Style, text_width, write

__all__ = ["Entry", "legend"]

Entry = tuple[Color | None, str]
"""A color, None for words alone, and what it means."""


def legend(entries: Sequence[Entry], width: int, style: Style) -> RGBImage:
    """A strip of this many pixels in width, with as many rows as the entries need."""
    rows = _wrapped(entries, width - 2 * style.pad, style)
    row_height = style.line_height(is_title=False) + 2 * style.pad
    strip = np.full((row_height * len(rows), width, 3), PANEL, np.uint8)
    for index, row in enumerate(rows):
        x, y = 2 * style.pad, (index + 1) * row_height - round(1.4 * style.pad)
        for color, text in row:
            _draw_entry(strip, (x, y), color, text, style)
            x += _entry_width(color, text, style)
    return strip


def _wrapped(entries: Sequence[Entry], width: int, style: Style) -> list[list[Entry]]:
    rows: list[list[Entry]] = [[]]
    used = 0
    for color, text in entries:
        needed = _entry_width(color, text, style)
        if rows[-1] and used + needed > width:
            rows.append([])
            used = 0
        rows[-1].append((color, text))
        used += needed
    return rows


def _entry_width(color: Color | None, text: str, style: Style) -> int:
    swatch = 0 if color is None else style.line_height(is_title=False) + style.pad
    return swatch + text_width(text, style) + 3 * style.pad


def _draw_entry(strip: RGBImage, at: tuple[int, int], color: Color | None, text: str, style: Style) -> None:
    x, y = at
    if color is not None:
        side = style.line_height(is_title=False)
        strip[y - side + 2 : y + 2, x : x + side] = color
        x += side + style.pad
    write(strip, text, (x, y), style)
