"""What became of one signal's pending observations in one image. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import DeadlineExceeded, MarqueeError, NotFound, Overloaded, Unavailable
from gateway.enrolment.refusals import KEPT, is_unknown
from gateway.observations import Signal
from gateway.signals import SignalOutcome

__all__ = ["Reembedding", "could_not_ask", "not_found_again", "told", "has_known"]

# What another try may cure.
_TEMPORARY = (Unavailable, DeadlineExceeded, Overloaded)


@dataclass(frozen=True, slots=True)
class Reembedding:
    """As in the contract: observations described and missed, why, and whether another try may succeed."""

    signal: Signal
    described: int = 0
    missed: int = 0
    detail: str = ""
    is_temporary: bool = False


def could_not_ask(signal: Signal, error: MarqueeError, detail: str, *, missed: int = 0) -> Reembedding:
    """Nothing was described because of an error, which `detail` has in words."""
    return Reembedding(signal, 0, missed, detail, isinstance(error, _TEMPORARY))


def not_found_again(signal: Signal, waiting: int) -> Reembedding:
    """None of the observations that wait is seen at its place."""
    return Reembedding(signal, 0, waiting, _unseen(waiting, waiting))


def has_known(outcome: SignalOutcome) -> bool:
    """Whether the signal says of an observation that it has it, and perhaps all vectors of it already.

    Either somebody else has described it meanwhile, or the new models made no vectors of it this time.
    """
    return any(one.reason in KEPT for one in outcome.rejected)


def told(
    signal: Signal, *, waiting: int, matches: int, outcome: SignalOutcome, undescribed: int = 0
) -> Reembedding:
    """From what the signal says to the `matches` of the `waiting` observations that were seen again.

    undescribed: those known to the signal that wait all the same. Raises NotFound: forgotten meanwhile.
    """
    if is_unknown(outcome):
        raise NotFound("no such performer, or forgotten")
    refused = [one for one in outcome.rejected if one.reason not in KEPT]
    words = [one.detail for one in refused[:1]]
    if matches < waiting:
        words.insert(0, _unseen(waiting - matches, waiting))
    if undescribed:
        words.append(f"{undescribed} of {waiting} not described by the new models, which may not run")
    described = matches - len(refused) - undescribed
    return Reembedding(signal, described, waiting - described, "; ".join(words))


def _unseen(unseen: int, waiting: int) -> str:
    return f"{unseen} of {waiting} not seen at its place any more"
