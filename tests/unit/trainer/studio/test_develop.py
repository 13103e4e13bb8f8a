"""Exposure, grading and compression."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from trainer.studio.develop import Facts, as_video_frame, compress, expose, grade


def ramp() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Light that grows from left to right, (40, 64, 3)."""
    return np.tile(np.linspace(0, 3, 64, dtype=np.float32)[None, :, None], (40, 1, 3))


def test_more_light_is_never_darker() -> None:
    """Exposure keeps the order of light and ends at white."""
    shown = expose(np.random.default_rng(0), ramp(), irradiance=1.0)
    assert (np.diff(shown, axis=1) >= -1e-6).all()
    assert 0 <= shown.min() <= shown.max() <= 1


def test_a_dark_room_is_exposed_longer() -> None:
    """Half the light on the person gives the same picture."""
    bright = expose(np.random.default_rng(0), ramp(), irradiance=1.0)
    dark = expose(np.random.default_rng(0), ramp() / 2, irradiance=0.5)
    assert dark == pytest.approx(bright, abs=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_grading_stays_in_range_and_says_what_it_did(seed: int) -> None:
    """Values 0..1 of the same shape, and facts that fit into JSON."""
    facts: Facts = {}
    graded = grade(
        np.random.default_rng(seed), expose(np.random.default_rng(0), ramp(), irradiance=1.0), facts
    )
    assert graded.shape == (40, 64, 3)
    assert 0 <= graded.min() <= graded.max() <= 1
    assert "noise" in facts


def still(seed: int) -> tuple[bytes, Facts]:
    facts: Facts = {}
    picture = np.random.default_rng(1).integers(0, 255, (41, 63, 3), np.uint8)
    return compress(np.random.default_rng(seed), picture, facts), facts


# Seeds whose first number asks for no video codec, which needs the training packages.
@pytest.mark.parametrize("seed", [s for s in range(20) if np.random.default_rng(s).random() >= 0.22])
def test_a_picture_keeps_its_size_through_compression(seed: int) -> None:
    """Boxes of the truth stay true: whatever happens to the pixels, their number does not change."""
    encoded, facts = still(seed)
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (41, 63, 3)
    assert "jpeg_quality" in facts
    assert still(seed)[0] == encoded


@pytest.mark.parametrize("shape", [(48, 64), (47, 65)])
def test_a_video_codec_keeps_size_and_content(shape: tuple[int, int]) -> None:
    """Even where the codec itself wants even sides."""
    pytest.importorskip("av", reason="needs the training packages: make train-venv")
    picture = np.zeros((*shape, 3), np.uint8)
    picture[:, : shape[1] // 2] = 220
    through = as_video_frame(picture, crf=20)
    assert through.shape == picture.shape
    assert np.abs(through.astype(int) - picture).mean() < 12
