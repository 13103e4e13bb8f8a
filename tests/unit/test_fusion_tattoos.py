"""Tattoos that are seen, and those that are not: what speaks for and against, and what is neutral."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fusion.absence import absence_llrs, enrolled_or_not
from gateway.fusion.assumed import CLEAR, LEAST_ABSENT, MISSED
from gateway.fusion.inventory import Inventory
from gateway.fusion.moment import Moment, moment_of
from gateway.fusion.scene_time import dated
from gateway.fusion.tattoos import Located, SeenTattoos, absent_llrs, clear_llrs, present_llrs, together
from gateway.fusion.wearers import Wearers
from gateway.known_tattoos import KnownRegion, KnownTattoo, TattooFacts, TattooMatch
from marquee.common.v1.common_pb2 import (
    BODY_REGION_CHEST,
    BODY_REGION_LEFT_FOREARM,
    BODY_REGION_LEFT_UPPER_ARM,
    BODY_REGION_OTHER,
    BODY_REGION_UNKNOWN,
    BodyRegion,
)

_TODAY = datetime.date(2024, 6, 15)
_ARM, _CHEST, _UPPER = BODY_REGION_LEFT_FOREARM, BODY_REGION_CHEST, BODY_REGION_LEFT_UPPER_ARM
_ABSENT = float(absence_llrs(has_it=np.ones(1), in_view=0.9, missed=MISSED)[0])


@dataclass(frozen=True)
class _Wearer:
    """One candidate."""

    facts: TattooFacts
    matches: tuple[TattooMatch, ...] = ()
    llr: float | None = None
    factor: float = 1.0
    weight: float = 1.0


def _wearers(moment: Moment, *wearers: _Wearer) -> Wearers:
    return Wearers.of(
        Inventory.of([one.facts for one in wearers], moment),
        range(len(wearers)),
        matches=[one.matches for one in wearers],
        llrs=[one.llr for one in wearers],
        factors=[one.factor for one in wearers],
        weights=[one.weight for one in wearers],
    )


def _regions(found: Located, count: int) -> list[list[BodyRegion.ValueType]]:
    """Of each wearer."""
    return [found.regions_of(number) for number in range(count)]


def _on(text: str) -> Moment:
    return moment_of(_day(text), today=_TODAY)


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


_NOW, _ANY_TIME = _on("2024-01-01"), _on("")


def _tattoo(
    name: str = "t", region: BodyRegion.ValueType = _ARM, first: str = "", removed: str = ""
) -> KnownTattoo:
    return KnownTattoo(name, region, _day(first), _day(removed))


def _words(
    region: BodyRegion.ValueType = _ARM,
    *,
    tattooed: bool = True,
    source: str = "stashdb.org",
    since: str = "",
    until: str = "",
) -> KnownRegion:
    return KnownRegion(region, tattooed, source, _day(since), _day(until))


def _seen(
    *regions: BodyRegion.ValueType,
    in_view: Mapping[BodyRegion.ValueType, float] | None = None,
    is_searched: bool = True,
) -> SeenTattoos:
    return SeenTattoos(regions, in_view if in_view is not None else {_ARM: 0.9, _CHEST: 0.9}, is_searched)


def _absent(
    facts: TattooFacts, seen: SeenTattoos, *matches: TattooMatch, moment: Moment = _NOW
) -> list[float] | None:
    return _llrs(absent_llrs(seen, _wearers(moment, _Wearer(facts, matches)), moment))


def _clear(
    facts: TattooFacts, seen: SeenTattoos, *matches: TattooMatch, moment: Moment = _NOW
) -> list[float] | None:
    return _llrs(clear_llrs(seen, _wearers(moment, _Wearer(facts, matches)), moment))


def _llrs(found: Located | None) -> list[float] | None:
    return None if found is None else found.llrs[0].tolist()


def _present(
    facts: TattooFacts,
    *matches: TattooMatch,
    factor: float = 1.0,
    moment: Moment = _NOW,
    seen: BodyRegion.ValueType = _ARM,
) -> list[float] | None:
    found = present_llrs(_seen(seen), _wearers(moment, _Wearer(facts, matches, factor=factor)), moment)
    return None if found is None else found[0].tolist()


def _undated(facts: TattooFacts, llr: float, seen: BodyRegion.ValueType = _ARM) -> float:
    """What a match with tattoo t counts in a scene of any year."""
    found = present_llrs(
        _seen(seen), _wearers(_ANY_TIME, _Wearer(facts, (TattooMatch("t", 0.9, llr),))), _ANY_TIME
    )
    assert found is not None
    return float(dated(_ANY_TIME.prior, [found]).llr[0])


def test_a_tattoo_that_is_not_where_it_should_be_speaks_against() -> None:
    """As far as the region is in view, and as the detector would find it."""
    found = absent_llrs(
        _seen(), _wearers(_NOW, _Wearer(TattooFacts()), _Wearer(TattooFacts((_tattoo(),)))), _NOW
    )
    assert found is not None
    assert found.llrs.tolist() == [[0.0], pytest.approx([_ABSENT])]
    assert _regions(found, 2) == [[], [_ARM]]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (_seen(is_searched=False), "nothing looked"),
        (_seen(in_view={_CHEST: 0.9}), "the arm is not in view"),
        (_seen(_ARM), "something is on the arm"),
        (_seen(BODY_REGION_UNKNOWN), "a tattoo may be anywhere"),
        (_seen(_CHEST, BODY_REGION_OTHER), "a tattoo may be anywhere"),
    ],
)
def test_what_may_be_there_speaks_against_nobody(seen: SeenTattoos, why: str) -> None:
    """Neutral where it cannot be told."""
    assert _absent(TattooFacts((_tattoo(),)), seen) is None, why


def test_without_data_nothing_follows() -> None:
    """NO_DATA, a tattoo in no known place, and a region that is said to be clear."""
    assert _absent(TattooFacts(), _seen()) is None
    assert _absent(TattooFacts((_tattoo(region=BODY_REGION_UNKNOWN),)), _seen()) is None
    assert _absent(TattooFacts((), (_words(tattooed=False),)), _seen()) is None


def test_a_region_counts_once() -> None:
    """However many tattoos, views and sources tell of it; another region counts as well."""
    several = TattooFacts((_tattoo("s"), _tattoo("t")), (_words(), _words(source="fansdb.cc")))
    assert _absent(several, _seen()) == pytest.approx([_ABSENT])
    two = TattooFacts((_tattoo(),), (_words(_CHEST),))
    assert _absent(two, _seen()) == pytest.approx([2 * _ABSENT])


def test_what_sources_say_counts_without_a_picture() -> None:
    """From `since` to `until`; what was observed is told by the tattoos themselves."""
    facts = TattooFacts((), (_words(since="2015-01-01", until="2020-12-31"),))
    assert _absent(facts, _seen(), moment=_on("2018-01-01")) == pytest.approx([_ABSENT])
    assert _absent(facts, _seen(), moment=_on("2022-01-01")) is None
    assert _absent(TattooFacts((), (_words(source="observed"),)), _seen()) is None


def test_sources_that_contradict_each_other_are_neutral() -> None:
    """Of words; a picture is believed."""
    words = (_words(), _words(tattooed=False, source="fansdb.cc"))
    assert _absent(TattooFacts((), words), _seen()) is None
    assert _absent(TattooFacts((_tattoo(),), words), _seen()) == pytest.approx([_ABSENT])


def test_a_known_tattoo_that_was_matched_is_seen() -> None:
    """Wherever it seems to be in this picture; one that is only unlike is still missing."""
    facts = TattooFacts((_tattoo("t"),))
    assert _absent(facts, _seen(_UPPER), TattooMatch("t", 0.9, 4.0)) is None
    assert _absent(facts, _seen(_UPPER), TattooMatch("t", 0.1, -4.0)) == pytest.approx([_ABSENT])


@pytest.mark.parametrize("llr", [None, math.nan])
def test_a_match_of_which_nothing_tells_may_be_the_tattoo(llr: float | None) -> None:
    """Without a calibration: neither missing, nor where the candidate has none."""
    facts = TattooFacts((_tattoo("t"),), (_words(_UPPER, tattooed=False),))
    match = TattooMatch("t", 0.9, llr)
    assert _absent(facts, _seen(_UPPER), match) is None
    assert _clear(facts, _seen(_UPPER), match) is None


def test_what_was_not_compared_may_be_any_tattoo() -> None:
    """A tattoo is seen, and nobody has compared it with the candidate's, or nobody could."""
    facts = TattooFacts((_tattoo("t"),))
    assert _absent(facts, _seen(_UPPER)) is None
    assert _absent(facts, _seen(_UPPER), TattooMatch("", 0.0), TattooMatch("", 0.0)) is None
    unlike = TattooMatch("t", 0.1, -4.0)
    assert _absent(facts, _seen(_UPPER), TattooMatch("", 0.0), unlike) == pytest.approx([_ABSENT])
    compared = _Wearer(facts, (unlike,))
    found = absent_llrs(_seen(_UPPER), _wearers(_NOW, _Wearer(facts), compared), _NOW)
    assert found is not None
    assert _regions(found, 2) == [[], [_ARM]]


