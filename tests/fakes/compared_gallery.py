"""A gallery as a signal compares it with itself, made up."""

from __future__ import annotations

import numpy as np

from gateway.calibration.compared import Compared
from gateway.calibration.probes import Probe

__all__ = ["gallery"]


def gallery(
    performers: int, probes: int = 3, *, genuine: float = 0.7, impostor: float = 0.1, spread: float = 0.1
) -> list[Compared]:
    """Everybody's probes against everybody else."""
    rng = np.random.default_rng(performers)
    names = [f"performer {number:03d}" for number in range(performers)]
    return [
        Compared(
            probe=Probe(name, f"{name} {number}", (f"{name} {number}",), is_undated=False),
            quality=0.8,
            own=float(rng.normal(genuine, spread)),
            others=tuple(one for one in names if one != name),
            similarities=rng.normal(impostor, spread, performers - 1),
        )
        for name in names
        for number in range(probes)
    ]
