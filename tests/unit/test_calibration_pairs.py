"""Which pairs a shipped calibration is fitted on, and how it is judged and kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.calibration.pairs import judged, probe_pairs
from chassis.signal.calibration_fitting import Pairs, fit_calibration
from chassis.signal.shipped_calibration import ShippedCalibration, read_shipped, shipped_for, write_shipped
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.table import built_in_embedder
from tests.fakes.linear_map import linear_map


def pairs(mean: float, count: int, seed: int) -> Pairs:
    rng = np.random.default_rng(seed)
    return Pairs(rng.normal(mean, 0.1, count).clip(-1, 1), rng.uniform(0.3, 1, count))


def test_a_probe_meets_each_performer_once_without_itself() -> None:
    """Its own performer by the other views; who has no other view is nobody's genuine pair."""
    similarities = np.array(
        [[-1, 0.9, 0.1, 0.2], [0.9, -1, 0.3, 0.4], [0.1, 0.3, -1, 0.5], [0.2, 0.4, 0.5, -1]]
    )
    genuine, impostors = probe_pairs(similarities, (0.5, 0.6, 0.7, 0.8), ("a", "a", "b", "c"), seed=0)
    assert sorted(genuine.similarities) == [0.9, 0.9]
    # a's two views with b and c each, b's with a and c, c's with a and b.
    assert sorted(impostors.similarities) == [0.1, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5]
    assert set(impostors.qualities) == {0.5, 0.6, 0.7, 0.8}


def test_views_that_cannot_be_compared_are_left_out() -> None:
    """Minus infinity."""
    similarities = np.array([[-1, -np.inf], [-np.inf, -1]])
    genuine, impostors = probe_pairs(similarities, (0.5, 0.5), ("a", "b"), seed=0)
    assert len(genuine) == len(impostors) == 0


def test_a_calibration_is_judged_on_other_pairs() -> None:
    """Good where the kinds are apart, worth nothing where they are the same."""
    calibration = fit_calibration(pairs(0.7, 300, 1), pairs(0.1, 3000, 2))
    good = judged(calibration, pairs(0.7, 200, 3), pairs(0.1, 2000, 4))
    bad = judged(calibration, pairs(0.4, 200, 3), pairs(0.4, 2000, 4))
    assert good.cllr < 0.1
    assert bad.cllr > 0.9
    assert good.misleading_genuine < 0.05
    assert (good.genuine, good.impostors) == (200, 2000)


def test_what_is_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the embedders together, the primary one first; other ones have none."""
    package = tmp_path / "some_package"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").touch()
    calibration = fit_calibration(pairs(0.7, 300, 1), pairs(0.1, 3000, 2))
    one = ShippedCalibration((("m", "1"), ("n", "2")), calibration, "somebody")
    write_shipped(package / "weights" / "calibrations.json", [one])
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        shipped_for("some_package", [("m", "1"), ("n", "2")]) == read_shipped("some_package")[0].calibration
    )
    assert shipped_for("some_package", [("m", "1")]) is None
    assert shipped_for("some_package", [("n", "2"), ("m", "1")]) is None
    assert shipped_for("some_package", [("m", "2"), ("n", "2")]) is None
    found = read_shipped("some_package")[0].calibration
    assert found.llr(0.6, 0.8) == pytest.approx(calibration.llr(0.6, 0.8), abs=1e-3)


def test_a_share_that_is_nearly_nothing_stays_above_nothing(tmp_path: Path) -> None:
    """Rounded to digits, not to places: what is written can be read."""
    one = replace(linear_map(0.3, 20.0), failures=(1e-7, 1e-9))
    write_shipped(tmp_path / "c.json", [ShippedCalibration((("m", "1"),), one, "somebody")])
    [told] = json.loads((tmp_path / "c.json").read_text())
    assert told["calibration"]["failures"] == [1e-7, 1e-9]


def test_a_package_without_the_file_ships_none() -> None:
    """As before anything was fitted."""
    assert read_shipped("tests") == ()


def test_the_built_in_embedders_ship_calibrated() -> None:
    """In every choice of them; a model's new version needs new calibrations, or BAYESIAN knows nothing."""
    faces = [BUILT_IN_ROWS[name].key for name in DEFAULT_EMBEDDERS]
    for keys in (faces, *([key] for key in faces)):
        assert shipped_for("services.face", keys) is not None
    assert shipped_for("services.tattoo", [built_in_embedder().key]) is not None


@pytest.mark.parametrize("package", ["services.face", "services.tattoo"])
def test_what_ships_says_less_of_poor_views(package: str) -> None:
    """In either direction, and hardly anything against whom a worthless view is not like."""
    for one in read_shipped(package):
        for similarity in (-0.2, 0.3, 0.6, 0.9):
            ratios = [abs(one.calibration.llr(similarity, quality)) for quality in (0.0, 0.2, 0.5, 0.8, 1.0)]
            assert ratios == sorted(ratios)
        # However unlike, a view of no quality may show nothing.
        assert one.calibration.llr(-0.2, 0.0) > -1
