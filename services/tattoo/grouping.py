"""Which of a performer's tattoos a new view shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.signal.operating_point import OperatingPoint
from services.tattoo.template import Vector

__all__ = ["View", "StoredView", "tattoo_of", "UNKNOWN_REGION"]

UNKNOWN_REGION = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One view of a tattoo as the primary embedder describes it."""

    image_hash: str
    region: str
    """The contract's BodyRegion in lower case."""
    vector: Vector


@dataclass(frozen=True, slots=True, eq=False)
class StoredView:
    """A view of which it is known which tattoo it shows."""

    tattoo_id: str
    view: View


def tattoo_of(new: View, stored: Sequence[StoredView], point: OperatingPoint) -> str | None:
    """The id of the tattoo that a new view of the same performer shows; None: one not seen before.

    It is the one with the highest mean position between the new view and its views, if that is above 0, which
    one pair of different tattoos in a hundred reaches. A tattoo elsewhere on the body is another one, as far
    as both places are known, and so is one that the same image shows beside the new view. Ties go to the
    tattoo that was seen first; `stored` is in that order.
    """
    views: dict[str, list[View]] = {}
    for one in stored:
        views.setdefault(one.tattoo_id, []).append(one.view)
    positions = {
        tattoo_id: _mean_position(new, of_tattoo, point)
        for tattoo_id, of_tattoo in views.items()
        if _may_show(new, of_tattoo)
    }
    best = max(positions, key=lambda tattoo_id: positions[tattoo_id], default=None)
    return best if best is not None and positions[best] > 0 else None


def _may_show(new: View, views: Sequence[View]) -> bool:
    regions = {view.region for view in views} - {UNKNOWN_REGION}
    is_elsewhere = new.region != UNKNOWN_REGION and bool(regions) and new.region not in regions
    return not is_elsewhere and all(view.image_hash != new.image_hash for view in views)


def _mean_position(new: View, views: Sequence[View], point: OperatingPoint) -> float:
    return sum(point.position(float(new.vector @ view.vector)) for view in views) / len(views)
