"""The figures of bench/faces, on scores whose figures are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.faces.dataset import is_for_calibration, read_photographs
from bench.faces.protocol import Trial, measure


def _trial(*, own: list[float], other: list[float], stranger: list[float], unknown: list[float]) -> Trial:
    """People with one probe each: its scores with the own photograph, another's, a stranger's."""
    people = len(own)
    probes = np.full((people, people), -1.0)
    for index in range(people):
        probes[index, index] = own[index]
        probes[index, (index + 1) % people] = other[index]
    unknowns = np.full((len(unknown), people), -1.0)
    unknowns[:, 0] = unknown
    return Trial(probes, np.arange(people), np.array(stranger)[:, None], unknowns)


def test_figures_of_a_known_case() -> None:
    """Three of four find themselves; one of these loses to a stranger; one is under the threshold."""
    trial = _trial(
        own=[0.9, 0.8, 0.3, 0.4],
        other=[0.1, 0.1, 0.1, 0.6],
        stranger=[0.1, 0.85, 0.1, 0.1],
        unknown=[index / 200 for index in range(100)],
    )
    figures = measure([trial], resamples=0, seed=0)
    assert figures.rank1.value == 0.75
    assert figures.rank1_with_distractors.value == 0.5
    assert figures.fnir_at_fpir_1.value == 0.5  # threshold 0.495: the third is under it
    assert figures.fnir_at_fpir_10.value == 0.5


def test_a_missed_face_is_a_miss() -> None:
    """A probe without a face hits nobody, however empty its row is; an unknown one raises no alarm."""
    trial = _trial(own=[-np.inf, 0.9], other=[-np.inf, 0.1], stranger=[-np.inf, 0.0], unknown=[-np.inf, 0.2])
    trial.probes[0] = -np.inf
    trial.unknowns[0] = -np.inf
    figures = measure([trial], resamples=0, seed=0)
    assert figures.rank1.value == 0.5
    assert figures.fnir_at_fpir_10.value == 0.5


def test_intervals_surround_the_value_and_repeat() -> None:
    """The same seed gives the same interval; more people make it narrower."""

    def interval(people: int) -> tuple[float, float]:
        rng = np.random.default_rng(5)
        trial = _trial(
            own=list(rng.uniform(0.3, 1, people)),
            other=list(rng.uniform(0, 0.7, people)),
            stranger=list(rng.uniform(0, 0.7, people)),
            unknown=list(rng.uniform(0, 0.6, 200)),
        )
        first, second = (measure([trial], resamples=200, seed=3) for _ in range(2))
        assert first == second
        assert first.rank1.low <= first.rank1.value <= first.rank1.high
        return first.rank1.low, first.rank1.high

    (few_low, few_high), (many_low, many_high) = interval(20), interval(300)
    assert many_high - many_low < few_high - few_low


def test_the_halves_are_fixed_and_even() -> None:
    """Every name is in one half, by its name alone; the halves are about equal."""
    names = [f"Person_{number}" for number in range(2000)]
    share = np.mean([is_for_calibration(name) for name in names])
    assert share == pytest.approx(0.5, abs=0.05)
    assert is_for_calibration("Aaron_Peirsol") == is_for_calibration("Aaron_Peirsol")


def test_folders_are_people(tmp_path: Path) -> None:
    """Identities need two photographs; files come in the order of their names."""
    for name in ("identities/a/2.jpg", "identities/a/1.jpg", "identities/b/1.jpg", "distractors/c/1.jpg"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    photographs = read_photographs(tmp_path)
    assert [file.name for file in photographs.identities["a"]] == ["1.jpg", "2.jpg"]
    assert list(photographs.identities) == ["a"]
    assert list(photographs.distractors) == ["c"]
    assert len(photographs.files) == 3
