"""What somebody wears in a picture. The hips are always covered, and the chest of nearly everybody."""

from __future__ import annotations

import numpy as np

from trainer.studio.garments import JEWELLERY, Garment, cut

__all__ = ["dress"]

_BOTTOMS = {"briefs": 0.7, "shorts": 0.21, "trousers": 0.09}
_TOPS = {"bra": 0.4, "triangles": 0.28, "bandeau": 0.13, "tank": 0.11, "shirt": 0.05, "jumper": 0.03}
_OVER = {"": 0.86, "open shirt": 0.05, "stockings": 0.06, "gloves": 0.03}
_MALE_BARE = 0.78


def dress(rng: np.random.Generator, *, gender: float) -> list[Garment]:
    """Pieces to wear, what lies closest to the skin first. `gender` runs from 0 male to 1 female."""
    if gender > 0.35 and rng.random() < 0.08:
        names = ["swimsuit"]
    else:
        names = [_pick(rng, _BOTTOMS)]
        if gender > 0.35:
            names.append(_pick(rng, _TOPS))
        elif rng.random() > _MALE_BARE:
            names.append(str(rng.choice(["tank", "shirt", "jumper"])))
    if over := _pick(rng, _OVER):
        names.append(over)
    names += [str(name) for name in rng.choice(list(JEWELLERY), rng.choice([0, 0, 0, 1, 2]), replace=False)]
    return [cut(name, rng) for name in names]


def _pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    names = list(shares)
    return names[rng.choice(len(names), p=np.array(list(shares.values())))]
