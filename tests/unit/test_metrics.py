"""Identification figures against cases worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.metrics import MISSING_SCORE, Figures, Interval, Probe, threshold_at


def _known(identity: str, rank: int | None, score: float) -> Probe:
    return Probe(identity, True, rank, score)


def _unknown(identity: str, score: float) -> Probe:
    return Probe(identity, False, None, score)


_FOUR_KNOWN = [
    _known("ann", 1, 0.9),
    _known("ben", 1, 0.4),
    _known("cleo", 3, 0.8),
    _known("dan", None, MISSING_SCORE),
]
_TEN_UNKNOWN = [_unknown(f"stranger {i}", i / 10) for i in range(10)]  # 0.0 ... 0.9


def test_rank_counts_only_known_probes() -> None:
    """Two of four are first, three of four among the first five; unknown probes change neither."""
    figures = Figures(_FOUR_KNOWN + _TEN_UNKNOWN)
    assert figures.rank_at_most(1).value == 0.5
    assert figures.rank_at_most(5).value == 0.75


def test_threshold_lets_exactly_the_allowed_share_through() -> None:
    """With ten unknown probes, FPIR 10% allows one of them: the threshold is just above the second best."""
    scores = np.array([i / 10 for i in range(10)])
    ones = np.ones(10)
    assert threshold_at(scores, ones, 0.1) == np.nextafter(0.8, math.inf)
    assert threshold_at(scores, ones, 0.01) == np.nextafter(0.9, math.inf)
    assert threshold_at(scores, ones, 1.0) == -math.inf


def test_tied_unknown_scores_pass_or_fail_together() -> None:
    """Where two unknown probes share the best score and one is allowed, neither may pass."""
    assert threshold_at(np.array([0.5, 0.5, 0.1]), np.ones(3), 0.34) == np.nextafter(0.5, math.inf)


def test_fnir_misses_low_scores_wrong_ranks_and_missing_faces() -> None:
    """At FPIR 10% the threshold is above 0.8: of four only the first with 0.9 is found."""
    figures = Figures(_FOUR_KNOWN + _TEN_UNKNOWN)
    assert figures.fnir_at_fpir(0.1).value == 0.75
    assert figures.fnir_at_fpir(0.01).value == 1.0  # the threshold is above 0.9


def test_fnir_at_a_lax_threshold_is_one_minus_rank_one() -> None:
    """When no unknown probe ever gets a candidate, nothing but the rank decides."""
    figures = Figures([*_FOUR_KNOWN, _unknown("stranger", MISSING_SCORE)])
    assert figures.fnir_at_fpir(0.0).value == 0.5


def test_a_missed_face_of_an_unknown_is_no_false_alarm() -> None:
    """A probe without any candidate stays under every threshold."""
    figures = Figures([_known("ann", 1, 0.1), _unknown("x", MISSING_SCORE)])
    assert figures.fnir_at_fpir(0.0).value == 0.0


def test_without_unknown_probes_there_is_no_fnir() -> None:
    """FPIR needs somebody unknown; the figure says that there is nothing to measure."""
    figures = Figures(_FOUR_KNOWN)
    assert figures.fnir_at_fpir(0.01) == Interval(None, None, None)
    assert figures.threshold_at_fpir(0.01) is None
    assert str(figures.fnir_at_fpir(0.01)) == "n/a"


def test_without_known_probes_there_is_no_rank() -> None:
    """An empty set of known probes has no share."""
    assert Figures(_TEN_UNKNOWN).rank_at_most(1).value is None
    assert Figures([]).rank_at_most(1).value is None


def test_a_perfect_share_has_an_exact_bound() -> None:
    """20 of 20 identities right: Clopper-Pearson says at least 83.16%, not 100%."""
    perfect = Figures([_known(f"p{i}", 1, 1.0) for i in range(20)]).rank_at_most(1)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.8316, abs=1e-4)
    nobody = Figures([_known(f"p{i}", None, 0.0) for i in range(20)]).rank_at_most(1)
    assert nobody.high == pytest.approx(1 - 0.8316, abs=1e-4)


def test_identities_are_resampled_not_pictures() -> None:
    """Ten pictures each of ten people, five of them always missed, tell no more than one picture each."""
    many = [_known(f"p{i}", 1 if i < 5 else None, 1.0) for i in range(10) for _ in range(10)]
    one = [_known(f"p{i}", 1 if i < 5 else None, 1.0) for i in range(10)]
    assert Figures(many).rank_at_most(1) == Figures(one).rank_at_most(1)
    width = Figures(many).rank_at_most(1)
    assert width.low is not None
    assert width.high is not None
    assert width.high - width.low > 0.4


def test_the_same_probes_give_the_same_interval() -> None:
    """The bootstrap is seeded."""
    probes = _FOUR_KNOWN + _TEN_UNKNOWN
    assert Figures(probes).fnir_at_fpir(0.1) == Figures(probes).fnir_at_fpir(0.1)


_probes = st.lists(
    st.builds(
        Probe,
        st.sampled_from("abcdef"),
        st.booleans(),
        st.none() | st.integers(1, 10),
        st.sampled_from([MISSING_SCORE, 0.0, 0.25, 0.5, 1.0, 1.2]),
    ),
    max_size=30,
)


@given(_probes, st.floats(0, 1))
def test_the_threshold_keeps_its_promise(probes: list[Probe], fpir: float) -> None:
    """Whatever the scores, no more than the allowed share of unknown probes reaches the threshold."""
    unknown = np.array([p.score for p in probes if not p.is_known], dtype=np.float64)
    threshold = threshold_at(unknown, np.ones(len(unknown)), fpir)
    assert (unknown >= threshold).sum() <= fpir * len(unknown) + 1e-6 or threshold == -math.inf


@given(_probes)
def test_figures_stay_in_order(probes: list[Probe]) -> None:
    """Rank-5 is never under rank-1, FNIR at 10% never above FNIR at 1%, and intervals are shares."""
    figures = Figures(probes, draws=50)
    first, five = figures.rank_at_most(1), figures.rank_at_most(5)
    strict, lax = figures.fnir_at_fpir(0.01), figures.fnir_at_fpir(0.1)
    if first.value is not None and five.value is not None:
        assert first.value <= five.value
    if strict.value is not None and lax.value is not None:
        assert lax.value <= strict.value
    for each in (first, five, strict, lax):
        if each.value is not None and each.low is not None and each.high is not None:
            assert 0 <= each.low <= each.high <= 1
