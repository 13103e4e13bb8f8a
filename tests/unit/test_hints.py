"""Hints: one factor for each performer and kind, and kinds multiply."""

from __future__ import annotations

import pytest

from gateway.fusion.posterior import log_priors
from gateway.hints import TAGGED, Hint, bounded_hint, factors_of
from marquee.gateway.v1.identification_pb2 import (
    HINT_KIND_POPULARITY,
    HINT_KIND_STUDIO,
    HINT_KIND_TAGGED,
    HintKind,
)


@pytest.mark.parametrize(
    ("kind", "factors", "expected"),
    [
        (HINT_KIND_TAGGED, (5.0, 50.0, 2.0), 50.0),
        (HINT_KIND_TAGGED, (0.0, 2.0), TAGGED),
        (HINT_KIND_STUDIO, (8.0, 2.0), 2.0),
        (HINT_KIND_POPULARITY, (0.2, 0.5), 0.5),
    ],
)
def test_of_one_kind_one_counts(
    kind: HintKind.ValueType, factors: tuple[float, ...], expected: float
) -> None:
    """Whoever is tagged twice is tagged; else the last word counts."""
    assert factors_of(bounded_hint("a", kind, one) for one in factors) == {"a": expected}


def test_an_id_that_is_hinted_is_a_tag() -> None:
    """So a tag of the same performer says the same once more, or a larger factor."""
    assert factors_of([Hint("a"), bounded_hint("a", HINT_KIND_TAGGED, 3.0)]) == {"a": TAGGED}
    assert factors_of([Hint("a"), bounded_hint("a", HINT_KIND_TAGGED, 30.0)]) == {"a": 30.0}


def test_kinds_multiply_performer_by_performer() -> None:
    """And all together are held to 100."""
    studio, popular = (bounded_hint("a", kind, 10.0) for kind in (HINT_KIND_STUDIO, HINT_KIND_POPULARITY))
    factors = factors_of([Hint("a"), Hint("b"), studio, popular])
    assert factors == {"a": 2000.0, "b": TAGGED}
    held, hundred = (
        log_priors("a", gallery_size=1000, unknown=0.3, hints={"a": one, "b": TAGGED})
        for one in (factors["a"], 100.0)
    )
    assert held == hundred
