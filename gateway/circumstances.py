"""What BAYESIAN knows beside what the signals say: of the time, of the candidates, and from the caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalogue.names import Past
from gateway.fusion.moment import Moment
from gateway.fusion.tattoos import SeenTattoos
from gateway.known_tattoos import TattooFacts
from gateway.people import PersonView
from gateway.regions import visibilities

__all__ = ["Circumstances"]


@dataclass(frozen=True, slots=True, eq=False)
class Circumstances:
    """The same for all people of one picture."""

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
