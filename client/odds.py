"""Odds as people say them."""

from __future__ import annotations

import math

__all__ = ["odds_text"]

_NOTHING = math.log(1.1)
"""Below it odds read as even."""
_DIGITS = math.log(9_950_000)
"""From here on a power of ten is easier to read than digits."""


def odds_text(log_odds: float) -> str:
    """`150 : 1` for ln 150, `1 : 20` for -ln 20, `1 : 1` between 1 : 1.1 and 1.1 : 1.

    Two digits count; from ten million on a power of ten, `10^8 : 1`. Infinite odds are `certain` and
    `impossible`, what is no number is `?`.
    """
    if math.isnan(log_odds):
        return "?"
    if math.isinf(log_odds):
        return "certain" if log_odds > 0 else "impossible"
    told = _told(abs(log_odds))
    return f"{told} : 1" if log_odds >= 0 else f"1 : {told}"


def _told(size: float) -> str:
    if size < _NOTHING:
        return "1"
    if size >= _DIGITS:
        return f"10^{size / math.log(10):.0f}"
    ratio = float(f"{math.exp(size):.2g}")
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
