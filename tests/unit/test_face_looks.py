"""Where the detector looks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.face.looks import first_looks, further_looks

_SIDES = st.integers(1, 12_000)


def test_a_small_picture_is_looked_at_with_and_without_a_border() -> None:
    """Two looks: the whole, and the whole with a quarter added on every side."""
    whole, padded = first_looks(250, 200)
    assert (whole.x, whole.y, whole.side) == (125, 100, 250)
    assert (padded.x, padded.y, padded.side) == (125, 100, 375)


def test_a_full_hd_picture_gets_tiles() -> None:
    """Small faces of a large picture are looked for in parts of it, and the parts stay few."""
    tiles = first_looks(1920, 1080)[2:]
    assert 2 <= len(tiles) <= 6
    assert all(tile.side <= 1080 for tile in tiles)


@given(width=_SIDES, height=_SIDES)
def test_looks_are_few_and_leave_nothing_out(width: int, height: int) -> None:
    """Of any picture: at most 14 looks, and the tiles together cover every corner and the centre."""
    looks = first_looks(width, height)
    assert 2 <= len(looks) <= 14
    tiles = looks[2:] or looks[:1]
    for x in (0.0, width / 3, width / 2, float(width)):
        for y in (0.0, height / 3, height / 2, float(height)):
            assert any(
                abs(x - tile.x) <= tile.side / 2 + 1e-6 and abs(y - tile.y) <= tile.side / 2 + 1e-6
                for tile in tiles
            )


@given(width=_SIDES, height=_SIDES)
def test_neighbouring_tiles_overlap(width: int, height: int) -> None:
    """A face at the border of a tile is whole in the next one, up to a seventh of a tile's side."""
    tiles = first_looks(width, height)[2:]
    for axis in ("x", "y"):
        centers = sorted({getattr(tile, axis) for tile in tiles})
        for one, other in pairwise(centers):
            assert other - one <= 0.86 * tiles[0].side


def test_where_nobody_was_found_the_picture_is_turned() -> None:
    """Further looks are a wider border, and the three other ways to hold the picture."""
    wide, *turned = further_looks(300, 200)
    assert wide.side == 750
    assert len({round(look.angle, 6) for look in turned}) == 3
