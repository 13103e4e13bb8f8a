"""Evidence that hangs on the year: what was there then, careers, shares, and when a scene was made."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fusion.assumed import AFTER_CAREER, BEFORE_CAREER, UNDER_AGE
from gateway.fusion.career import career_llrs
from gateway.fusion.moment import Moment, Spans, are_within, moment_of, were_there
from gateway.fusion.posterior import Posterior
from gateway.fusion.scene_time import dated, shares
from gateway.fusion.scene_years import scene_years

_TODAY = datetime.date(2024, 6, 15)
_ANY = moment_of(None, today=_TODAY)
_DAYS = st.none() | st.dates()


def _on(text: str) -> Moment:
    return moment_of(datetime.date.fromisoformat(text), today=_TODAY)


def _spans(*spans: tuple[datetime.date | None, datetime.date | None]) -> Spans:
    return Spans.of([first for first, _ in spans], [last for _, last in spans])


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def test_a_scene_without_a_date_was_made_in_any_year_until_today() -> None:
    """Each as likely; a known date leaves its year, even one that is out of range."""
    assert (_ANY.years[0], _ANY.years[-1], _ANY.prior.sum()) == (1980, 2024, pytest.approx(1))
    assert np.ptp(_ANY.prior) == 0
    assert _on("1971-01-01").years.tolist() == [1971]
    assert _on("1971-01-01").prior.tolist() == [1]


def test_a_known_day_is_compared_to_the_day() -> None:
    """Gone in March, a tattoo is missed on the second and not on the third; without a day by the year."""
    span = (_day("2018-05-05"), _day("2020-03-02"))
    assert [were_there(_on(day), _spans(span)).item() for day in ("2020-03-02", "2020-03-03")] == [1, 0]
    assert [
        are_within(_on(day), _spans(span)).item() for day in ("2018-05-04", "2018-05-05", "2020-03-03")
    ] == [
        0,
        1,
        0,
    ]
    [by_year] = were_there(_ANY, _spans(span))
    assert by_year[_ANY.years == 2020] == 1
    assert by_year[_ANY.years == 2021] == 0
    assert 0 < by_year[_ANY.years == 2017] < 1


@given(spans=st.lists(st.tuples(_DAYS, _DAYS), max_size=4), scene=_DAYS)
def test_no_dates_crash(
    spans: list[tuple[datetime.date | None, datetime.date | None]], scene: datetime.date | None
) -> None:
    """Probabilities, of several at a time what each has alone."""
    moment = moment_of(scene, today=_TODAY)
    possible = [one for one in spans if _spans(one).are_possible.all()]
    there, within = were_there(moment, _spans(*possible)), are_within(moment, _spans(*spans))
    assert there.shape == (len(possible), len(moment.years))
    assert ((there >= 0) & (there <= 1)).all()
    assert set(within.ravel().tolist()) <= {0.0, 1.0}
    for one, found in zip(possible, there, strict=True):
        assert found.tolist() == were_there(moment, _spans(one))[0].tolist()


def test_days_out_of_order_are_not_possible() -> None:
    """Removed before it was seen; the same day, or an open end, is."""
    early, late = _day("2010-01-01"), _day("2020-01-01")
    assert not _spans((late, early)).are_possible.any()
    assert _spans((early, late), (late, late), (late, None), (None, early)).are_possible.all()


@given(spans=st.lists(st.tuples(_DAYS, _DAYS), max_size=6), is_day=st.booleans())
def test_what_is_alike_is_kept_once(
    spans: list[tuple[datetime.date | None, datetime.date | None]], is_day: bool
) -> None:
    """Spans of the same days, or years, are one; whether they are possible stays."""
    given_ = _spans(*spans)
    kept, numbers = given_.distinct(is_day=is_day)
    moment = _on("2015-06-01") if is_day else _ANY
    assert len(kept) <= len(given_) == len(numbers)
    assert kept.are_possible[numbers].tolist() == given_.are_possible.tolist()
    assert are_within(moment, kept)[numbers].tolist() == are_within(moment, given_).tolist()


def test_a_career_counts_where_the_day_is_known() -> None:
    """At work it says nothing; beside it, a little against; before adulthood, very much; bounded."""
    said = {
        day: career_llrs(_on(f"{day}-01-01"), birth_year=1990, start=2012, end=2020)
        for day in (2007, 2008, 2012, 2020, 2021)
    }
    found = {year: float(one[0]) for year, one in said.items() if one is not None}
    assert found == {2007: UNDER_AGE, 2008: BEFORE_CAREER, 2012: 0, 2020: 0, 2021: AFTER_CAREER}
    assert pytest.approx(math.log(1 / 1000)) == UNDER_AGE


def test_a_career_alone_says_nothing_of_who_it_is() -> None:
    """Without a date it tells the likely years; a short career is no reason to doubt."""
    llrs = career_llrs(_ANY, birth_year=1990, start=2012, end=2014)
    assert llrs is not None
    found = dated(_ANY.prior, [llrs])
    assert found.llr == pytest.approx(0, abs=1e-12)
    assert set(_ANY.years[np.argsort(-found.years)[:3]].tolist()) == {2012, 2013, 2014}
    assert career_llrs(_ANY) is None


def test_several_careers_at_a_time() -> None:
    """Each as alone; who is unknown is neutral."""
    births, starts, ends = [1990, 0, 1985], [2012, 0, 0], [2014, 0, 2009]
    found = career_llrs(_ANY, birth_year=births, start=starts, end=ends)
    assert found is not None
    assert found[1] == pytest.approx(0)
    for number in (0, 2):
        alone = career_llrs(_ANY, birth_year=births[number], start=starts[number], end=ends[number])
        assert found[number] == pytest.approx(alone)
    assert career_llrs(_ANY, birth_year=[0, 0]) is None


def test_a_career_that_ends_before_it_begins_is_not_believed() -> None:
    """Neither end of it; the birth date still is."""
    llrs = career_llrs(_on("2015-01-01"), birth_year=1990, start=2020, end=2010)
    assert llrs is not None
    assert llrs.tolist() == [0]


_LLRS = st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), max_size=4)


@given(_LLRS)
def test_shares_sum_to_the_whole(llrs: list[list[float]]) -> None:
    """Whatever the years say, and in whatever order."""
    prior, arrays = np.full(4, 0.25), [np.array(one) for one in llrs]
    for order in (arrays, arrays[::-1]):
        found, whole = shares(prior, order)
        assert len(found) == len(order)
        assert math.fsum(found) == pytest.approx(dated(prior, order).llr, abs=1e-9)
        assert whole.years == pytest.approx(dated(prior, order).years)


def test_with_one_year_each_share_is_its_own_ratio() -> None:
    """Nothing is left to marginalise."""
    found, _ = shares(np.ones(1), [np.array([2.0]), np.array([-3.5])])
    assert list(found) == [2.0, -3.5]


def _peak(*years: int) -> np.typing.NDArray[np.float64]:
    masses = np.isin(_ANY.years, years).astype(float) + 1e-6
    return np.asarray(masses / masses.sum(), np.float64)


def test_people_who_are_known_date_a_scene() -> None:
    """Each leaves some years; who were there together leave what they have in common."""
    first, second = (Posterior({one: 0.99}, 0.01) for one in "ab")
    alone = scene_years(_ANY, [(first, {"a": _peak(2010, 2011)})])
    assert alone[2010] == pytest.approx(0.5, abs=0.01)
    assert sum(alone.values()) == pytest.approx(1)
    both = scene_years(_ANY, [(first, {"a": _peak(2010, 2011)}), (second, {"b": _peak(2011, 2012)})])
    assert both[2011] > 0.9
    assert min(both.values()) >= 1e-3


def test_who_is_unknown_tells_nothing_of_the_year() -> None:
    """Nor does a candidate whose years are those of before; nor is a known date told."""
    stranger, known = Posterior({"a": 1e-6}, 1 - 1e-6), Posterior({"a": 0.9}, 0.1)
    assert scene_years(_ANY, [(stranger, {"a": _peak(2010)})]) == {}
    assert scene_years(_ANY, [(known, {})]) == {}
    assert scene_years(_ANY, []) == {}
    assert scene_years(_on("2010-01-01"), [(known, {"a": np.ones(1)})]) == {}


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1980, 2024)), min_size=1, max_size=60))
def test_whoever_is_there_the_years_are_probabilities(people: list[tuple[float, int]]) -> None:
    """Also of a crowd that cannot have been there at one time."""
    found = scene_years(
        _ANY, [(Posterior({"a": p}, 1 - p), {"a": (_ANY.years == year).astype(float)}) for p, year in people]
    )
    assert all(0 <= one <= 1 for one in found.values())
    assert not found or sum(found.values()) == pytest.approx(1)
