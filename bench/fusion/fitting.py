"""Calibrations for virtual performers, on people and designs that nothing is reported of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bench.fusion.bodies import Bodies
from bench.fusion.faces import Compared, Faces
from bench.fusion.virtual import Crowd, Probe
from chassis.signal.calibration import Calibration
from chassis.signal.calibration_fitting import Pairs, fit_calibration
from chassis.signal.tail import Tail
from gateway.calibration.tempering import fit_tempered

__all__ = ["body_weight", "face_map", "face_pairs", "tattoo_map"]

# So many values of a crowd's distribution, evenly by share, stand for it; the last lie far out in its tail.
_DRAWN = 200_000


def face_pairs(faces: Faces) -> tuple[Pairs, Pairs]:
    """Genuine pairs and impostor pairs of clear and spoilt pictures, each probe once."""
    own = faces.owners < len(faces.performers)
    kinds = [_genuine(faces, one, own) for one in (faces.clear, faces.spoilt)]
    others = np.concatenate([faces.clear.impostors, faces.spoilt.impostors])
    genuine = Pairs(np.concatenate([s for s, _ in kinds]), np.concatenate([q for _, q in kinds]))
    return genuine, Pairs(others, np.ones(len(others)))


def face_map(faces: Faces, crowd: Crowd, *, nearest: float = 1.0) -> Calibration:
    """Genuine pairs of these people, impostors as the crowd is: as on a library of that size.

    nearest: the share of the crowd, the most alike, that is in the library.
    """
    genuine, _ = face_pairs(faces)
    return fit_calibration(genuine, _crowd(crowd.faces.values(), nearest))


def tattoo_map(probes: Iterable[Probe], crowd: Crowd) -> Calibration:
    """Genuine pairs of these pictures, verified in the crowd; impostors as the crowd is."""
    pairs = [
        (probe.tattoo[own], probe.tattoo_quality)
        for probe in probes
        if not probe.is_stranger and (own := f"z{probe.owner}") in probe.tattoo
    ]
    values = np.array(pairs, np.float64).reshape(-1, 2)
    return fit_calibration(Pairs(values[:, 0], values[:, 1]), _crowd(crowd.tattoos.values()))


def body_weight(bodies: Bodies) -> float:
    """What bodies' ratios weigh, 0..1, as `marquee calibrate` fits it: whatever spoils the pictures."""
    own, others = (
        np.concatenate([pick(kind) for kind in bodies.shown]) for pick in (bodies.own, bodies.others)
    )
    genuine, impostors = (Pairs(one, np.ones(len(one))) for one in (own, others))
    return fit_tempered(genuine, impostors).weight


def _genuine(faces: Faces, compared: Compared, own: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    told = compared.similarities[np.flatnonzero(own), faces.owners[own]]
    is_seen = np.isfinite(told)
    return told[is_seen], compared.qualities[own][is_seen]


def _crowd(tails: Iterable[Tail], nearest: float = 1.0) -> Pairs:
    shares = nearest * (np.arange(_DRAWN) + 0.5) / _DRAWN
    values = np.concatenate([tail.value_at(shares) for tail in tails])
    return Pairs(values, np.ones(len(values)))
