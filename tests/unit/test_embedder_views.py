"""Views that the embedder learns from, of drawings and of the studio's pictures."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.training_sets import write_set
from trainer.embedder.flat import FLAT_SIDE, flattened, write_flat
from trainer.embedder.lessons import draw_views, worn_designs
from trainer.learning.truth import read_pictures
from trainer.studio.inking import Design
from trainer.studio.seeds import Split


def design() -> Design:
    opacity = np.zeros((100, 100), np.float32)
    opacity[20:40, 10:70] = 1
    return Design(opacity, np.full((100, 100, 3), 0.2, np.float32))


def test_a_drawing_is_cut_to_its_ink() -> None:
    """Its shape is kept: three times as wide as high here."""
    flat = flattened(design())
    rows, columns = np.nonzero(flat[..., 3] > 128)
    assert flat.shape == (FLAT_SIDE, FLAT_SIDE, 4)
    assert columns.min() == 0
    assert columns.max() == FLAT_SIDE - 1
    assert np.ptp(rows) + 1 == pytest.approx(FLAT_SIDE / 3, abs=2)
    empty = Design(np.zeros((9, 9), np.float32), np.zeros((9, 9, 3), np.float32))
    assert not flattened(empty).any()


def test_drawings_are_kept_once(tmp_path: Path) -> None:
    """A file that is there stays as it is; the same seed gives the same drawings."""
    path = tmp_path / "flat.npy"
    write_flat(path, split=Split.TRAIN, seed=3, count=2, workers=1, kinds=("motif",))
    drawn = np.load(path)
    assert drawn.shape == (2, FLAT_SIDE, FLAT_SIDE, 4)
    assert (drawn[0] != drawn[1]).any()
    before = path.stat().st_mtime_ns
    write_flat(path, split=Split.TRAIN, seed=4, count=2, workers=1, kinds=("motif",))
    assert path.stat().st_mtime_ns == before


def test_views_of_a_drawing_differ_and_show_it() -> None:
    """Each has another light, angle and skin; the ink is seen in most of them."""
    views = draw_views(np.random.default_rng(0), flattened(design()), 12, 64)
    assert all(view.shape == (64, 64, 3) and view.dtype == np.uint8 for view in views)
    assert len({view.tobytes() for view in views}) == 12
    contrasts = [view.mean(axis=2).std() for view in views]
    assert np.median(contrasts) > 8


def test_designs_need_two_views(tmp_path: Path) -> None:
    """A design that is seen once, or only hardly, teaches nothing."""
    pictures = read_pictures([write_set(tmp_path, 12)], split="train")
    designs = worn_designs(pictures)
    assert len(designs) == 4
    assert all(len({one.tattoo.design_id for one in views}) == 1 for views in designs)
    assert worn_designs(pictures[:1]) == []
