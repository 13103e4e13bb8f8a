"""One signal's log-likelihood ratio, as it may be counted. Pure."""

from __future__ import annotations

import math

from gateway.fusion.assumed import MOST_LLR

__all__ = ["held"]


def held(llr: float | None) -> float | None:
    """The ratio within MOST_LLR in either direction; None for one that is missing or not finite: neutral."""
    if llr is None or not math.isfinite(llr):
        return None
    return max(-MOST_LLR, min(MOST_LLR, llr))
