"""What is laid over a picture changes it where its box says, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.studio.overlays import OVERLAYS, lay_over
from trainer.studio.truth import Box

BODY = Box(x=60.0, y=20.0, w=120.0, h=200.0)


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).uniform(0.2, 0.6, (240, 320, 3)).astype(np.float32)


@pytest.mark.parametrize("name", sorted(OVERLAYS))
@pytest.mark.parametrize("seed", range(8))
def test_an_overlay_stays_in_its_box(name: str, seed: int) -> None:
    """But for bars, whose second one lies opposite."""
    before, after = picture(), picture()
    truth = OVERLAYS[name](np.random.default_rng(seed), after, BODY)
    assert truth is not None
    assert truth.kind == name
    box = truth.box
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.w <= 320 + 1e-6
    assert box.y + box.h <= 240 + 1e-6
    changed = np.abs(after - before).max(axis=2) > 1e-4
    assert changed.any()
    if name == "bars":
        changed &= changed[::-1, ::-1] if box.w == 320 or box.h == 240 else changed
        return
    rows, columns = np.nonzero(changed)
    margin = 12
    assert columns.min() >= box.x - margin
    assert columns.max() <= box.x + box.w + margin
    assert rows.min() >= box.y - margin
    assert rows.max() <= box.y + box.h + margin


@pytest.mark.parametrize("name", ["mosaic", "plate"])
def test_what_hides_lies_on_the_body(name: str) -> None:
    """A mosaic or a plate is laid over the person; without one there is none."""
    truth = OVERLAYS[name](np.random.default_rng(2), picture(), BODY)
    assert truth is not None
    assert truth.hides
    assert truth.box.x >= BODY.x
    assert truth.box.x + truth.box.w <= BODY.x + BODY.w + 1
    assert OVERLAYS[name](np.random.default_rng(2), picture(), None) is None


def test_the_same_seed_lays_the_same() -> None:
    """Overlays, too, hang on the picture's seed alone."""
    first, again = picture(), picture()
    truths = [lay_over(np.random.default_rng(11), one, BODY) for one in (first, again)]
    assert truths[0] == truths[1]
    assert first == pytest.approx(again)
