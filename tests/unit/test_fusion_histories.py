"""Careers year by year: a tattoo before its first day, appearance that changed, and what dates a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from gateway.fusion.absence import absence_llrs
from gateway.fusion.histories import Appearances, has_tattoo, natural_llrs
from gateway.fusion.scene_time import dated

_YEARS = np.arange(2015, 2027)


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """What one source says."""

    natural: float
    first: float = -np.inf
    last: float = np.inf


def _natural(
    histories: Sequence[Sequence[Appearance]], *, stated: float, usual: float
) -> NDArray[np.float64]:
    said = [one for history in histories for one in history]
    columns = Appearances(
        owners=[number for number, history in enumerate(histories) for _ in history],
        natural=[one.natural for one in said],
        first=[one.first for one in said],
        last=[one.last for one in said],
    )
    return natural_llrs(_YEARS, columns, len(histories), stated=stated, usual=usual)


def of(values: np.typing.NDArray[np.float64], year: int) -> float:
    return float(values[year - 2015])


def test_a_tattoo_may_be_older_than_its_first_picture() -> None:
    """Certain from the first picture on, less likely the longer before."""
    has_it = has_tattoo(_YEARS, first_seen=2020)
    assert (has_it[5:] == 1).all()
    assert 0.6 < of(has_it, 2019) < 0.8
    assert (np.diff(has_it[:6]) > 0).all()


def test_a_tattoo_that_was_removed_is_gone() -> None:
    """After the last year in which it was there."""
    has_it = has_tattoo(_YEARS, first_seen=2015, removed=2023)
    assert list(has_it) == [1] * 9 + [0] * 3


def test_several_tattoos_at_a_time() -> None:
    """Each by its own dates; infinite: not known."""
    found = has_tattoo(_YEARS, first_seen=[2020, -np.inf], removed=[np.inf, 2023])
    assert found == pytest.approx(
        np.stack([has_tattoo(_YEARS, first_seen=2020), has_tattoo(_YEARS, removed=2023)])
    )


def test_without_dates_it_was_always_there() -> None:
    """Until somebody says otherwise."""
    assert (has_tattoo(_YEARS) == 1).all()


def test_dates_that_contradict_each_other_are_refused() -> None:
    """Gone before it came."""
    with pytest.raises(InvalidInput, match="removed"):
        has_tattoo(_YEARS, first_seen=2020, removed=2019)


def test_appearance_counts_in_the_years_it_is_of() -> None:
    """Natural in a scene of 2023: against who is augmented since 2020, a little for who is natural."""
    changed = [Appearance(natural=1.0, last=2019), Appearance(natural=0.0, first=2020)]
    found, always = _natural([changed, [Appearance(natural=1.0)]], stated=1.0, usual=0.7)
    assert of(found, 2023) == pytest.approx(np.log(0.04 / 0.7))
    assert of(found, 2018) == pytest.approx(np.log(0.96 / 0.7))
    assert of(always, 2023) > 0.3


def test_no_statement_and_no_record_are_neutral() -> None:
    """A caller who does not know says one half; a year of which nobody speaks counts nothing."""
    natural = [Appearance(natural=0.9, first=2018, last=2019)]
    assert _natural([natural], stated=0.5, usual=0.7) == pytest.approx(0)
    silent, told = _natural([[], natural], stated=1.0, usual=0.7)
    assert (silent == 0).all()
    assert of(told, 2019) > 0
    assert of(told, 2020) == 0


def test_sources_that_disagree_meet_in_the_middle() -> None:
    """Neither is believed alone."""
    both = [Appearance(natural=1.0), Appearance(natural=0.0)]
    assert of(_natural([both], stated=1.0, usual=0.5)[0], 2020) == pytest.approx(0)


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
def test_what_is_no_probability_is_refused(value: float) -> None:
    """By its name."""
    with pytest.raises(InvalidInput, match="stated"):
        _natural([], stated=value, usual=0.5)
    with pytest.raises(InvalidInput, match="usual"):
        _natural([], stated=0.5, usual=value)
    with pytest.raises(InvalidInput, match="natural"):
        _natural([[Appearance(natural=value)]], stated=0.5, usual=0.5)


def test_absence_dates_an_undated_scene() -> None:
    """The sleeve of 2020 is not there with the arm in view: the scene is older, or it is somebody else."""
    has_it = np.where(_YEARS >= 2020, 1.0, 0.0)
    absent = absence_llrs(has_it=has_it, in_view=1, missed=0.05)
    found = dated(np.ones(len(_YEARS)), [absent])
    assert found.years[:5].sum() > 0.9
    assert np.log(0.05) < found.llr < 0
    assert dated(np.eye(12)[8], [absent]).llr == pytest.approx(np.log(0.05))
