"""Probes compared with the rest of the gallery: leave-one-out, by the signal's own Score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chassis.errors import Unavailable
from gateway.calibration.asking import NOTHING_STORED, asked
from gateway.calibration.enrolled import CalibratedClient, Templates
from gateway.calibration.performers import Numbers, Performers
from gateway.calibration.probes import Probe
from gateway.observations import Signal
from gateway.signals import Query

__all__ = ["Compared", "compare"]

# Between other calls, which do not wait for long.
_AT_ONCE = 4
_MOST_TEMPLATES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What a probe is like."""

    probe: Probe
    quality: float
    """0..1, of its best view."""
    own: float
    """Similarity to its performer's other images, in the signal's measure."""
    others: Numbers
    """Other performers that it could be compared with, (n,)."""
    similarities: NDArray[np.float64]
    """To each of these, (n,)."""


async def compare(
    client: CalibratedClient,
    probes: Sequence[Probe],
    templates: Templates,
    others: Mapping[Probe, Numbers],
    performers: Performers,
    *,
    seconds: float,
    on_compared: Callable[[int], None],
) -> list[Compared]:
    """Compare each probe with its performer and with others, without what it leaves out.

    others: whom each is compared with, as numbers of `performers`. on_compared: called with the number of
    probes done. Those of which nothing is enrolled any more, or whose performer has nothing else, are passed
    over. Raises as `asked` does, and Unavailable naming a signal that gives similarities or qualities that
    are not finite.
    """
    found: list[Compared] = []
    for start in range(0, len(probes), _AT_ONCE):
        batch = [one for one in probes[start : start + _AT_ONCE] if _spot(one) in templates]
        queries = [
            Query(
                str(number),
                tuple(templates[_spot(one)][:_MOST_TEMPLATES]),
                (one.performer_id, *(performers.ids[other] for other in others[one])),
                one.except_images,
            )
            for number, one in enumerate(batch)
        ]
        call = partial(client.similarities, queries, timeout=seconds)
        scores = await asked(client.signal, call) if queries else {}
        for query, probe in zip(queries, batch, strict=True):
            scored = scores.get(query.key, {})
            if probe.performer_id in scored:
                found.append(_compared(client.signal, query, probe, others[probe], scored))
        on_compared(min(start + _AT_ONCE, len(probes)))
    return found


def _compared(
    signal: Signal, query: Query, probe: Probe, others: Numbers, scored: Mapping[str, float]
) -> Compared:
    own, *rest = (scored.get(one) for one in query.performer_ids)
    known = np.array([one is not None for one in rest], np.bool_)
    similarities = np.array([one for one in rest if one is not None], np.float64)
    quality = max(one.quality for one in query.templates)
    if own is None or not (np.isfinite([own, quality]).all() and np.isfinite(similarities).all()):
        raise Unavailable(
            f"{signal.label} gave a similarity or a quality that is no number; {NOTHING_STORED}"
        )
    return Compared(probe, quality, own, others[known], similarities)


def _spot(probe: Probe) -> tuple[str, str]:
    return (probe.performer_id, probe.image_hash)
