"""The trainer draws the same from the same seed, and its head learns by the right gradient."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.drawings.designs import collage_of
from trainer.drawings.detector import folded
from trainer.drawings.fitting import choose_threshold, fit_head, heatmaps
from trainer.drawings.head import Batch, Head, logits, loss_and_gradient, new_head
from trainer.drawings.lessons import FULL, Lessons, cell_target
from trainer.drawings.scenes import Scene, draw_scene

CHANNELS = 12


def head_of(seed: int = 0) -> Head:
    """A tiny head in double precision, so that differences can be taken."""
    rng = np.random.default_rng(seed)
    mean, deviation = rng.random(CHANNELS), rng.random(CHANNELS) + 0.5
    head = new_head(rng, mean.astype(np.float32), deviation.astype(np.float32), first=5, second=4)
    return {name: value.astype(np.float64) for name, value in head.items()}


def batch_of(seed: int = 1) -> Batch:
    rng = np.random.default_rng(seed)
    target = (rng.random((3, 6, 6)) < 0.3).astype(np.float64)
    weight = (rng.random((3, 6, 6)) < 0.8).astype(np.float64)
    return Batch(rng.random((3, 6, 6, CHANNELS)) * 3, target, weight)  # type: ignore[arg-type]  # see above


@pytest.mark.parametrize("name", ["w1", "b1", "w2", "b2", "w3", "b3"])
def test_the_gradient_is_that_of_the_loss(name: str) -> None:
    """Nudging a weight changes the loss as its gradient says."""
    head, batch, rng = head_of(), batch_of(), np.random.default_rng(2)
    _, gradient = loss_and_gradient(head, batch, rng, dropout=0.0)
    for place in rng.integers(0, head[name].size, 4):
        losses = []
        for step in (1e-4, -1e-4):
            nudged = {key: value.copy() for key, value in head.items()}
            nudged[name].reshape(-1)[place] += step
            losses.append(loss_and_gradient(nudged, batch, rng, dropout=0.0)[0])
        slope = (losses[0] - losses[1]) / 2e-4
        assert gradient[name].reshape(-1)[place] == pytest.approx(slope, rel=2e-2, abs=2e-5)


def test_a_folded_head_says_the_same() -> None:
    """Putting the normalisation into the first layer changes no logit."""
    head, features = head_of(), batch_of().features
    shipped = folded(head)
    plain = {"mean": np.zeros(CHANNELS), "scale": np.ones(CHANNELS), **shipped}
    assert logits(plain, features) == pytest.approx(logits(head, features))  # type: ignore[arg-type]  # doubles


def lessons(count: int = 32) -> Lessons:
    """Pictures in which channel 0 alone tells what is tattooed."""
    rng = np.random.default_rng(4)
    features = rng.integers(0, 80, (count, 20, 20, CHANNELS)).astype(np.uint8)
    target = np.zeros((count, 20, 20), np.float16)
    target[::2, 5:12, 6:14] = 1
    features[..., 0] = np.where(target > 0, 220, 20)
    return Lessons(features, target)


def test_the_head_learns_and_an_interrupted_fit_goes_on(tmp_path: Path) -> None:
    """A separable task is learned; a fit that stopped after an epoch is continued, not begun again."""
    taught = lessons()
    fit_head(taught, epochs=1, seed=1, keep=tmp_path / "head.npz")
    head = fit_head(taught, epochs=30, seed=1, keep=tmp_path / "head.npz")
    heat = heatmaps(head, taught.features)
    assert heat[0, 6:11, 7:13].min() > 0.6
    assert heat[1].max() < 0.4
    assert int(np.load(tmp_path / "head.npz")["epoch"]) == 30
    again = fit_head(taught, epochs=30, seed=1, keep=tmp_path / "head.npz")
    assert np.array_equal(again["w1"], head["w1"])


def test_the_threshold_lies_above_what_clean_scenes_reach() -> None:
    """At most the allowed share of clean scenes reaches it, with the margin on top."""
    clean = np.linspace(0, 0.9, 1000).astype(np.float32)
    threshold = choose_threshold(clean, alarms=0.01)
    assert (clean >= threshold).mean() < 0.01
    assert 0.9 < threshold < 1
    assert choose_threshold(np.zeros(100, np.float32), alarms=0.01) > 0.5


@pytest.mark.parametrize("tattoos", [True, False])
def test_scenes_come_again_from_their_seed(tattoos: bool) -> None:
    """Drawing is a function of the seed: what shipped can be made again."""
    first, second = (draw_scene(np.random.default_rng(7), tattoos=tattoos) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.tattooed, second.tattooed)
    assert max(first.picture.shape) == 320
    assert first.picture.dtype == np.uint8


def test_clean_scenes_are_clean_and_most_tattooed_ones_are_not() -> None:
    """The target is empty where no tattoo was drawn, and marks skin where one was."""
    clean = [draw_scene(np.random.default_rng([1, n]), tattoos=False) for n in range(8)]
    inked = [draw_scene(np.random.default_rng([2, n]), tattoos=True) for n in range(12)]
    assert all(scene.tattooed.max() == 0 for scene in clean)
    assert sum(scene.tattooed.max() > 0.5 for scene in inked) >= 8


def test_cells_outside_the_picture_teach_nothing() -> None:
    """A scene of 320 x 160 fills the upper ten rows of cells; the others are marked -1."""
    tattooed = np.zeros((160, 320), np.float32)
    tattooed[32:64, 64:128] = 1
    target = cell_target(Scene(np.zeros((160, 320, 3), np.uint8), tattooed), 1.0)
    assert (target[10:] == -1).all()
    assert (target[2:4, 4:8] == 1).all()
    assert target[:10].sum() == 8


def test_features_are_stored_in_bytes_of_their_whole_range() -> None:
    """255 stands for the largest value that a ReLU6 gives."""
    assert FULL == 6.0


def test_tattoos_are_composed_of_drawings() -> None:
    """Of their ink and nothing else: from blank ones only shading comes, from full ones much ink."""
    blank, full = np.zeros((2, 32, 32, 4), np.uint8), np.full((2, 32, 32, 4), 255, np.uint8)
    rngs = [np.random.default_rng(seed) for seed in range(10)]
    assert all(collage_of(rng, full).opacity.max() > 0.9 for rng in rngs)
    assert all(collage_of(rng, blank).opacity.max() <= 0.75 for rng in rngs)


def test_composed_tattoos_are_larger() -> None:
    """They go around limbs: on average more skin is tattooed than by single motifs."""
    flats = np.full((2, 32, 32, 4), [30, 30, 30, 255], np.uint8)

    def inked(drawings: NDArray[np.uint8] | None) -> float:
        scenes = [draw_scene(np.random.default_rng([3, n]), tattoos=True, flats=drawings) for n in range(16)]
        return float(np.mean([(scene.tattooed > 0.5).mean() for scene in scenes]))

    assert inked(flats) > 1.3 * inked(None)
