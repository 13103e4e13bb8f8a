"""What counts beside how alike tattoos are: where candidates have them, since when, and the skin in view.

The terms are the product's own, `gateway/fusion`; here they only get what they need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.fusion.drawn import TODAY
from gateway.fusion.assumed import MISSED
from gateway.fusion.inventory import Inventory
from gateway.fusion.moment import Moment, moment_of
from gateway.fusion.scene_time import dated
from gateway.fusion.tattoos import SeenTattoos, absent_llrs, clear_llrs, present_llrs
from gateway.fusion.wearers import Wearers
from gateway.known_tattoos import TattooFacts, TattooMatch

__all__ = ["Known", "known_llrs"]

_NOTHING = TattooFacts()


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Of one picture."""

    seen: SeenTattoos
    moment: Moment
    facts: Mapping[str, TattooFacts]
    """By candidate; who is missing is known to have nothing. A tattoo's id is its owner's name."""
    missed: float = MISSED
    """What is assumed: that a tattoo in view is not found."""
    has_dates: bool = True
    """Whether those of the facts count."""

    def without_absence(self) -> Known:
        """The same when nobody looked for what is missing."""
        return replace(self, seen=replace(self.seen, is_searched=False))

    def without_dates(self) -> Known:
        """The same when neither the scene nor any tattoo has a date."""
        return replace(self, moment=moment_of(None, today=TODAY), has_dates=False)

    def facts_of(self, candidate: str) -> TattooFacts:
        """As they count."""
        facts = self.facts.get(candidate, _NOTHING)
        if self.has_dates:
            return facts
        undated = [replace(one, first_seen=None, removed=None) for one in facts.tattoos]
        return replace(facts, tattoos=tuple(undated))


def known_llrs(
    known: Known, candidates: Sequence[str], ratios: Mapping[str, float], *, factor: float
) -> NDArray[np.float64]:
    """Natural log of all that tattoos say of each candidate, were it this one, over a stranger.

    ratios: of the tattoo that is seen, by the candidates it was compared with. factor: times these.
    """
    facts = [known.facts_of(one) for one in candidates]
    told = [ratios.get(one) for one in candidates]
    wearers = Wearers.of(
        Inventory.of(facts, known.moment),
        range(len(candidates)),
        matches=[
            () if ratio is None else (TattooMatch(one, 0.0, ratio),)
            for one, ratio in zip(candidates, told, strict=True)
        ],
        llrs=told,
        factors=np.full(len(candidates), factor),
        weights=np.ones(len(candidates)),
    )
    present = present_llrs(known.seen, wearers, known.moment)
    located = (
        clear_llrs(known.seen, wearers, known.moment),
        absent_llrs(known.seen, wearers, known.moment, missed=known.missed),
    )
    terms = [*([] if present is None else [present]), *(one.llrs for one in located if one is not None)]
    return dated(known.moment.prior, terms).llr if terms else np.zeros(len(candidates))
