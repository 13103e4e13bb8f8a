"""What of a crop an embedder is given."""

from dataclasses import replace

import numpy as np

from services.tattoo.embed import batch_of
from services.tattoo.table import built_in_embedder
from tests.fakes.pictures import gradient

_ROW = replace(built_in_embedder(), size=64, mean=(0, 0, 0), deviation=(1, 1, 1))
_PLAIN = replace(_ROW, mirror=False, coarse=None)


def test_a_plain_embedder_sees_each_crop_once() -> None:
    """In the order of the crops."""
    crops = [gradient(80, 60), gradient(30, 40)]
    batch = batch_of(_PLAIN, crops)
    assert batch.shape == (2, 3, 64, 64)
    assert np.array_equal(batch[1:], batch_of(_PLAIN, crops[1:]))


def test_a_second_input_is_the_mirror_image_or_a_coarse_copy() -> None:
    """With both it is the coarse mirror image."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    crop, mirrored = batch_of(replace(_PLAIN, mirror=True), [noise])
    assert np.array_equal(crop, batch_of(_PLAIN, [noise])[0])
    assert np.array_equal(mirrored, crop[:, :, ::-1])
    _, coarse = batch_of(replace(_PLAIN, coarse=8), [noise])
    assert coarse.std() < crop.std() / 3
    assert abs(coarse.mean() - crop.mean()) < 0.01
    first, second = batch_of(replace(_PLAIN, mirror=True, coarse=8), [noise])
    assert np.array_equal(first, crop)
    assert np.array_equal(second, coarse[:, :, ::-1])
