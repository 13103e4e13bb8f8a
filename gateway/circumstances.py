"""What BAYESIAN knows beside what the signals say: of the time, of the candidates, and from the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gateway.catalogue.names import Past
from gateway.fusion.career import career_llrs
from gateway.fusion.inventory import Inventory
from gateway.fusion.moment import Moment
from gateway.fusion.scene_time import Years
from gateway.fusion.tattoos import SeenTattoos
from gateway.known_tattoos import TattooFacts
from gateway.people import PersonView
from gateway.regions import visibilities

__all__ = ["Circumstances"]


@dataclass(frozen=True, eq=False)
class Circumstances:
    """The same for all people of one picture; what follows from it alone is worked out once."""

    moment: Moment
    pasts: Mapping[str, Past] = field(default_factory=dict)
    """By performer id; who is missing has none."""
    facts: Mapping[str, TattooFacts] = field(default_factory=dict)
    """Known tattoos by performer id, also of those whom no template was compared with."""
    natural: float | None = None
    """What the caller states of the one person in the picture, 0..1; None: nothing, or there are several."""
    is_searched: bool = False
    """Whether tattoos were looked for, and every one found is somebody's."""

    def seen_tattoos(self, view: PersonView) -> SeenTattoos:
        """What was seen of one person's tattoos."""
        # Of very many only the best are compared, and then some may lie anywhere.
        is_whole = len(view.compared_regions) == len(view.tattoo_regions)
        return SeenTattoos(view.compared_regions, visibilities(view.person), self.is_searched and is_whole)

    def careers(self, performers: Sequence[str]) -> Years | None:
        """Log ratios of the careers [performers, years]; None where nothing is known of any."""
        numbers, llrs = self._careers
        if llrs is None:
            return None
        found = llrs[[numbers.get(one, -1) for one in performers]]
        return found if found.any() else None

    def inventory(
        self, performers: Sequence[str], told: Sequence[TattooFacts]
    ) -> tuple[Inventory, Sequence[int]]:
        """What is known of tattoos, and which ones of the inventory these performers are; -1: none.

        told: of each, what else is known; it counts of those of whom `facts` says nothing.
        """
        each = list(zip(performers, told, strict=True))
        if any(one not in self.facts and (also.tattoos or also.regions) for one, also in each):
            known = [self.facts.get(one, also) for one, also in each]
            return Inventory.of(known, self.moment), range(len(known))
        numbers, inventory = self._known
        return inventory, [numbers.get(one, -1) for one in performers]

    @cached_property
    def _known(self) -> tuple[Mapping[str, int], Inventory]:
        return _numbered(self.facts), Inventory.of(list(self.facts.values()), self.moment)

    @cached_property
    def _careers(self) -> tuple[Mapping[str, int], Years | None]:
        """The last row, 0, is of whom nothing is known."""
        pasts = [*self.pasts.values(), Past()]
        llrs = career_llrs(
            self.moment,
            birth_year=[one.birth_date.year if one.birth_date else 0 for one in pasts],
            start=[one.career_start_year for one in pasts],
            end=[one.career_end_year for one in pasts],
        )
        return _numbered(self.pasts), llrs


def _numbered(performers: Iterable[str]) -> Mapping[str, int]:
    return {one: number for number, one in enumerate(performers)}
