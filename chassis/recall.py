"""How much of what an exact search finds an index finds, too, measured on what is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import NotFound
from chassis.gallery import Gallery

__all__ = ["Recall", "is_low", "measure_recall"]

_K = 10
# Equal vectors are equally near: which of them is named makes no difference.
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares 0..1 over a sample of stored vectors, each searched for without itself."""

    at_10: float
    """Of the ten nearest vectors, the mean share that was found."""
    same_performer: float
    """Of the vectors with another one of the same performer among the ten nearest, the share that found one;
    1 where there are none."""
    sample: int
    """Vectors that were searched for."""


def is_low(recall: Recall, least: float) -> bool:
    """Whether either share is below `least`, 0..1."""
    return min(recall.at_10, recall.same_performer) < least


def measure_recall(gallery: Gallery, *, sample: int, seed: int = 0) -> Recall | None:
    """Search for some stored vectors exactly and through the index; None in a gallery of fewer than two, or
    where a vector goes meanwhile.

    seed: which ones. Reads every vector once, in portions between which others search.
    """
    seqs = gallery.seqs()
    if len(seqs) < 2:
        return None
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.array(seqs), min(sample, len(seqs)), replace=False).tolist()
    try:
        probes = gallery.index.vectors(chosen)
    except NotFound:  # one of them went just now
        return None
    ids, similarities = gallery.index.nearest_exactly(probes, _K + 1)
    found = [
        _found(gallery, *one) for one in zip(chosen, probes, ids.tolist(), similarities.tolist(), strict=True)
    ]
    shares, pairs = [share for share, _ in found], [pair for _, pair in found if pair is not None]
    return Recall(float(np.mean(shares)), float(np.mean(pairs)) if pairs else 1.0, len(found))


def _found(
    gallery: Gallery, seq: int, probe: NDArray[np.float32], ids: list[int], similarities: list[float]
) -> tuple[float, bool | None]:
    """Share found of the nearest ones, and whether the performer's other vectors were; None: none is near."""
    exact = [pair for pair in zip(ids, similarities, strict=True) if pair[0] not in (seq, -1)][:_K]
    near = [one for one in gallery.index.search(probe, _K + 1) if one.id != seq][:_K]
    least = exact[-1][1] - _SAME if exact else 0.0
    share = min(1.0, sum(one.similarity >= least for one in near) / max(1, len(exact)))
    owner = gallery.owner_of(seq)
    if owner is None or not any(gallery.owner_of(one) == owner for one, _ in exact):
        return share, None
    return share, any(gallery.owner_of(one.id) == owner for one in near)
