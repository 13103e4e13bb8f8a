"""Tattoos over the years, where they are, and pictures that show their place or not: virtual, drawn. Pure."""

from __future__ import annotations

import datetime
from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.fusion.drawn import TODAY
from bench.fusion.known import Known
from bench.fusion.sights import Region, Sight, Sights
from bench.fusion.slices import Skin, Slice
from bench.fusion.virtual import Probe, best
from gateway.fusion.moment import moment_of
from gateway.fusion.tattoos import SeenTattoos
from gateway.known_tattoos import KnownTattoo, TattooFacts
from marquee.common.v1.common_pb2 import BODY_REGION_UNKNOWN

__all__ = ["Life", "Lives", "draw_lives", "situated"]

# Years, both included: of scenes, and in which tattoos are made.
_SCENES, _MADE = (2005, 2025), (1998, 2024)
# The earliest picture is up to so many years later; a tattoo that goes does so after so many years.
_UNSEEN, _KEPT = 6, (2, 14)
_DATED, _GONE = 0.5, 0.2
_ALWAYS, _NEVER = 0, 9999
# The gateway tells a region of so many tattoos, and so many of these rightly (bench.regions, 492 tattoos).
_PLACED, _RIGHTLY = 0.21, 0.78


@dataclass(frozen=True, slots=True)
class Life:
    """Of one tattoo: where it is, in which years it is there, and what is known of that."""

    region: Region
    made: int
    gone: int
    """First year without it."""
    first_seen: datetime.date | None
    removed: datetime.date | None

    def was_there(self, year: int) -> bool:
        return self.made <= year < self.gone

    def facts(self, name: str) -> TattooFacts:
        """As the catalogue has it."""
        return TattooFacts((KnownTattoo(name, self.region, self.first_seen, self.removed),))


@dataclass(frozen=True, slots=True)
class Lives:
    """Of the tattoos of all performers, by number; and what is known of those who have one enrolled.

    share: of the performers, those with one, 0..1.
    """

    all: Sequence[Life]
    facts: dict[str, TattooFacts]
    share: float


def draw_lives(
    rng: np.random.Generator, sights: Sights, wearers: Sequence[bool], *, has_dates: bool
) -> Lives:
    """One tattoo for each performer, in a region as often as tattoos are there.

    wearers: of each performer, whether it is enrolled.
    """
    lives = [_life(rng, sights, has_dates=has_dates) for _ in wearers]
    names = {f"z{number}": life for number, life in enumerate(lives) if wearers[number]}
    share = len(names) / max(1, len(wearers))
    return Lives(lives, {name: life.facts(name) for name, life in names.items()}, share)


def situated(probe: Probe, kind: Slice, lives: Lives, sights: Sights, rng: np.random.Generator) -> Probe:
    """The probe in a picture of which the skin in view is known; its tattoo is seen only if it can be.

    Who shows a tattoo in it is found or missed as before; of what is found the region is seldom clear. Of
    synthetic performers, and of strangers where the slice is for all, as many have a tattoo as of the others:
    else to be known with one would itself speak for or against somebody.
    """
    has_dates = kind.is_dated is not None
    own = _life(rng, sights, has_dates=has_dates) if probe.is_stranger else lives.all[probe.owner]
    sight = _sight(rng, sights, _focus(rng, kind, own, sights))
    year = int(rng.integers(_SCENES[0], _SCENES[1] + 1))
    has_tattoo = probe.has_tattoo and (
        not (probe.is_stranger and kind.is_for_all) or rng.random() < lives.share
    )
    is_shown = (
        kind.skin is Skin.AS_IT_COMES and has_tattoo and own.was_there(year) and own.region in sight.bare
    )
    shown = probe if is_shown else _bare(probe, is_missed=kind.skin is Skin.MISSED)
    regions = (_place(rng, own, sight),) if shown.tattoo else ()
    day = datetime.date(year, 7, 1) if kind.is_dated in (None, True) else None
    others = {
        name: _life(rng, sights, has_dates=has_dates).facts(name)
        for name in shown.proposed
        if name[0] == "t" or (name[0] == "f" and rng.random() < lives.share)
    }
    return replace(
        shown,
        known=Known(
            SeenTattoos(regions, sight.said, is_searched=True),
            moment_of(day, today=TODAY),
            ChainMap(others, lives.facts),
        ),
    )


def _life(rng: np.random.Generator, sights: Sights, *, has_dates: bool) -> Life:
    region = _any_region(rng, sights)
    if not has_dates:
        return Life(region, _ALWAYS, _NEVER, None, None)
    made = int(rng.integers(_MADE[0], _MADE[1] + 1))
    gone = made + int(rng.integers(_KEPT[0], _KEPT[1] + 1)) if rng.random() < _GONE else _NEVER
    seen = min(made + int(rng.integers(_UNSEEN + 1)), gone - 1, _SCENES[1])
    is_known = rng.random() < _DATED
    removed = datetime.date(gone, 1, 1) if gone <= _SCENES[1] else None
    return Life(
        region,
        made,
        gone,
        datetime.date(seen, 7, 1) if is_known else None,
        removed if is_known else None,
    )


def _any_region(rng: np.random.Generator, sights: Sights) -> Region:
    return sights.tattooed[int(rng.integers(len(sights.tattooed)))]


def _focus(rng: np.random.Generator, kind: Slice, own: Life, sights: Sights) -> Region | None:
    """The region that the picture must say to be in view; None: any picture."""
    if kind.skin is Skin.AS_IT_COMES:
        return None
    return own.region if kind.skin is Skin.MISSED else _any_region(rng, sights)


def _sight(rng: np.random.Generator, sights: Sights, focus: Region | None) -> Sight:
    fitting = [one for one in sights.pictures if focus is None or focus in one.said] or sights.pictures
    return fitting[int(rng.integers(len(fitting)))]


def _bare(probe: Probe, *, is_missed: bool) -> Probe:
    """Without a tattoo in the picture, or with one that is not found."""
    return replace(
        probe, tattoo={}, tattoo_quality=0.0, has_tattoo=is_missed, proposed=sorted(best(probe.face))
    )


def _place(rng: np.random.Generator, own: Life, sight: Sight) -> Region:
    """What the gateway says of where it is."""
    if own.region not in sight.said or rng.random() >= _PLACED:
        return BODY_REGION_UNKNOWN
    said = sorted(sight.said)
    return own.region if rng.random() < _RIGHTLY else said[int(rng.integers(len(said)))]
