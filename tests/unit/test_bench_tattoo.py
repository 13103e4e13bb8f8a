"""What bench/tattoo counts: shares, paired ratios, transforms, and who is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.tattoo.describers import KeyPointDescriber
from bench.tattoo.figures import error_ratio, share
from bench.tattoo.identification import MATES, Answers, Protocol, answer, protocol_of, with_verification
from bench.tattoo.photographs import TattooPhotograph, read_bivtatt, read_faces
from bench.tattoo.rendered import Views, filled_up, rank1_figures, views_of
from bench.tattoo.transforms import TRANSFORMS
from chassis.geometry import Box
from tests.fakes.drawings import drawing, turned
from tests.fakes.tattoos import embedder_row
from tests.fakes.training_sets import write_set
from trainer.embedder.flat import read_flat_names, write_flat
from trainer.embedder.lessons import Worn
from trainer.learning.truth import Picture, Tattoo, read_pictures
from trainer.studio.seeds import Split

Pixels = NDArray[np.uint8]


def test_a_share_has_wilsons_interval() -> None:
    """Against published values; none of none is no figure."""
    one = share(82, 109)
    assert (one.value, one.low, one.high) == pytest.approx((0.752, 0.664, 0.824), abs=1e-3)
    assert share(0, 40).high == pytest.approx(0.0876, abs=1e-3)
    assert np.isnan(share(0, 0).value)


def test_a_ratio_of_errors_is_paired() -> None:
    """Half of the same errors is 0.5, and the interval is far narrower than that of two shares."""
    baseline = np.array([True] * 20 + [False] * 20)
    ours = np.array([True, False] * 10 + [False] * 20)
    ratio = error_ratio(ours, baseline, [str(number) for number in range(40)], resamples=500, seed=0)
    assert ratio.value == 0.5
    assert 0.2 < ratio.low < 0.5 < ratio.high < 0.8
    same = error_ratio(baseline, baseline, ["a", "b"] * 20, resamples=100, seed=0)
    assert (same.low, same.value, same.high) == (1, 1, 1)


def test_a_baseline_without_errors_gives_a_ratio() -> None:
    """Counted as one error."""
    none, two = np.zeros(4, bool), np.array([True, True, False, False])
    assert error_ratio(two, none, list("abcd"), resamples=50, seed=0).value == 2


def photograph(seed: int, name: str) -> TattooPhotograph:
    """Blocks of brightness, the same ones for a subject, with noise."""
    subject = name.partition("_")[0]
    coarse = np.random.default_rng(int(subject)).integers(0, 255, (9, 9, 3), np.uint8)
    large = cv2.resize(coarse, (180, 180), interpolation=cv2.INTER_CUBIC).astype(float)
    noisy = np.clip(large + np.random.default_rng(seed).normal(0, 4, large.shape), 0, 255).astype(np.uint8)
    canvas = np.full((260, 300, 3), 128, np.uint8)
    canvas[40:220, 60:240] = noisy
    return TattooPhotograph(name, subject, canvas, (Box(60, 40, 180, 180), Box(0, 0, 10, 10)))


PHOTOGRAPHS = [photograph(seed, name) for seed, name in enumerate(["1_1", "1_2", "2_1", "3_1"])]


class Correlation:
    """Alike is what correlates when made small."""

    async def similarities(self, probes: Sequence[Pixels], gallery: Sequence[Pixels]) -> NDArray[np.float64]:
        ours, theirs = [[self._small(crop) for crop in crops] for crops in (probes, gallery)]
        return np.array([[float(one @ other) for other in theirs] for one in ours])

    @staticmethod
    def _small(crop: Pixels) -> NDArray[np.float64]:
        small = cv2.resize(crop, (16, 16), interpolation=cv2.INTER_AREA).astype(float).ravel()
        centred = small - small.mean()
        return np.asarray(centred / np.linalg.norm(centred))


async def test_photographs_with_a_mate_are_left_out_and_all_are_changed() -> None:
    """Two photographs of subject 1 are probes of each other; four transforms of each photograph follow."""
    protocol = protocol_of(PHOTOGRAPHS, seed=0)
    assert protocol.kinds.count(MATES) == 2
    assert len(protocol.probes) == 2 + 4 * len(TRANSFORMS)
    answers = await answer(Correlation(), protocol)
    wrong = answers.wrong_of(protocol)
    assert wrong[MATES] == (0, 2)
    assert wrong["blurred"] == (0, 4)
    assert wrong["in another light"] == (0, 4)
    assert np.isinf(answers.similarities[0, 0])


def test_a_protocol_is_the_same_every_time() -> None:
    """By its seed; another seed turns and cuts elsewhere."""
    first, second, other = (protocol_of(PHOTOGRAPHS, seed=seed).probes for seed in (0, 0, 1))
    assert all((one == two).all() for one, two in zip(first, second, strict=True))
    assert any(one.shape != two.shape or (one != two).any() for one, two in zip(first, other, strict=True))


def test_transforms_do_what_they_say() -> None:
    """A part has 60% of the area; what is turned has a larger box; light and blur keep the size."""
    rng = np.random.default_rng(0)
    crops = {name: transform(PHOTOGRAPHS[0], rng) for name, transform in TRANSFORMS.items()}
    part = crops["60% of it"]
    assert part.shape[0] * part.shape[1] == pytest.approx(0.6 * 180 * 180, rel=0.02)
    assert crops["blurred"].shape == crops["in another light"].shape == (180, 180, 3)
    sharp = cv2.Laplacian(PHOTOGRAPHS[0].pixels[40:220, 60:240], cv2.CV_64F).var()
    assert cv2.Laplacian(crops["blurred"], cv2.CV_64F).var() < 0.7 * sharp
    assert crops["turned 30 degrees"].shape[0] == pytest.approx(180, abs=2)


async def test_key_points_know_a_turned_drawing() -> None:
    """Many agree on the drawing, few on another one."""
    blank = np.full((50, 50, 3), 90, np.uint8)
    gallery = [drawing(1), drawing(2), blank]
    [row] = await KeyPointDescriber().similarities([turned(drawing(1))], gallery)
    assert row[0] > 20
    assert row[1] < 10
    assert row[2] == 0


def test_verification_puts_what_agrees_first() -> None:
    """The same drawing, however unlike; another one not, and never the one that the probe itself is."""
    gallery = [drawing(1), *(drawing(seed) for seed in range(2, 12)), drawing(1), drawing(1)]
    subjects = tuple(str(number) for number in range(len(gallery)))
    protocol = Protocol(tuple(gallery), subjects, (turned(drawing(1)),), ("0",), ("turned",), (12,))
    similarities = np.array([[0.5, *np.linspace(0.4, 0.6, 10), 0.1, -np.inf]])
    answers = Answers(similarities, np.array([True]))
    counted = with_verification(answers, protocol, embedder_row("a").operating_point)
    assert not counted.is_wrong[0]
    assert counted.similarities[0, 0] > 0.7
    assert counted.similarities[0, 11] > 0.5
    assert counted.similarities[0, 1] < 0.4
    assert np.isneginf(counted.similarities[0, 12])


async def test_designs_are_found_again_in_rendered_pictures(tmp_path: Path) -> None:
    """The view that faces the camera is enrolled; the others are probes, told by angle and what is hidden."""
    pictures = read_pictures([write_set(tmp_path, 12, split="test")], split="test")
    views = views_of(pictures, most=100, probes_each=3)
    assert len(views.gallery) == 4
    assert len(views.probes) == 4
    figures = await rank1_figures(Correlation(), views)
    assert figures["all"].of == 4
    assert figures["seen from 0 to 30 degrees"].of == 4
    assert figures["seen from 30 to 50 degrees"].of == 0


def test_drawings_fill_the_gallery_up(tmp_path: Path) -> None:
    """As many as are missing, none of a design that somebody looks for."""
    path = tmp_path / "flat.npy"
    write_flat(path, split=Split.TEST, seed=1, count=3, workers=1, kinds=("motif",))
    first, *_ = read_flat_names(path)
    crop = np.zeros((20, 20, 3), np.uint8)
    tattoo = Tattoo((0, 0, 9, 9), "t", first, "UNKNOWN", 1.0, 1.0, 0.0, 0.0, is_plain=True)
    picture = Picture(tmp_path / "p.jpg", "test", "p", 200, 200, (tattoo,), has_overlay=False)
    views = Views((crop,), (crop,), (0,), (Worn(picture, tattoo),))
    filled = filled_up(views, path, most=10, seed=0)
    assert len(filled.gallery) == 3
    assert filled.gallery[0] is crop
    assert filled.probes == views.probes
    assert len(filled_up(views, path, most=2, seed=0).gallery) == 2
    assert len(filled_up(views, path, most=1, seed=0).gallery) == 1


def test_photographs_are_read_with_their_boxes(tmp_path: Path) -> None:
    """Originals only, corners cut at the picture; faces one a person of the reporting half."""
    (tmp_path / "images").mkdir()
    (tmp_path / "bounding_boxes").mkdir()
    for name in ("7_1", "7_1_blur"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.zeros((50, 60, 3), np.uint8))
        (tmp_path / "bounding_boxes" / f"{name}.txt").write_text("-5 10 30 40\n10 10 20 20\n")
    [one] = read_bivtatt(tmp_path)
    assert one.subject == "7"
    assert one.main == Box(0, 10, 30, 30)
    for person in ("distractors/C", "identities/E", "identities/A"):
        (tmp_path / person).mkdir(parents=True)
        for number in (1, 2):
            (tmp_path / person / f"{number}.jpg").touch()
    assert [path.name for path in read_faces(tmp_path, limit=None)] == ["1.jpg", "1.jpg"]
    assert read_bivtatt(tmp_path / "nowhere") == []