def test_what_is_missing_or_said_to_be_clear_counts_as_the_signal_weighs() -> None:
    """Nothing, where tattoos were shown to hurt."""
    there, bare = TattooFacts((_tattoo(),)), TattooFacts((), (_words(tattooed=False),))
    absent = absent_llrs(
        _seen(), _wearers(_NOW, *(_Wearer(there, weight=one) for one in (0.0, 0.5, 1.0))), _NOW
    )
    clear = clear_llrs(
        _seen(_ARM), _wearers(_NOW, *(_Wearer(bare, weight=one) for one in (0.0, 0.5, 1.0))), _NOW
    )
    for found, full in ((absent, _ABSENT), (clear, CLEAR)):
        assert found is not None
        assert found.llrs[:, 0] == pytest.approx([0, full / 2, full])
        assert _regions(found, 3) == [[], [_ARM], [_ARM]]
    assert absent_llrs(_seen(), _wearers(_NOW, _Wearer(there, weight=0.0)), _NOW) is None
    assert clear_llrs(_seen(_ARM), _wearers(_NOW, _Wearer(bare, weight=0.0)), _NOW) is None


def test_a_tattoo_out_of_date_is_not_missed() -> None:
    """Removed before, or first seen long after; first seen soon after it may have been there."""
    gone = TattooFacts((_tattoo(removed="2020-01-01"),))
    assert _absent(gone, _seen(), moment=_on("2020-01-01")) is None
    assert _absent(gone, _seen(), moment=_on("2019-12-31")) == pytest.approx([_ABSENT])
    young = TattooFacts((_tattoo(first="2020-05-05"),))
    [early], [late] = (
        _absent(young, _seen(), moment=_on(day)) or [0.0] for day in ("2000-01-01", "2019-01-01")
    )
    assert _ABSENT < late < early < 0
    assert early > -1e-3


