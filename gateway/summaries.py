"""What was seen, in words for people."""

from __future__ import annotations

import math
from functools import lru_cache

from gateway.observations import Signal
from gateway.people import PersonView
from marquee.common.v1.common_pb2 import BODY_REGION_OTHER, BODY_REGION_UNKNOWN, BodyRegion

__all__ = ["region_label", "spoken_ratio", "summary_of"]

_NOWHERE = {BODY_REGION_UNKNOWN, BODY_REGION_OTHER}


def summary_of(signal: Signal, view: PersonView, *, agreeing_points: int = 0) -> str:
    """What a signal saw of a person: `face, quality 0.91`, `2 tattoos, left forearm`; empty for nothing.

    agreeing_points: of the tattoos' key points with the candidate's: `1 tattoo, neck, 42 points agree`.
    """
    face, body, tattoos = view.person.face, view.person.body, view.person.tattoos
    if signal is Signal.FACE:
        return f"face, quality {face.quality:.2f}" if face else ""
    if signal is Signal.BODY:
        return f"body, quality {body.quality:.2f}" if body else ""
    if not tattoos:
        return ""
    count = f"{len(tattoos)} tattoo{'s' if len(tattoos) > 1 else ''}"
    places = [region_label(one) for one in sorted(set(view.tattoo_regions) - _NOWHERE)]
    points = [f"{agreeing_points} points agree"] if agreeing_points else []
    return ", ".join([count, *places, *points])


@lru_cache(64)
def region_label(region: BodyRegion.ValueType) -> str:
    """`left upper arm`; a number that a newer service may know is `elsewhere`."""
    if region not in BodyRegion.values():
        return "elsewhere"
    return BodyRegion.Name(region).removeprefix("BODY_REGION_").lower().replace("_", " ")


def spoken_ratio(llr: float) -> str:
    """`speaks for, 150 : 1`, `speaks against, 1 : 20`; `says nothing` between 1 : 1.1 and 1.1 : 1."""
    if abs(llr) < math.log(1.1):
        return "says nothing"
    ratio = math.exp(min(abs(llr), 50.0))
    told = f"{ratio:.1f}" if ratio < 9.95 else f"{float(f'{ratio:.2g}'):,.0f}"
    return f"speaks for, {told} : 1" if llr > 0 else f"speaks against, 1 : {told}"
