"""How a process follows and finds, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chassis.signal.followed import Followed
from chassis.signal.model_sets import ModelKey

__all__ = ["IndexCollector"]

_LABELS = ("model", "version")


class IndexCollector(Collector):
    """Reads what is followed at each scrape, in another thread."""

    def __init__(
        self,
        followed: Callable[[], Iterable[Followed[Any, Any]]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._followed = followed
        self._clock = clock

    def collect(self) -> Iterable[GaugeMetricFamily]:
        behind = GaugeMetricFamily(
            "marquee_index_seconds_behind", "Since the database was looked at last.", labels=_LABELS
        )
        vectors = GaugeMetricFamily("marquee_index_vectors", "Vectors that can be found.", labels=_LABELS)
        tombstones = GaugeMetricFamily(
            "marquee_index_tombstones", "Places of vectors that are gone.", labels=_LABELS
        )
        recall = GaugeMetricFamily(
            "marquee_index_recall_at_10", "Of the ten nearest vectors, those found.", labels=_LABELS
        )
        same = GaugeMetricFamily(
            "marquee_index_same_performer_recall",
            "Of vectors with another one of the performer near, those that found one.",
            labels=_LABELS,
        )
        told = set[ModelKey]()
        for one in self._followed():
            new = [key for key in one.keys if key not in told]  # a model may serve and be prepared as well
            told.update(new)
            galleries = one.known.galleries
            for key in new:
                behind.add_metric(key, self._clock() - one.state.caught_up_at)
            for key in filter(galleries.__contains__, new):
                gallery = galleries[key]
                vectors.add_metric(key, len(gallery))
                tombstones.add_metric(key, gallery.index.tombstones)
                if (measured := one.recalls.get(key)) is not None:
                    recall.add_metric(key, measured.at_10)
                    same.add_metric(key, measured.same_performer)
        return (behind, vectors, tombstones, recall, same)
