"""Drawn pictures for timing what fusion costs: everybody is proposed, and much or little is known of them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from chassis.geometry import Box, Point
from gateway.association import PersonInstance
from gateway.bayesian import Belief
from gateway.catalogue.breast_history import BreastRecord
from gateway.catalogue.names import NamedPerformer, Past
from gateway.circumstances import Circumstances
from gateway.fan_out import Branch
from gateway.fusing import Compared
from gateway.fusion.moment import moment_of
from gateway.known_tattoos import KnownRegion, KnownTattoo, TattooFacts, TattooMatch
from gateway.observations import BodySeen, Candidate, FaceSeen, Observed, RegionView, Signal, TattooSeen
from gateway.observing import Look, Looks
from gateway.people import PersonView, Scene
from gateway.regions import regions_in_view
from gateway.signals import Scores, SignalScore, Trust
from marquee.common.v1 import common_pb2
from marquee.common.v1.common_pb2 import BodyRegion

__all__ = ["BELIEF", "TODAY", "Picture", "draw_picture"]

TODAY = datetime.date(2026, 11, 1)
BELIEF = Belief(gallery_size=100_000, unknown=0.3, identified=0.9)
_FIRST_BIRTH, _CAREERS, _TATTOOS = 1960, 2000, 3
_SEEN = common_pb2.BODY_REGION_CHEST
_IN_VIEW: tuple[BodyRegion.ValueType, ...] = (
    common_pb2.BODY_REGION_CHEST,
    common_pb2.BODY_REGION_ABDOMEN,
    common_pb2.BODY_REGION_LEFT_UPPER_ARM,
    common_pb2.BODY_REGION_RIGHT_UPPER_ARM,
    common_pb2.BODY_REGION_LEFT_FOREARM,
    common_pb2.BODY_REGION_RIGHT_FOREARM,
    common_pb2.BODY_REGION_LEFT_THIGH,
    common_pb2.BODY_REGION_RIGHT_THIGH,
)
_BOX = Box(0, 0, 100, 100)
_OUTLINE = (Point(0, 0), Point(100, 0), Point(100, 100))


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What both policies fuse."""

    scene: Scene
    looks: Looks
    compared: Compared
    circumstances: Circumstances


def draw_picture(rng: np.random.Generator, *, people: int, candidates: int, is_all_known: bool) -> Picture:
    """A picture without a date, in which each person may be any of the candidates by face and by body.

    is_all_known: each person has a tattoo, each candidate three with dates, statements on three regions, a
    career and a history, and the appearance of one person is stated. Else each has a career, and no more.
    """
    ids = [f"{rng.bytes(16).hex()}" for _ in range(candidates)]
    views = tuple(_view(rng, ids, has_tattoo=is_all_known) for _ in range(people))
    facts = {one: _facts(rng) for one in ids} if is_all_known else {}
    pasts = {one: _past(rng, has_history=is_all_known) for one in ids}
    scoring: dict[Signal, Branch[Scores]] = {
        signal: Branch(
            signal,
            {str(n): {one: _score(rng, signal, facts.get(one)) for one in ids} for n in range(people)},
            None,
            1.0,
        )
        for signal in Signal
        if signal is not Signal.TATTOO or is_all_known
    }
    # Of several people it would not be clear of whom it is said.
    stated = 0.9 if is_all_known and people == 1 else None
    performers = {one: NamedPerformer(one, "performer", (), (), pasts[one]) for one in ids}
    return Picture(
        Scene(views, ()),
        _looks(),
        Compared(scoring, performers, facts),
        Circumstances(moment_of(None, today=TODAY), pasts, facts, stated, True),
    )


def _view(rng: np.random.Generator, ids: list[str], *, has_tattoo: bool) -> PersonView:
    regions = tuple(RegionView(one, _OUTLINE, 0.9) for one in _IN_VIEW)
    face = FaceSeen(_BOX, 0.9, 0.9, (), _template(common_pb2.SIGNAL_FACE), _proposed(rng, ids))
    body = BodySeen(_BOX, 0.8, 0.9, (), regions, _template(common_pb2.SIGNAL_BODY), _proposed(rng, ids))
    tattoo = TattooSeen(_BOX, 0.7, 0.9, (), _template(common_pb2.SIGNAL_TATTOO), _proposed(rng, ids))
    person = PersonInstance(face, body, (tattoo,) if has_tattoo else ())
    return PersonView(person, (_SEEN,) if has_tattoo else (), regions_in_view(person), 0.1)


def _template(signal: common_pb2.Signal.ValueType) -> common_pb2.Template:
    return common_pb2.Template(signal=signal, quality=0.8)


def _proposed(rng: np.random.Generator, ids: list[str]) -> tuple[Candidate, ...]:
    return tuple(Candidate(one, float(rng.random()), float(rng.random())) for one in ids)


def _score(rng: np.random.Generator, signal: Signal, facts: TattooFacts | None) -> SignalScore:
    llr = float(rng.normal(-3, 4))
    matches: tuple[TattooMatch, ...] = ()
    if signal is Signal.TATTOO and facts:
        matches = (TattooMatch(facts.tattoos[int(rng.integers(_TATTOOS))].tattoo_id, 0.5, llr),)
    return SignalScore(
        0.5, 0.5, llr, trust=Trust(True), full_views=5, facts=facts or TattooFacts(), matches=matches
    )


def _facts(rng: np.random.Generator) -> TattooFacts:
    regions = [_IN_VIEW[int(one)] for one in rng.permutation(len(_IN_VIEW))]
    tattoos = tuple(
        KnownTattoo(f"t{n}", region, _day(rng, 2005, 2015), _day(rng, 2016, 2026) if n == 0 else None)
        for n, region in enumerate(regions[:_TATTOOS])
    )
    words = tuple(
        KnownRegion(region, n > 0, "stashdb.org", _day(rng, 2005, 2015) if n else None, None)
        for n, region in enumerate(regions[_TATTOOS : 2 * _TATTOOS])
    )
    return TattooFacts(tattoos, words)


def _past(rng: np.random.Generator, *, has_history: bool) -> Past:
    born = int(rng.integers(_FIRST_BIRTH, _CAREERS))
    begun = born + int(rng.integers(18, 25))
    changed = datetime.date(begun + 5, 6, 1)
    history = (
        BreastRecord("", 1.0, None, changed, "stashdb.org"),
        BreastRecord("", 0.0, changed, None, "stashdb.org"),
    )
    return Past(datetime.date(born, 5, 5), begun, begun + 10, history if has_history else ())


def _day(rng: np.random.Generator, first: int, end: int) -> datetime.date:
    return datetime.date(int(rng.integers(first, end)), int(rng.integers(1, 13)), 1)


def _looks() -> Looks:
    def look(signal: Signal) -> Look:  # type: ignore[type-arg]
        return Look(signal, Branch(signal, Observed(100, 100, (), ()), None, 1.0))

    return Looks(look(Signal.FACE), look(Signal.TATTOO), look(Signal.BODY))
