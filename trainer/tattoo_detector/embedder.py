"""Fits the embedder's projection and its operating point on drawn views of drawn designs."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["EmbedderPlan", "fit_embedder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderPlan:
    fitted_designs: int = 1200


def fit_embedder(plan: EmbedderPlan, *, backbone: Path, work: Path, out: Path, workers: int) -> None:
    raise NotImplementedError
