"""How the embedder's projection and its operating point are fitted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tattoo.networks import DIMENSION
from trainer.drawings.calibration import Photograph, is_for_calibration, operating_point_of
from trainer.embedder.fitting import fit_projection, separation_of

SIZE = 600


def views(seed: int, *, designs: int = 60, count: int = 3) -> NDArray[np.float32]:
    """Designs that differ a little everywhere, seen under a nuisance that is strong in 20 directions."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((designs, 1, SIZE))
    nuisance = np.zeros((designs, count, SIZE))
    nuisance[..., :20] = 12 * rng.standard_normal((designs, count, 20))
    noise = 0.3 * rng.standard_normal((designs, count, SIZE))
    return (own + nuisance + noise + 5).astype(np.float32)


def test_the_projection_damps_what_differs_between_views_of_one_design() -> None:
    """Fitted on some designs, it separates pairs of others better than centring alone does."""
    fitted, others = views(1), views(2)
    mean, projection = fit_projection(fitted, shrinkage=0.5)
    assert projection.shape == (SIZE, DIMENSION)
    assert mean == pytest.approx(fitted.reshape(-1, SIZE).mean(axis=0), abs=1e-3)
    plain, projected = separation_of(others - mean), separation_of((others - mean) @ projection)
    assert projected.genuine_above > plain.genuine_above + 0.3
    assert projected.genuine_median > projected.impostor_p99
    assert projected.rank1 > plain.rank1
    assert projected.rank1 > 0.9


def photographs(seed: int = 3) -> list[Photograph]:
    """Forty subjects, two photographs of each, 0.8 alike."""
    rng = np.random.default_rng(seed)
    made = []
    for subject in range(40):
        base = rng.standard_normal(64)
        for _ in range(2):
            vector = base + 0.5 * rng.standard_normal(64)
            made.append(Photograph(str(subject), (vector / np.linalg.norm(vector)).astype(np.float32)))
    return made


def test_the_operating_point_lies_between_impostors_and_genuine_pairs() -> None:
    """The 99th percentile of strangers, the median of pairs, and a threshold for a larger gallery above."""
    point = operating_point_of(photographs())
    assert point["impostor_p99"] < 0.45
    assert point["genuine_median"] == pytest.approx(0.8, abs=0.05)
    assert 0 < point["identification_confidence"] <= 1


def test_the_halves_are_fixed_by_name() -> None:
    """About half of the subjects may set numbers, always the same ones."""
    chosen = [is_for_calibration(str(subject)) for subject in range(1000)]
    assert 0.4 < np.mean(chosen) < 0.6
    assert chosen == [is_for_calibration(str(subject)) for subject in range(1000)]
