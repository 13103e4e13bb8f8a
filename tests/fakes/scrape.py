"""What Prometheus would read from a process."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Samples", "scraped"]

_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Samples:
    """One scrape."""

    values: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def of(self, name: str, **labels: str) -> float:
        """The value of the sample with exactly these labels; 0 when there is none yet."""
        return self.values.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str) -> list[dict[str, str]]:
        """The labels of every sample of this name."""
        return [dict(labels) for found, labels in self.values if found == name]


async def scraped(port: int) -> Samples:
    """Everything that /metrics on the loopback says now. Raises OSError when nobody listens."""
    text = await asyncio.to_thread(_read, f"http://127.0.0.1:{port}/metrics")
    return Samples(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    )


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_SECONDS) as response:
        return str(response.read().decode())
