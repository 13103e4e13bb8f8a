"""Explained answers with invented performers, whose probabilities and contributions fit together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chassis.geometry import Box
from client.values import (
    Candidate,
    Contribution,
    ContributionKind,
    Identification,
    Person,
    PersonStatus,
    Policy,
    ReportState,
    SceneYear,
    Sighting,
    Signal,
    SignalReport,
)

__all__ = ["Telling", "telling", "explained_person", "explained", "three_people"]

_BOX = Box(40, 110, 130, 330)
_Kind = ContributionKind
Telling = tuple[str, tuple[Contribution, ...]]
"""A name and what is said of it."""


def telling(name: str, *terms: tuple[ContributionKind, float, str]) -> Telling:
    """Somebody of whom this is said: kind, odds (above 1 for, below 1 against), words."""
    return name, tuple(Contribution(kind, math.log(odds), words) for kind, odds, words in terms)


def explained_person(*tellings: Telling, box: Box = _BOX, is_identified: bool = True) -> Person:
    """A person with a face, whose candidates' probabilities follow from their contributions."""
    odds = [math.exp(sum(each.log_ratio for each in terms)) for _, terms in tellings]
    everything = 1 + sum(odds)
    candidates = [
        Candidate(f"id-{name}", name, (), (), share / everything, share / everything, (), terms)
        for (name, terms), share in zip(tellings, odds, strict=True)
    ]
    ranking = tuple(sorted(candidates, key=lambda each: -each.score))
    first, second, *_ = [*(each.score for each in ranking), 0.0, 0.0]
    return Person(
        box=box,
        status=PersonStatus.IDENTIFIED if is_identified else PersonStatus.UNKNOWN,
        candidates=ranking,
        sightings=(Sighting(Signal.FACE, box, 0.9, ""),),
        tattoo_coverage=0.0,
        regions_in_view=(),
        is_tattoo_primary=False,
        identification_threshold=0.9,
        unknown_probability=1 / everything,
        margin=first - max(second, 1 / everything),
        is_uncalibrated=True,
    )


def explained(*people: Person, years: Sequence[SceneYear] = ()) -> Identification:
    """An answer of the bayesian policy about these people."""
    report = SignalReport(Signal.FACE, ReportState.OK, 20.0, 1.0, len(people), "")
    reports = {Signal.FACE: report}
    return Identification(640, 480, people, reports, Policy.BAYESIAN, (), 40.0, tuple(years))


def three_people() -> Identification:
    """Somebody who is known by face and tattoos, two look-alikes, and a stranger."""
    years = [SceneYear(2015, 0.05), SceneYear(2016, 0.25), SceneYear(2017, 0.3), SceneYear(2018, 0.25)]
    return explained(_known(), _look_alikes(), _stranger(), years=[*years, SceneYear(2019, 0.15)])


def _known() -> Person:
    return explained_person(
        telling(
            "Vera Marlowe",
            (_Kind.PRIOR, 1 / 600, "one of 1,400 performers, against nobody enrolled"),
            (_Kind.HINT, 4.0, "tagged in the scene: speaks for, 4.0 : 1"),
            (_Kind.FACE, 9_000, "face, quality 0.91: speaks for, 9,000 : 1"),
            (_Kind.TATTOO, 35, "2 tattoos, left forearm, 42 points agree: speaks for, 35 : 1"),
            (_Kind.TATTOO_ABSENT, 1 / 2.5, "right shoulder half in view, no tattoo: speaks against, 1 : 2.5"),
            (_Kind.CAREER, 1.4, "at work from 2014 to 2020: speaks for, 1.4 : 1"),
        ),
        telling(
            "Ottilie Brandt",
            (_Kind.PRIOR, 1 / 600, "one of 1,400 performers, against nobody enrolled"),
            (_Kind.FACE, 60, "face, quality 0.91: speaks for, 60 : 1"),
            (_Kind.TATTOO_ABSENT, 1 / 8, "left thigh in view, no tattoo: speaks against, 1 : 8.0"),
            (_Kind.OTHER_PEOPLE, 1 / 3, "more likely to be person 2: speaks against, 1 : 3.0"),
        ),
        telling(
            "Josephine Castellane-Whitmore",
            (_Kind.PRIOR, 1 / 600, "one of 1,400 performers, against nobody enrolled"),
            (_Kind.TATTOO, 12, "1 tattoo, left forearm: speaks for, 12 : 1"),
            (_Kind.FACE, 1 / 20, "face, quality 0.91: speaks against, 1 : 20"),
            (_Kind.CAREER, 1 / 6, "at work from 2021 on: speaks against, 1 : 6.0"),
        ),
    )


def _look_alikes() -> Person:
    prior = (_Kind.PRIOR, 1 / 600, "one of 1,400 performers, against nobody enrolled")
    return explained_person(
        telling(
            "Ottilie Brandt",
            prior,
            (_Kind.FACE, 7_000, "face, quality 0.83: speaks for, 7,000 : 1"),
            (_Kind.APPEARANCE, 1.6, "natural, as metadata says of 2017: speaks for, 1.6 : 1"),
        ),
        telling(
            "Mathilde Brandt",
            prior,
            (_Kind.FACE, 8_500, "face, quality 0.83: speaks for, 8,500 : 1"),
            (_Kind.BODY, 1.3, "proportions fit: speaks for, 1.3 : 1"),
            (_Kind.OTHER_PEOPLE, 1 / 1.2, "may be person 1: speaks against, 1 : 1.2"),
        ),
        telling("Ines Okafor", prior, (_Kind.FACE, 70, "face, quality 0.83: speaks for, 70 : 1")),
        box=Box(250, 90, 140, 370),
        is_identified=False,
    )


def _stranger() -> Person:
    prior = (_Kind.PRIOR, 1 / 600, "one of 1,400 performers, against nobody enrolled")
    return explained_person(
        telling("Ines Okafor", prior, (_Kind.FACE, 12, "face, quality 0.55: speaks for, 12 : 1")),
        telling("Tamsin Vale", prior, (_Kind.BODY, 1 / 4, "proportions do not fit: speaks against, 1 : 4.0")),
        box=Box(470, 160, 120, 300),
        is_identified=False,
    )
