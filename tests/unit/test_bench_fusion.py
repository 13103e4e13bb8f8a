"""The benchmark of fusion: what virtual performers are made of, and how policies are judged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.fusion.figures import Answers, figures_of
from bench.fusion.nuisances import NUISANCES
from bench.fusion.policies import BAYESIAN, FACE_ONLY, PRODUCT, WEIGHTED, Policies
from bench.fusion.sources import CLEAR, Compared, Faces, Tattoos
from bench.fusion.virtual import SLICES, Probe, dressed, probes_of, tail_quantile
from chassis.signal.calibration import Calibration
from chassis.signal.operating_point import OperatingPoint

_PERFORMERS, _STRANGERS, _DESIGNS = 12, 6, 4
_MAP = Calibration(
    neutral=0.3, slope_poor=0.0, slope_good=20.0, least_quality=0.1, least=-6.0, most=12.0, genuine=100,
    impostors=1000,
)  # fmt: skip
_POINT = OperatingPoint(
    impostor_p99=0.3, genuine_median=0.8, identification_confidence=0.5, provenance="a test"
)


def compared(rng: np.random.Generator, owners: NDArray[np.int64], genuine: float) -> Compared:
    similarities = rng.normal(0, 0.1, (len(owners), _PERFORMERS))
    own = owners < _PERFORMERS
    similarities[np.flatnonzero(own), owners[own]] = genuine
    return Compared(similarities, np.ones(len(owners)), np.sort(rng.normal(0, 0.1, 5000)))


def faces() -> Faces:
    rng = np.random.default_rng(0)
    owners = np.concatenate([np.repeat(np.arange(_PERFORMERS), 2), _PERFORMERS + np.arange(_STRANGERS)])
    kinds = tuple(str(kind) for kind in rng.choice(list(NUISANCES), len(owners)))
    names = tuple(f"p{number}" for number in range(_PERFORMERS))
    return Faces(names, owners, compared(rng, owners, 0.8), compared(rng, owners, 0.2), kinds)


def tattoos() -> Tattoos:
    rng = np.random.default_rng(1)
    worn = np.array([0, 0, 1, 2, 3, _DESIGNS, _DESIGNS + 1])
    similarities = rng.normal(0, 0.1, (len(worn), _DESIGNS))
    similarities[np.arange(5), worn[:5]] = 0.8
    of = dict.fromkeys((CLEAR, *NUISANCES), similarities)
    return Tattoos(
        _DESIGNS,
        worn,
        of,
        {kind: np.full(len(worn), 0.9) for kind in of},
        {kind: np.sort(rng.normal(0, 0.1, 2000)) for kind in of},
    )


def drawn(name: str, *, seed: int = 0, gallery: int = 5000) -> list[Probe]:
    wearing = dressed(np.random.default_rng(seed), _PERFORMERS, _DESIGNS)
    return list(probes_of(faces(), tattoos(), wearing, SLICES[name], gallery=gallery, seed=seed))


def policies() -> Policies:
    return Policies(face=_MAP, tattoo=_MAP, face_point=_POINT, tattoo_point=_POINT, gallery=5000, unknown=0.3)


@pytest.mark.parametrize("kind", NUISANCES)
def test_a_nuisance_spoils_a_picture_and_comes_again(kind: str) -> None:
    """The same from the same seed, of the same size, not the same picture."""
    pixels = np.random.default_rng(2).integers(0, 256, (80, 60, 3), np.uint8)
    first, second = (NUISANCES[kind](pixels, np.random.default_rng(3)) for _ in range(2))
    assert first.shape == pixels.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, pixels)


def test_half_of_the_performers_wear_a_design_and_some_share_one() -> None:
    """Zipf: the first design is worn most."""
    wearing = dressed(np.random.default_rng(0), 4000, 200)
    assert 0.45 < (wearing >= 0).mean() < 0.55
    counts = np.bincount(wearing[wearing >= 0], minlength=200)
    assert counts[0] > 5 * counts[-1]


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_shows_what_it_says(name: str) -> None:
    """Faces and tattoos where it has them; performers who wear one where it shows one; all strangers."""
    probes, kind = drawn(name), SLICES[name]
    assert sum(one.is_stranger for one in probes) == _STRANGERS
    assert any(not one.is_stranger for one in probes)
    assert all(bool(one.face) == kind.has_face and bool(one.tattoo) == kind.has_tattoo for one in probes)
    assert all(one.proposed for one in probes)
    best = [one.face[f"z{one.owner}"] for one in probes if one.face and not one.is_stranger]
    assert all(value == (0.2 if kind.is_spoilt else 0.8) for value in best)


def test_a_larger_gallery_has_more_alike_strangers() -> None:
    """The best of the synthetic similarities rise with their number."""
    small, large = (
        np.mean([max(v for k, v in one.face.items() if k.startswith("f")) for one in found])
        for found in (
            drawn("clear face, no tattoo", gallery=100),
            drawn("clear face, no tattoo", gallery=1_000_000),
        )
    )
    assert large > small + 0.05


def test_the_tail_goes_on_beyond_the_sample() -> None:
    """Inside it is the sample's quantile; beyond it rises slowly, for a normal sample to near the truth."""
    sample = np.sort(np.random.default_rng(0).normal(0, 0.1, 100_000))
    inside = tail_quantile(sample, np.array([0.5, 0.01, 1e-4]))
    assert inside == pytest.approx([0.0, 0.2326, 0.372], abs=0.02)
    beyond = tail_quantile(sample, np.array([1e-6, 1e-8]))
    assert inside[-1] < beyond[0] < beyond[1] <= 1.0
    assert beyond == pytest.approx([0.475, 0.561], abs=0.1)