def test_dates_that_contradict_each_other_are_neutral() -> None:
    """Removed before it was first seen: nothing is missing, and a match counts as if undated."""
    facts = TattooFacts((_tattoo("t", first="2020-01-01", removed="2010-01-01"),))
    assert _absent(facts, _seen()) is None
    assert _present(facts, TattooMatch("t", 0.9, 4.0)) == [4.0]
    assert _clear(TattooFacts(facts.tattoos, (_words(tattooed=False),)), _seen(_ARM)) is None


def test_all_absent_tattoos_together_are_bounded() -> None:
    """Clothes hide all of them at once."""
    everywhere = {region: 1.0 for region in BodyRegion.values() if region}
    tattoos = tuple(_tattoo(str(region), region) for region in everywhere)
    assert _absent(TattooFacts(tattoos), _seen(in_view=everywhere)) == [LEAST_ABSENT]


def test_a_tattoo_that_is_seen_counts_as_far_as_it_was_there() -> None:
    """In full, and against the candidate once it is gone."""
    facts = TattooFacts((_tattoo("t", removed="2020-01-01"),))
    match = TattooMatch("t", 0.9, 5.0)
    for day, expected in (("2019-06-01", 0.8 * 5.0), ("2021-06-01", math.log(0.1))):
        assert _present(facts, match, factor=0.8, moment=_on(day)) == pytest.approx([expected])


