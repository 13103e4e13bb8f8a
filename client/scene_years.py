"""When a scene was made, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from client.values import SceneYear

__all__ = ["likely_years", "scene_years_text"]


def likely_years(years: Sequence[SceneYear], *, share: float = 0.9) -> tuple[int, int, float] | None:
    """First and last year of the shortest span with at least `share` of all probability, and what it has.

    Of equally short spans the most probable one. share: 0..1. None without any probability.
    """
    ordered = sorted((each for each in years if each.probability > 0), key=lambda each: each.year)
    total = sum(each.probability for each in ordered)
    spans = [
        (first.year, last.year, sum(each.probability for each in ordered[start:end]))
        for start, first in enumerate(ordered)
        for end, last in enumerate(ordered[start:], start=start + 1)
    ]
    enough = [span for span in spans if span[2] >= share * total - 1e-9]
    return min(enough, key=lambda span: (span[1] - span[0], -span[2]), default=None)


def scene_years_text(years: Sequence[SceneYear]) -> str:
    """`made in 2016 to 2019, 90%`; "" where nothing is told."""
    span = likely_years(years)
    if span is None:
        return ""
    first, last, probability = span
    when = f"{first}" if first == last else f"{first} to {last}"
    return f"made in {when}, {probability:.0%}"
