"""Where the detector looks: at which parts of a picture, at which scale and turn."""

from __future__ import annotations

import math

from services.face.picture import Square

__all__ = ["first_looks", "further_looks"]

# A tight crop gets a border of a quarter on every side: the detector misses faces larger than about 40% of
# what it is shown.
_PADDED = 1.5
_WIDELY_PADDED = 2.5
# In a square of this side the detector still finds faces of 40 pixels, the least useful size.
_TILE_SIDE = 960.0
# Tiles overlap at least this share of their side, so that a face at a border is whole in one of them.
_OVERLAP = 0.15
_MOST_TILES = 12
_QUARTER_TURNS = (math.pi / 2, -math.pi / 2, math.pi)


def first_looks(width: int, height: int) -> list[Square]:
    """The whole picture, the same with a border, and tiles of a large picture; sizes in pixels."""
    whole = _whole(width, height)
    padded = Square(whole.x, whole.y, whole.side * _PADDED)
    return [whole, padded, *_tiles(width, height)]


def further_looks(width: int, height: int) -> list[Square]:
    """Where to look when the first looks found nobody: a wider border, and the picture turned."""
    whole = _whole(width, height)
    wide = Square(whole.x, whole.y, whole.side * _WIDELY_PADDED)
    turned = [Square(whole.x, whole.y, whole.side * _PADDED, angle) for angle in _QUARTER_TURNS]
    return [wide, *turned]


def _whole(width: int, height: int) -> Square:
    return Square(width / 2, height / 2, float(max(width, height)))


def _tiles(width: int, height: int) -> list[Square]:
    """Overlapping squares that cover a large picture, at most `_MOST_TILES`; none for a small one."""
    if max(width, height) <= _TILE_SIDE * (1 + _OVERLAP):
        return []
    side = min(_TILE_SIDE, float(min(width, height)))
    while (count := len(_starts(width, side)) * len(_starts(height, side))) > _MOST_TILES:
        side *= math.sqrt(count / _MOST_TILES) * 1.01
    return [
        Square(left + side / 2, top + side / 2, side)
        for top in _starts(height, side)
        for left in _starts(width, side)
    ]


def _starts(length: int, side: float) -> list[float]:
    """Where tiles begin along one side of the picture: evenly spread, the last one ends at the edge."""
    if length <= side:
        return [(length - side) / 2]
    count = math.ceil((length - side) / (side * (1 - _OVERLAP))) + 1
    step = (length - side) / (count - 1)
    return [index * step for index in range(count)]
