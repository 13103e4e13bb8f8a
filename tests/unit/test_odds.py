"""Odds in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.odds import odds_text


@pytest.mark.parametrize(
    ("odds", "told"),
    [
        (150, "150 : 1"),
        (1 / 20, "1 : 20"),
        (1.6, "1.6 : 1"),
        (9.96, "10 : 1"),
        (1 / 2.5, "1 : 2.5"),
        (1, "1 : 1"),
        (1.09, "1 : 1"),
        (1 / 1.09, "1 : 1"),
        (7_123, "7,100 : 1"),
        (9_900_000, "9,900,000 : 1"),
        (2e7, "10^7 : 1"),
        (1e-12, "1 : 10^12"),
    ],
)
def test_two_digits_count(odds: float, told: str) -> None:
    """Large odds are powers of ten."""
    assert odds_text(math.log(odds)) == told


def test_what_is_not_finite_has_a_word() -> None:
    """Nobody reads `inf : 1`."""
    assert (odds_text(math.inf), odds_text(-math.inf), odds_text(math.nan)) == ("certain", "impossible", "?")


@given(st.floats(min_value=0.2, max_value=1e6))
def test_against_is_for_the_other_way_round(log_odds: float) -> None:
    """The same digits on the other side."""
    told, _, one = odds_text(log_odds).partition(" : ")
    assert one == "1"
    assert odds_text(-log_odds) == f"1 : {told}"
