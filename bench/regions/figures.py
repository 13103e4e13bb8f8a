"""Shares with intervals; people are resampled, because pictures of one person are alike. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.regions.placing import Looked, Placed

__all__ = ["Share", "share_of", "placing", "mistakes", "in_view", "VIEWS", "view_name"]

_ROUNDS = 2000
_SAME_PLACE = 0.25
VIEWS = ((30.0, "front"), (60.0, "front, turned"), (120.0, "side"), (150.0, "back, turned"), (180.0, "back"))
"""By the camera's yaw, degrees up to which."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `of` things and its 95% interval."""

    value: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        if not self.of:
            return "-"
        return f"{self.value:.1%} ({self.low:.0%} to {self.high:.0%}) of {self.of}"


def share_of(rows: Iterable[tuple[str, bool]], *, seed: int) -> Share:
    """`rows`: the person and whether it holds."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for person, holds in rows:
        hits[person].append(holds)
    counts = np.array([(sum(found), len(found)) for found in hits.values()], float).reshape(-1, 2)
    if not len(counts):
        return Share(np.nan, np.nan, np.nan, 0)
    rng = np.random.default_rng(seed)
    drawn = counts[rng.integers(len(counts), size=(_ROUNDS, len(counts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    total = counts.sum(axis=0)
    # Where all or none hold, drawing again tells nothing: then the exact interval, a person counting once.
    surprise = 0.025 ** (1 / len(counts))
    if total[0] == total[1]:
        low = surprise
    elif total[0] == 0:
        high = 1 - surprise
    return Share(float(total[0] / total[1]), float(low), float(high), int(total[1]))


def placing(looked: Sequence[Looked], said: Callable[[Placed], str], *, seed: int) -> dict[str, Share]:
    """How often something is said, how often that is right, and right for at least a quarter of the ink."""
    rows = [(one.truth.performer, placed) for one in looked for placed in one.placed]
    answers = [(person, placed) for person, placed in rows if said(placed) != "UNKNOWN"]
    return {
        "answered": share_of([(person, said(placed) != "UNKNOWN") for person, placed in rows], seed=seed),
        "right": share_of(
            [(person, said(placed) == placed.truth.region) for person, placed in answers], seed=seed
        ),
        "right for a quarter": share_of(
            [(person, _holds(placed, said(placed))) for person, placed in answers], seed=seed
        ),
        "other side": share_of(
            [(person, _is_other_side(placed.truth.region, said(placed))) for person, placed in answers],
            seed=seed,
        ),
        "right of all": share_of(
            [(person, said(placed) == placed.truth.region) for person, placed in rows], seed=seed
        ),
    }


def mistakes(looked: Sequence[Looked]) -> Counter[tuple[str, str]]:
    """True and said region of what was wrong, also for a quarter of the ink."""
    return Counter(
        (placed.truth.region, placed.region)
        for one in looked
        for placed in one.placed
        if placed.region != "UNKNOWN" and not _holds(placed, placed.region)
    )


def in_view(looked: Sequence[Looked], *, seed: int) -> dict[str, Share]:
    """Regions said to be in view that show some skin, and regions with much skin that were said to be."""
    said = [
        (one.truth.performer, one.truth.region_pixels.get(region, 0) > 0)
        for one in looked
        for region in one.regions_in_view
    ]
    there = [
        (one.truth.performer, region in one.regions_in_view)
        for one in looked
        for region, pixels in one.truth.region_pixels.items()
        if pixels >= 0.02 * one.truth.skin_pixels and pixels >= 400
    ]
    return {"in view as said": share_of(said, seed=seed), "said of those in view": share_of(there, seed=seed)}


def view_name(yaw: float) -> str:
    return next((name for limit, name in VIEWS if abs(yaw) <= limit), VIEWS[-1][1])


def _is_other_side(true: str, said: str) -> bool:
    return true != said and _part(true) == _part(said)


def _part(region: str) -> str:
    return region.removeprefix("LEFT_").removeprefix("RIGHT_")


def _holds(placed: Placed, region: str) -> bool:
    return placed.truth.shares.get(region, 0.0) >= _SAME_PLACE
