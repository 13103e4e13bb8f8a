"""Recall and processor time of searches, against every vector compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.index.data import PORTION, FaceLike

__all__ = ["Truth", "Searches", "truth_of", "measure_searches", "exact_ms"]

_K = 10
Find = Callable[[NDArray[np.float32], int], tuple[NDArray[np.int64], NDArray[np.float32]]]
"""Ids and similarities of the k nearest, best first."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Probes with what is really nearest to each among the first vectors of a set."""

    probes: NDArray[np.float32]
    identities: NDArray[np.int64]
    owners: NDArray[np.int64]
    """Identity of each vector."""
    tenth: NDArray[np.float32]
    """Similarity of the tenth nearest vector."""
    nearest: NDArray[np.int64]
    """Ids of the ten nearest, (n, 10)."""


@dataclass(frozen=True, slots=True)
class Searches:
    """What searches found and cost."""

    recall_at_10: float
    recall_low: float
    """Lower end of the 95% interval over probes."""
    same_performer: float
    """Of the probes whose identity is among the ten nearest, the share that finds it."""
    same_performer_n: int
    p50_ms: float
    """Processor time of one search."""
    p99_ms: float


def truth_of(data: FaceLike, count: int, probes: int) -> Truth:
    """Compare probes of enrolled identities with every vector, a portion at a time."""
    owners = data.owners(count)
    rng = np.random.default_rng(data.seed)
    identities = rng.choice(np.unique(owners), probes, replace=False)
    vectors = data.probes(identities)
    ids = np.zeros((probes, 0), np.int64)
    best = np.zeros((probes, 0), np.float32)
    for number, start in enumerate(range(0, count, PORTION)):
        similarities = vectors @ data.portion(number, owners[start : start + PORTION]).T
        near = np.argpartition(-similarities, _K, axis=1)[:, :_K]
        ids = np.concatenate([ids, start + near], 1)
        best = np.concatenate([best, np.take_along_axis(similarities, near, 1)], 1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :_K]
        ids, best = np.take_along_axis(ids, order, 1), np.take_along_axis(best, order, 1)
    return Truth(vectors, identities, owners, best[:, -1], ids)


def measure_searches(find: Find, truth: Truth) -> Searches:
    """Search for every probe, one after the other."""
    shares, pairs, times = [], [], []
    for probe, identity, tenth, nearest in zip(
        truth.probes, truth.identities, truth.tenth, truth.nearest, strict=True
    ):
        before = time.process_time_ns()
        ids, similarities = find(probe, _K)
        times.append((time.process_time_ns() - before) / 1e6)
        shares.append(min(1.0, float((similarities >= tenth - 1e-5).sum()) / _K))
        if (truth.owners[nearest] == identity).any():
            pairs.append(bool((truth.owners[ids] == identity).any()))
    mean, error = float(np.mean(shares)), 1.96 * float(np.std(shares)) / np.sqrt(len(shares))
    return Searches(
        recall_at_10=mean,
        recall_low=mean - error,
        same_performer=float(np.mean(pairs)) if pairs else 1.0,
        same_performer_n=len(pairs),
        p50_ms=float(np.percentile(times, 50)),
        p99_ms=float(np.percentile(times, 99)),
    )


def exact_ms(vectors: NDArray[np.float32], probes: NDArray[np.float32]) -> float:
    """Median processor time of comparing one probe with every vector and taking the best ten, ms."""
    times = []
    for probe in probes:
        before = time.process_time_ns()
        similarities = vectors @ probe
        np.argpartition(-similarities, _K)[:_K]
        times.append((time.process_time_ns() - before) / 1e6)
    return float(np.percentile(times, 50))
