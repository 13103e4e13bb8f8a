"""From two rounds of answers to rankings of all people, by either policy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.bayesian import Belief, believe, rank_bayesian
from gateway.catalogue.names import NamedPerformer
from gateway.circumstances import Circumstances
from gateway.fan_out import Branch
from gateway.fusion.exclusive import exclusive
from gateway.fusion.scene_years import scene_years
from gateway.hints import factors_of
from gateway.known_tattoos import TattooFacts
from gateway.observations import Signal
from gateway.observing import Looks
from gateway.options import IdentifyOptions
from gateway.people import Scene
from gateway.ranked import PersonScores, RankedPerson
from gateway.ranking import rank_person
from gateway.signals import Scores

__all__ = ["Compared", "fuse_bayesian", "fuse_weighted", "stated_of"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Round 2: scores by signal, who the candidates are, and what is known of their tattoos."""

    scoring: Mapping[Signal, Branch[Scores]]
    performers: Mapping[str, NamedPerformer]
    facts: Mapping[str, TattooFacts]


def fuse_weighted(
    scene: Scene, looks: Looks, compared: Compared, options: IdentifyOptions
) -> tuple[RankedPerson, ...]:
    points = {one.signal: one.operating_points for one in looks.all}
    return tuple(
        rank_person(
            view,
            scores=_scores_of(str(index), compared.scoring),
            known=compared.performers.keys(),
            hints=options.hinted,
            operating_points=points,
            limit=options.max_candidates,
        )
        for index, view in enumerate(scene.people)
    )


def fuse_bayesian(
    scene: Scene,
    compared: Compared,
    options: IdentifyOptions,
    belief: Belief,
    circumstances: Circumstances,
) -> tuple[tuple[RankedPerson, ...], Mapping[int, float]]:
    """Each person alone, then together: nobody is two of them, and all were there at the same time."""
    views = [(view, _scores_of(str(index), compared.scoring)) for index, view in enumerate(scene.people)]
    known, hints, limit = compared.performers.keys(), factors_of(options.hints), options.max_candidates
    alone = [
        believe(view, scores=scores, known=known, hints=hints, belief=belief, circumstances=circumstances)
        for view, scores in views
    ]
    together = exclusive([one.posterior for one in alone])
    people = tuple(
        rank_bayesian(view, believed, posterior, scores=scores, belief=belief, limit=limit)
        for (view, scores), believed, posterior in zip(views, alone, together, strict=True)
    )
    dated = [(posterior, one.years) for one, posterior in zip(alone, together, strict=True)]
    return people, scene_years(circumstances.moment, dated)


def stated_of(scene: Scene, options: IdentifyOptions) -> float | None:
    """What is said of the person counts only where it is clear of whom it is said."""
    return options.natural if len(scene.people) == 1 else None


def _scores_of(key: str, scoring: Mapping[Signal, Branch[Scores]]) -> PersonScores:
    """One person's scores; a signal that did not compare the person is missing."""
    return {
        signal: branch.value[key]
        for signal, branch in scoring.items()
        if branch.value is not None and key in branch.value
    }
