"""What a view of a tattoo is worth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.images import cv2
from services.tattoo.quality import sharpness, view_quality
from trainer.drawings.designs import draw_design


def view(side: int = 200, blur: float = 0.0) -> NDArray[np.uint8]:
    """A drawn tattoo on plain skin."""
    design = draw_design(np.random.default_rng(3))
    skin = np.array([0.85, 0.65, 0.5])
    drawn = skin * (1 - design.opacity[..., None]) + design.color * design.opacity[..., None]
    sharp = cv2.resize((drawn * 255).astype(np.uint8), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(sharp, (0, 0), blur) if blur else sharp, np.uint8)


def test_quality_rises_with_size() -> None:
    """The same tattoo on more pixels is worth more, up to 160."""
    qualities = [view_quality(view(side), 0.9) for side in (16, 40, 80, 120)]
    assert qualities == sorted(qualities)
    assert qualities[0] < 0.7 * qualities[-1]


def test_quality_falls_with_blur() -> None:
    """The more blurred, the less it is worth."""
    qualities = [view_quality(view(blur=blur), 0.9) for blur in (0.0, 1.0, 2.0, 4.0, 8.0)]
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[-1] < 0.7 * qualities[0]


def test_quality_rises_with_the_detectors_confidence() -> None:
    """The surer the detector, the more it is worth; not at all sure is worth nothing."""
    qualities = [view_quality(view(), confidence) for confidence in (0.0, 0.3, 0.6, 1.0)]
    assert qualities[0] == 0
    assert qualities == sorted(qualities)


def test_faded_ink_is_not_blurred() -> None:
    """Sharpness is relative to contrast: half the contrast is nearly as sharp."""
    strong = view()
    faded = (strong.astype(np.float32) * 0.5 + 100).astype(np.uint8)
    assert sharpness(faded) == pytest.approx(sharpness(strong), abs=0.05)


@pytest.mark.parametrize("shape", [(8, 8, 3), (1, 300, 3), (500, 1, 3), (1, 1, 3)])
def test_quality_lies_between_0_and_1_for_any_crop(shape: tuple[int, int, int]) -> None:
    """Flat, tiny and thin crops give a number too."""
    for crop in (np.zeros(shape, np.uint8), np.random.default_rng(0).integers(0, 256, shape, np.uint8)):
        assert 0 <= view_quality(crop, 1.0) <= 1
