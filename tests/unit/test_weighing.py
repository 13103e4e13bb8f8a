"""One candidate weighed: what counts, what is neutral, and that the terms sum to the odds, whatever comes."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.association import PersonInstance
from gateway.bayesian import Belief, believe, rank_bayesian
from gateway.catalogue.breast_history import BreastRecord
from gateway.catalogue.names import Past
from gateway.circumstances import Circumstances
from gateway.fusion.absence import enrolled_or_not
from gateway.fusion.assumed import MISSED, UNDER_AGE
from gateway.fusion.exclusive import exclusive
from gateway.fusion.moment import moment_of
from gateway.fusion.scene_years import scene_years
from gateway.known_tattoos import KnownRegion, KnownTattoo, TattooFacts, TattooMatch
from gateway.observations import Signal
from gateway.people import PersonView
from gateway.ranked import Contribution
from gateway.signals import SignalScore, Trust
from gateway.weighing import Weighed, weigh
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import identification_pb2 as pb
from tests.fakes.scenes import body_at, candidates, face_at, tattoo_at

_TODAY = datetime.date(2024, 6, 15)
_ARM = common_pb2.BODY_REGION_LEFT_FOREARM
_BELIEF = Belief(gallery_size=1000, unknown=0.3, identified=0.9)


def _view(*tattoos: common_pb2.BodyRegion.ValueType) -> PersonView:
    """Face and body, with tattoos in these regions; the best template comes last."""
    seen = tuple(tattoo_at(300, 250, name=f"t{n}") for n, _ in enumerate(tattoos))
    for n, one in enumerate(seen):
        one.template.quality = 0.5 + n / 100
    person = PersonInstance(face_at(300, 100, found=candidates(a=0.9, b=0.8)), body_at(300, 100), seen)
    return PersonView(person, tattoos, (), 0.1)


def _around(day: str = "", **fields: object) -> Circumstances:
    scene = datetime.date.fromisoformat(day) if day else None
    return Circumstances(moment_of(scene, today=_TODAY), is_searched=True, **fields)  # type: ignore[arg-type]  # as given


@dataclass(frozen=True, eq=False)
class _One:
    """One candidate, weighed."""

    contributions: tuple[Contribution, ...]
    log_odds: float
    years: NDArray[np.float64] | None


def _weigh(
    view: PersonView,
    circumstances: Circumstances,
    scores: Mapping[Signal, Mapping[str, SignalScore]] | None = None,
) -> _One:
    return _of("a", weigh(["a"], view, before=(), scores=scores or {}, circumstances=circumstances))


def _of(candidate: str, weighed: Weighed) -> _One:
    return _One(weighed.contributions(candidate), weighed.log_odds[candidate], weighed.years.get(candidate))


def _ratios(weighed: _One) -> dict[str, float]:
    def name(kind: pb.ContributionKind.ValueType) -> str:
        return pb.ContributionKind.Name(kind).removeprefix("CONTRIBUTION_KIND_")

    return {name(one.kind): one.log_ratio for one in weighed.contributions}


def _facts(*tattoos: KnownTattoo, regions: tuple[KnownRegion, ...] = ()) -> dict[str, TattooFacts]:
    return {"a": TattooFacts(tattoos, regions)}


def _unlike(weight: float = 1.0) -> dict[Signal, dict[str, SignalScore]]:
    """What is seen is not the tattoo that is known."""
    score = SignalScore(0.1, 0.0, -2.0, matches=(TattooMatch("t", 0.1, -2.0),), trust=Trust(True, weight))
    return {Signal.TATTOO: {"a": score}}


def test_nothing_known_is_neutral() -> None:
    """No score, no metadata, no tattoos: odds of 1 : 1, and the years of before."""
    weighed = _weigh(_view(), _around())
    assert (weighed.contributions, weighed.log_odds, weighed.years) == ((), 0.0, None)


def test_terms_that_hang_on_the_year_are_counted_together() -> None:
    """A tattoo from 2018, and a body that was natural until 2012: no year fits both, and both say so."""
    facts = _facts(KnownTattoo("t", _ARM, datetime.date(2018, 1, 1)))
    history = (
        BreastRecord(natural_probability=1.0, effective_until=datetime.date(2012, 12, 31)),
        BreastRecord(natural_probability=0.0, effective_from=datetime.date(2013, 1, 1)),
    )
    scores = {Signal.TATTOO: {"a": SignalScore(0.9, 0.9, 6.0, matches=(TattooMatch("t", 0.9, 6.0),))}}
    tattoo = _weigh(_view(_ARM), _around(facts=facts), scores)
    natural = _weigh(_view(), _around(natural=1.0, pasts={"a": Past(breast_history=history)}))
    both = _weigh(
        _view(_ARM), _around(facts=facts, natural=1.0, pasts={"a": Past(breast_history=history)}), scores
    )
    assert _ratios(natural)["APPEARANCE"] > 0
    assert both.log_odds < tattoo.log_odds
    assert _ratios(both)["TATTOO"] == pytest.approx(_ratios(tattoo)["TATTOO"])
    assert _ratios(both)["APPEARANCE"] == pytest.approx(both.log_odds - tattoo.log_odds)
    assert tattoo.years is not None
    assert tattoo.years[-1] > 0.1


def test_a_score_without_matches_counts_as_it_is() -> None:
    """Of a service that does not tell them: the time of the tattoo is not known."""
    scores = {Signal.TATTOO: {"a": SignalScore(0.9, 0.9, 5.0)}}
    weighed = _weigh(_view(_ARM), _around("2020-01-01"), scores)
    assert _ratios(weighed) == {"TATTOO": pytest.approx(enrolled_or_not(0.9 * 5.0))}
    assert weighed.contributions[0].summary == "1 tattoo, left forearm: speaks for, 28 : 1"


def test_matches_belong_to_the_templates_best_first() -> None:
    """The tattoo that is alike is the one on the chest, so only the other one is where nothing should be."""
    chest = common_pb2.BODY_REGION_CHEST
    clear = KnownRegion(_ARM, False, "stashdb.org"), KnownRegion(chest, False, "stashdb.org")
    matches = (TattooMatch("t", 0.9, 3.0), TattooMatch("t", 0.1, -3.0))
    scores = {Signal.TATTOO: {"a": SignalScore(0.9, 0.9, 3.0, matches=matches)}}
    weighed = _weigh(_view(_ARM, chest), _around("2020-01-01", facts=_facts(regions=clear)), scores)
    assert "left forearm said to be clear" in weighed.contributions[0].summary


def test_nothing_is_missing_where_what_is_seen_was_not_compared() -> None:
    """Score failed: the tattoo that is seen may be the one."""
    view, around = _view(common_pb2.BODY_REGION_CHEST), _around(facts=_facts(KnownTattoo("t", _ARM)))
    assert _weigh(view, around).contributions == ()
    assert _weigh(view, around, {Signal.TATTOO: {}}).contributions == ()
    assert set(_ratios(_weigh(view, around, _unlike()))) == {"TATTOO_ABSENT", "TATTOO"}
    assert set(_ratios(_weigh(_view(), around))) == {"TATTOO_ABSENT"}


@pytest.mark.parametrize("is_seen", [False, True])
def test_a_signal_that_was_shown_to_hurt_says_nothing_of_tattoos(is_seen: bool) -> None:
    """Neither of those that are seen, nor of those that are missing, nor of clear skin."""
    chest = common_pb2.BODY_REGION_CHEST
    words = (KnownRegion(chest, False, "stashdb.org"),)
    view = _view(chest) if is_seen else _view()

    def kinds(weight: float) -> set[str]:
        facts = {"a": TattooFacts((KnownTattoo("t", _ARM),), words, weight)}
        scores = _unlike(weight) if is_seen else {}
        return set(_ratios(_weigh(view, _around(facts=facts), scores)))

    assert kinds(1.0) == ({"TATTOO", "TATTOO_ABSENT"} if is_seen else {"TATTOO_ABSENT"})
    assert kinds(0.0) == kinds(math.nan) == set()


def test_facts_of_a_score_do_where_nothing_else_tells() -> None:
    """The lookup was too late; what Score tells is as good."""
    facts = TattooFacts((KnownTattoo("t", _ARM),))
    scores = {
        Signal.TATTOO: {"a": SignalScore(0.1, 0.0, None, facts=facts, matches=(TattooMatch("t", 0.1, 0.0),))}
    }
    weighed = _weigh(_view(common_pb2.BODY_REGION_CHEST), _around(), scores)
    assert _ratios(weighed) == {"TATTOO_ABSENT": pytest.approx(math.log(1 - 0.9 * (1 - MISSED)))}


@pytest.mark.parametrize(
    ("day", "ratio", "words"),
    [
        ("2005-01-01", UNDER_AGE, "2005, under 18: speaks against, 1 : 1,000"),
        ("2010-01-01", math.log(0.1), "2010, before the career: speaks against, 1 : 10"),
        ("2022-01-01", math.log(1 / 3), "2022, after the career: speaks against, 1 : 3.0"),
    ],
)
def test_a_date_beside_the_career_speaks_against(day: str, ratio: float, words: str) -> None:
    """In words, too."""
    past = Past(datetime.date(1990, 5, 5), 2012, 2020)
    [career] = _weigh(_view(), _around(day, pasts={"a": past})).contributions
    assert career.log_ratio == pytest.approx(ratio)
    assert career.summary == words


def test_statements_without_a_probability_say_nothing() -> None:
    """A cup size alone is no evidence."""
    past = Past(breast_history=(BreastRecord(size_category="C"),))
    assert _weigh(_view(), _around(natural=0.9, pasts={"a": past})).contributions == ()


_DAYS = st.none() | st.dates()
_REGION = st.sampled_from([_ARM, common_pb2.BODY_REGION_CHEST, common_pb2.BODY_REGION_UNKNOWN])
_TATTOOS = st.builds(KnownTattoo, st.sampled_from("st"), _REGION, _DAYS, _DAYS)
_WORDS = st.builds(KnownRegion, _REGION, st.booleans(), st.just("stashdb.org"), _DAYS, _DAYS)
_FACTS = st.builds(
    TattooFacts, st.lists(_TATTOOS, max_size=3).map(tuple), st.lists(_WORDS, max_size=3).map(tuple)
)
_PASTS = st.builds(
    Past,
    _DAYS,
    st.sampled_from([0, 1900, 2010, 2025]),
    st.sampled_from([0, 1950, 2012, 2025]),
    st.lists(
        st.builds(
            BreastRecord,
            natural_probability=st.none() | st.floats(0, 1),
            effective_from=_DAYS,
            effective_until=_DAYS,
        ),
        max_size=2,
    ).map(tuple),
)
_SCORES = st.builds(
    SignalScore,
    st.floats(-1, 1),
    st.floats(0, 1),
    st.none() | st.floats(),
    trust=st.builds(Trust, st.booleans(), st.floats()),
    full_views=st.integers(0, 5),
    facts=_FACTS,
    matches=st.lists(
        st.builds(TattooMatch, st.sampled_from(["s", "t", ""]), st.floats(-1, 1), st.none() | st.floats()),
        max_size=2,
    ).map(tuple),
)
_OF_EACH = st.dictionaries(st.sampled_from("ab"), _SCORES)


@given(
    scores=st.dictionaries(st.sampled_from(list(Signal)), _OF_EACH),
    pasts=st.dictionaries(st.sampled_from("ab"), _PASTS),
    facts=st.dictionaries(st.sampled_from("ab"), _FACTS),
    regions=st.lists(_REGION, max_size=2).map(tuple),
    scene=_DAYS,
    natural=st.none() | st.floats(0, 1),
    known=st.sets(st.sampled_from("ab")),
    hints=st.dictionaries(st.sampled_from("abz"), st.floats(1e-3, 1e3)),
)
def test_whatever_comes_probabilities_are_such_and_terms_sum_to_their_odds(
    scores: dict[Signal, dict[str, SignalScore]],
    pasts: dict[str, Past],
    facts: dict[str, TattooFacts],
    regions: tuple[common_pb2.BodyRegion.ValueType, ...],
    scene: datetime.date | None,
    natural: float | None,
    known: set[str],
    hints: dict[str, float],
) -> None:
    """Dates that contradict each other, NaN, infinities, nobody to choose from, signals that are missing."""
    view = _view(*regions)
    around = Circumstances(moment_of(scene, today=_TODAY), pasts, facts, natural, True)
    believed = believe(view, scores=scores, known=known, hints=hints, belief=_BELIEF, circumstances=around)
    for together in exclusive([believed.posterior, believed.posterior]):
        person = rank_bayesian(view, believed, together, scores=scores, belief=_BELIEF, limit=10)
        values = [*(one.probability or 0.0 for one in person.candidates), person.unknown or 0.0]
        assert all(0 <= value <= 1 for value in values)
        assert math.fsum(values) == pytest.approx(1)
        for one in person.candidates:
            odds = math.log(one.probability or 1e-300) - math.log(person.unknown or 1e-300)
            assert math.fsum(each.log_ratio for each in one.contributions) == pytest.approx(odds, abs=1e-7)
            assert all(each.summary for each in one.contributions)
    assert all(np.isfinite(years).all() for years in believed.years.values())
    told = scene_years(around.moment, [(believed.posterior, believed.years)] * 2)
    assert not told or math.fsum(told.values()) == pytest.approx(1)


_OF_MANY = st.sampled_from("abcde")


@given(
    scores=st.dictionaries(st.sampled_from(list(Signal)), st.dictionaries(_OF_MANY, _SCORES)),
    pasts=st.dictionaries(_OF_MANY, _PASTS),
    facts=st.dictionaries(_OF_MANY, _FACTS),
    regions=st.lists(_REGION, max_size=2).map(tuple),
    scene=_DAYS,
    natural=st.none() | st.floats(0, 1),
)
def test_whoever_else_is_weighed_changes_nothing_of_a_candidate(
    scores: dict[Signal, dict[str, SignalScore]],
    pasts: dict[str, Past],
    facts: dict[str, TattooFacts],
    regions: tuple[common_pb2.BodyRegion.ValueType, ...],
    scene: datetime.date | None,
    natural: float | None,
) -> None:
    """All at a time give what each alone gives, in numbers, words and years."""
    view, around = _view(*regions), Circumstances(moment_of(scene, today=_TODAY), pasts, facts, natural, True)
    together = weigh("abcde", view, before=(), scores=scores, circumstances=around)
    for name in "abcde":
        alone = _of(name, weigh([name], view, before=(), scores=scores, circumstances=around))
        found = _of(name, together)
        assert [one.kind for one in found.contributions] == [one.kind for one in alone.contributions]
        assert [one.summary for one in found.contributions] == [one.summary for one in alone.contributions]
        assert _ratios(found) == pytest.approx(_ratios(alone), abs=1e-9)
        assert found.log_odds == pytest.approx(alone.log_odds, abs=1e-9)
        assert found.years == pytest.approx(alone.years)
