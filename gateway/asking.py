"""Round 2, prepared: which performers are compared with whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.observations import Signal
from gateway.people import PersonView
from gateway.signals import Query

__all__ = ["performers_to_ask", "queries_for"]

# As many performers as a signal scores for one person.
_MOST_PERFORMERS = 1000


def performers_to_ask(view: PersonView, hints: Sequence[str]) -> tuple[str, ...]:
    """The hints and everybody whom any signal proposes for the person, surest first, each once.

    Outside one signal's list is not the same as unlike: every signal is asked about all of them.
    """
    confidences: dict[str, float] = {}
    for signal in Signal:
        for candidate in view.proposed(signal).values():
            known = confidences.get(candidate.performer_id, 0.0)
            confidences[candidate.performer_id] = max(known, candidate.confidence)
    surest = sorted(confidences, key=lambda one: (-confidences[one], one))
    return tuple(dict.fromkeys([*hints, *surest]))[:_MOST_PERFORMERS]


def queries_for(
    signal: Signal, people: Sequence[PersonView], performers: Sequence[tuple[str, ...]]
) -> list[Query]:
    """One query for each person whom the signal can compare with anybody; the key is the person's place."""
    return [
        Query(str(index), templates, asked)
        for index, (view, asked) in enumerate(zip(people, performers, strict=True))
        if asked and (templates := view.templates(signal))
    ]