_LONG_GONE = TattooFacts((_tattoo(removed="2015-01-01"),))
_NOT_YET = TattooFacts((_tattoo(first="2024-01-01"),))


@pytest.mark.parametrize(
    ("facts", "day"), [(_LONG_GONE, "2020-05-06"), (_NOT_YET, "1990-05-06")], ids=["removed", "not yet there"]
)
def test_a_tattoo_that_was_not_there_speaks_against_where_one_in_its_place_is_alike(
    facts: TattooFacts, day: str
) -> None:
    """Of an unrelated one, and of one in another place or in none, nothing follows."""
    alike, unrelated = TattooMatch("t", 0.9, 5.0), TattooMatch("t", 0.1, -0.2)
    assert _present(facts, alike, moment=_on(day)) == pytest.approx([math.log(0.1)], abs=0.02)
    assert _present(facts, unrelated, moment=_on(day)) == pytest.approx([0], abs=1e-3)
    nowhere = TattooFacts((_tattoo(region=BODY_REGION_OTHER, removed="2015-01-01"),))
    assert _present(facts, alike, moment=_on(day), seen=_CHEST) >= [0.0]  # type: ignore[operator]  # never None
    assert _present(nowhere, alike, moment=_on("2020-05-06"), seen=BODY_REGION_OTHER) == [0.0]


@pytest.mark.parametrize("facts", [_LONG_GONE, _NOT_YET, TattooFacts((_tattoo(),))])
@pytest.mark.parametrize("place", [_ARM, _CHEST, BODY_REGION_UNKNOWN])
def test_without_a_date_the_dates_of_a_tattoo_are_no_reason_to_doubt(
    facts: TattooFacts, place: BodyRegion.ValueType
) -> None:
    """A match that says nothing counts nothing, one that speaks for speaks for, and more alike is more."""
    found = [_undated(facts, llr, place) for llr in (-4.0, -0.2, 0.0, 0.2, 2.0, 8.0)]
    assert found == sorted(found)
    assert found[2] == pytest.approx(0, abs=1e-9)
    assert found[0] < found[1] < 0 < found[3] < found[4] < found[5] <= 8
    assert found[4] > 0.1


@given(st.floats(-20, 20), st.floats(-20, 20), st.sampled_from([_ARM, _CHEST]))
def test_without_a_date_what_is_more_alike_never_counts_less(
    one: float, other: float, place: BodyRegion.ValueType
) -> None:
    """And never more than it says, nor against by what it does not say."""
    less, more = (_undated(_NOT_YET, llr, place) for llr in sorted((one, other)))
    assert less <= more + 1e-9
    assert min(one, 0) - 1e-9 <= _undated(_NOT_YET, one, place) <= max(one, 0) + 1e-9


def test_a_match_dates_a_scene() -> None:
    """As far as it is alike."""
    match = TattooMatch("t", 0.9, 6.0)
    found = present_llrs(_seen(_ARM), _wearers(_ANY_TIME, _Wearer(_NOT_YET, (match,))), _ANY_TIME)
    assert found is not None
    years = dated(_ANY_TIME.prior, [found]).years[0]
    assert years[-1] == years.max() > 0.2
    assert years[:20].sum() < 0.01


def test_of_several_tattoos_the_best_one_counts_and_half_of_the_others() -> None:
    """In every year: they are blurred, or not, together."""
    rows = np.array([[1.0, 3.0], [2.0, -5.0], [-1.0, -2.0]])
    assert together(rows, [0, 0, 2], 3).tolist() == [[2.5, 0.5], [0.0, 0.0], [-1.0, -2.0]]


@pytest.mark.parametrize("llr", [None, math.nan, math.inf, -math.inf])
def test_a_match_without_a_ratio_is_neutral(llr: float | None) -> None:
    """Not calibrated, or not a number."""
    assert _present(TattooFacts(), TattooMatch("t", 0.9, llr)) is None


