"""A gallery as a signal compares it with itself, made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gateway.calibration.compared import Compared
from gateway.calibration.pairs import LabelledPairs, labelled
from gateway.calibration.performers import Performers
from gateway.calibration.probes import Probe

__all__ = ["gallery", "pairs_of"]


def gallery(
    performers: int, probes: int = 3, *, genuine: float = 0.7, impostor: float = 0.1, spread: float = 0.1
) -> list[Compared]:
    """Everybody's probes against everybody else."""
    rng = np.random.default_rng(performers)
    names = [_name(number) for number in range(performers)]
    return [
        Compared(
            probe=Probe(name, f"{name} {number}", (f"{name} {number}",), is_undated=False),
            quality=0.8,
            own=float(rng.normal(genuine, spread)),
            others=np.array([place for place, one in enumerate(names) if one != name], np.int32),
            similarities=rng.normal(impostor, spread, performers - 1),
        )
        for name in names
        for number in range(probes)
    ]


def pairs_of(compared: Sequence[Compared]) -> LabelledPairs:
    """Of what `gallery` gave, or of some of it."""
    met = max((int(one.others.max(initial=0)) for one in compared), default=0)
    named = (one.probe.performer_id for one in compared)
    everybody = Performers.of([*named, *(_name(number) for number in range(met + 1))])
    return labelled(compared, everybody)


def _name(number: int) -> str:
    return f"performer {number:03d}"