def test_policies_agree_where_the_face_is_clear() -> None:
    """Everybody names the owner."""
    for one in drawn("clear face, no tattoo"):
        if not one.is_stranger:
            assert {decide(one).candidate for decide in policies().all().values()} == {f"z{one.owner}"}


def test_fusion_finds_by_the_tattoo_whom_a_spoilt_face_does_not() -> None:
    """And says with which probability; face only has nothing to say without a face."""
    decide = policies().all()
    [probe, *_] = [one for one in drawn("no face + tattoo") if not one.is_stranger]
    assert decide[BAYESIAN](probe).score > decide[FACE_ONLY](probe).score
    hidden = [one for one in drawn("spoilt face + tattoo") if not one.is_stranger]
    # Who shares the design shares the evidence, so anybody who wears it counts.
    rights = {
        name: np.mean([one.tattoo.get(str(policy(one).candidate), 0.0) > 0.7 for one in hidden])
        for name, policy in decide.items()
    }
    assert rights[BAYESIAN] > rights[FACE_ONLY]
    assert set(rights) == {FACE_ONLY, WEIGHTED, PRODUCT, BAYESIAN}


def answers(rng: np.random.Generator, *, over: float = 0.0) -> Answers:
    """Scores that are right as often as they say, or say more by `over`."""
    scores = rng.uniform(0, 1, 4000)
    is_right = rng.random(4000) < scores
    strangers = np.zeros(4000, bool)
    return Answers(np.arange(4000) % 300, strangers, is_right, np.clip(scores + over, 0, 1))


def test_probabilities_that_mean_what_they_say_have_no_calibration_error() -> None:
    """Others have that by which they exaggerate."""
    good = figures_of(answers(np.random.default_rng(0)), unknown=0.0, resamples=20, seed=0)
    bad = figures_of(answers(np.random.default_rng(0), over=0.2), unknown=0.0, resamples=20, seed=0)
    assert good.ece.value < 0.03
    assert bad.ece.value == pytest.approx(0.18, abs=0.04)
    assert bad.brier.value > good.brier.value
    assert good.rank1.low < good.rank1.value < good.rank1.high


def test_one_stranger_in_a_hundred_may_be_named() -> None:
    """FNIR counts who is not first, or not above what 1% of the strangers reach."""
    strangers = Answers(
        np.arange(1000) + 1000, np.ones(1000, bool), np.zeros(1000, bool), np.linspace(0, 1, 1000)
    )
    scores = np.concatenate([np.full(60, 0.995), np.full(40, 0.5)])
    right = np.concatenate([np.ones(90, bool), np.zeros(10, bool)])
    ours = Answers(np.arange(100), np.zeros(100, bool), right, scores)
    joined = Answers(
        *(
            np.concatenate([getattr(one, field.name) for one in (ours, strangers)])
            for field in dataclasses.fields(Answers)
        )
    )
    figures = figures_of(joined, unknown=0.3, resamples=5, seed=0)
    assert figures.rank1.value == pytest.approx(0.9)
    assert figures.fnir.value == pytest.approx(0.4)
    assert (figures.probes, figures.strangers) == (100, 1000)
