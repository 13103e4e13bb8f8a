"""Contributions as stacked bars: what speaks for a candidate right of even odds, what against, left. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from client.values import Contribution, ContributionKind

__all__ = ["Segment", "Stack", "Scale", "stacked", "scale_of", "MOST"]

MOST = math.log(1e9)
"""Log odds are drawn no longer than this in either direction: what is impossible is not infinitely wide."""

_KINDS = {kind: place for place, kind in enumerate(ContributionKind)}


@dataclass(frozen=True, slots=True)
class Segment:
    """One contribution in a bar, from the side of even odds outwards, in natural log odds."""

    kind: ContributionKind
    log_ratio: float
    """As it was counted, above 0 for the candidate; it may be infinite."""
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Stack:
    """One candidate's bar."""

    segments: tuple[Segment, ...]
    total: float
    """The candidate's log odds against nobody enrolled, within +-MOST."""

    @property
    def least(self) -> float:
        """Where it ends on the left, 0 or below."""
        return min([0.0, *(segment.end for segment in self.segments)])

    @property
    def most(self) -> float:
        """Where it ends on the right, 0 or above."""
        return max([0.0, *(segment.end for segment in self.segments)])


@dataclass(frozen=True, slots=True)
class Scale:
    """From log odds to pixels."""

    low: float
    """Log odds at the left edge, below 0."""
    high: float
    """Log odds at the right edge, above 0."""
    left: int
    right: int
    ticks: tuple[float, ...]
    """Log odds of whole powers of ten, even odds among them."""

    def x(self, log_odds: float) -> int:
        """Pixel column; what is beyond an edge is at the edge."""
        share = (min(max(log_odds, self.low), self.high) - self.low) / (self.high - self.low)
        return self.left + round(share * (self.right - self.left))


def stacked(contributions: Iterable[Contribution]) -> Stack:
    """A bar whose segments begin at even odds and lie side by side, by kind, within +-MOST each.

    A log ratio that is no number is left out.
    """
    known = [each for each in contributions if not math.isnan(each.log_ratio) and each.log_ratio != 0]
    segments: list[Segment] = []
    ends = {True: 0.0, False: 0.0}
    for each in sorted(known, key=lambda each: _KINDS[each.kind]):
        is_for = each.log_ratio > 0
        start = ends[is_for]
        ends[is_for] += _bounded(each.log_ratio)
        segments.append(Segment(each.kind, each.log_ratio, start, ends[is_for]))
    return Stack(tuple(segments), _bounded(sum(each.log_ratio for each in known)))


def scale_of(stacks: Sequence[Stack], *, left: int, right: int, most_steps: int = 7) -> Scale:
    """One scale for all bars, in whole powers of ten; a factor of ten either way at the least.

    left, right: pixels; most_steps: from tick to tick, so that their words do not touch.
    """
    decade = math.log(10)
    low = max(1, math.ceil(max((-stack.least for stack in stacks), default=0.0) / decade))
    high = max(1, math.ceil(max((stack.most for stack in stacks), default=0.0) / decade))
    step = max(1, math.ceil((low + high) / most_steps))
    ticks = [decade * power for power in range(-(low // step) * step, high + 1, step)]
    return Scale(-low * decade, high * decade, left, right, tuple(ticks))


def _bounded(log_odds: float) -> float:
    return min(max(log_odds, -MOST), MOST) if not math.isnan(log_odds) else 0.0