def test_a_tattoo_where_the_candidate_has_none_speaks_against() -> None:
    """At the time that the source tells of, once however many, and not where it is the candidate's."""
    facts = TattooFacts((), (_words(tattooed=False, since="2015-01-01", until="2020-12-31"),))
    then = _on("2018-01-01")
    found = clear_llrs(_seen(_ARM, _ARM), _wearers(then, _Wearer(facts)), then)
    assert found is not None
    assert found.llrs.tolist() == [[CLEAR]]
    assert _regions(found, 1) == [[_ARM]]
    assert _clear(facts, _seen(_ARM), moment=_on("2022-01-01")) is None
    assert _clear(facts, _seen(_CHEST), moment=then) is None
    assert _clear(facts, _seen(_ARM), TattooMatch("t", 0.9, 3.0), moment=then) is None
    assert _clear(TattooFacts((_tattoo(),), facts.regions), _seen(_ARM), moment=then) is None


_DAYS = st.none() | st.dates()
_REGIONS = st.sampled_from([_ARM, _CHEST, _UPPER, BODY_REGION_UNKNOWN])
_FACTS = st.builds(
    TattooFacts,
    st.lists(st.builds(KnownTattoo, st.sampled_from("st"), _REGIONS, _DAYS, _DAYS), max_size=4).map(tuple),
    st.lists(
        st.builds(KnownRegion, _REGIONS, st.booleans(), st.just("stashdb.org"), _DAYS, _DAYS), max_size=4
    ).map(tuple),
)
_MATCHES = st.lists(
    st.builds(
        TattooMatch, st.sampled_from(["s", "t", "", "gone"]), st.floats(-1, 1), st.none() | st.floats()
    ),
    max_size=3,
).map(tuple)


@given(_FACTS, _MATCHES, st.lists(_REGIONS, max_size=3), _DAYS)
def test_whatever_is_known_the_ratios_are_finite_and_bounded(
    facts: TattooFacts,
    matches: tuple[TattooMatch, ...],
    regions: list[BodyRegion.ValueType],
    scene: datetime.date | None,
) -> None:
    """Absence and clear skin never speak for anybody; nothing crashes."""
    moment = moment_of(scene, today=_TODAY)
    seen = _seen(*regions, in_view={_ARM: 1.0, _CHEST: 0.5, _UPPER: 0.7})
    wearers = _wearers(moment, _Wearer(facts, matches, factor=0.8), _Wearer(TattooFacts()))
    present = present_llrs(seen, wearers, moment)
    assert present is None or np.isfinite(present).all()
    for found, least in (
        (absent_llrs(seen, wearers, moment), LEAST_ABSENT),
        (clear_llrs(seen, wearers, moment), CLEAR),
    ):
        if found is not None:
            assert ((found.llrs >= least) & (found.llrs <= 0)).all()
            assert found.llrs.shape == (2, len(moment.years))
            assert [bool(one) for one in _regions(found, 2)] == [True, False]


def test_a_tattoo_that_is_unlike_may_be_new() -> None:
    """It says next to nothing, but where the candidate is known to have another one in that very place."""
    facts = TattooFacts((_tattoo(),))
    unlike = TattooMatch("t", 0.0, -4.0)
    assert _present(facts, unlike) == [-4.0]
    [elsewhere] = _present(facts, unlike, seen=_CHEST) or [math.nan]
    assert math.log(0.7) < elsewhere < -0.3


@given(st.floats(-40, 40), st.floats(-40, 40))
def test_more_alike_never_says_less_of_one_that_may_be_new(one: float, other: float) -> None:
    """Never more for, or against, than if it were certain to be enrolled; nothing stays nothing."""
    low, high = sorted((one, other))
    assert enrolled_or_not(low) <= enrolled_or_not(high)
    assert min(one, 0) - 1e-9 <= enrolled_or_not(one) <= max(one, 0) + 1e-9
    assert enrolled_or_not(0.0) == pytest.approx(0)
