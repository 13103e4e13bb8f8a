"""Fits the embedder's projection on views of drawn designs: linear metric learning in closed form.

Views of one design differ by light, skin, blur and angle: the directions of the backbone's vector in which
they differ are damped (within-class whitening, shrunk towards the identity), and of what remains the 512
directions in which designs differ most are kept. Source: Hatch and Stolcke, "Generalized linear kernels for
one-versus-all classification: application to speaker recognition" (2006).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.tattoo.networks import DIMENSION
from trainer.embedder.describing import describe_designs

__all__ = ["Drawings", "EmbedderPlan", "Separation", "fit_embedder", "fit_projection", "separation_of"]

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderPlan:
    """Everything that decides what comes out, beside the drawings."""

    fitted_seed: int = 77
    fitted_views: int = 8
    held_out_seed: int = 78
    held_out_views: int = 4
    shrinkage: float = 0.0005
    """Of the within-class covariance, in multiples of its mean variance: unseen directions count as this."""


@dataclass(frozen=True, slots=True)
class Drawings:
    """Files of `flat.py`."""

    fitted: Path
    held_out: Path


@dataclass(frozen=True, slots=True)
class Separation:
    """How well pairs are told apart, measured on views of held-out designs."""

    impostor_p99: float
    genuine_median: float
    genuine_above: float
    """Share of genuine pairs above `impostor_p99`."""
    rank1: float
    """Share of views that are most like the first view of their design among those of all."""


def fit_embedder(
    plan: EmbedderPlan, drawings: Drawings, *, checkpoint: bytes, work: Path, out: Path, workers: int
) -> None:
    """Describe, fit, write `embedder.npz` and the drawn part of `embedder.json` to `out`; goes on in `work`.

    checkpoint: weights of the backbone.
    """
    fitted, held_out = (
        describe_designs(flats, checkpoint, work, seed=seed, views=views, workers=workers)
        for flats, seed, views in (
            (drawings.fitted, plan.fitted_seed, plan.fitted_views),
            (drawings.held_out, plan.held_out_seed, plan.held_out_views),
        )
    )
    mean, projection = fit_projection(fitted, shrinkage=plan.shrinkage)
    out.mkdir(parents=True, exist_ok=True)
    half = projection.astype(np.float16)
    np.savez_compressed(out / "embedder.npz", mean=mean.astype(np.float32), projection=half)
    plain = separation_of(held_out - mean)
    projected = separation_of((held_out - mean) @ half.astype(np.float64))
    _write_card(out / "embedder.json", plan, len(fitted), plain, projected)


def fit_projection(views: NDArray[np.float32], *, shrinkage: float) -> tuple[Doubles, Doubles]:
    """Return the mean [d] and the projection [d, 512] for `views` [designs, views, d] of the backbone.

    Raises ValueError with fewer than two views of a design: nothing says how they differ.
    """
    if views.shape[1] < 2:
        raise ValueError("two views of each design are needed at least")
    size = views.shape[-1]
    mean = views.reshape(-1, size).mean(axis=0, dtype=np.float64)
    centred = views - mean.astype(np.float32)
    own = (centred - centred.mean(axis=1, keepdims=True)).reshape(-1, size)
    within = (own.T @ own).astype(np.float64) / (len(views) * (views.shape[1] - 1))
    whitening = _inverse_root(within + shrinkage * np.trace(within) / size * np.eye(size))
    flat = centred.reshape(-1, size)
    _, directions = np.linalg.eigh(whitening @ (flat.T @ flat).astype(np.float64) @ whitening)
    projection = whitening @ directions[:, ::-1][:, :DIMENSION]
    return mean, projection * np.sqrt(DIMENSION) / np.linalg.norm(projection)


def separation_of(vectors: NDArray[np.floating]) -> Separation:
    """Compare all views [designs, views, d] by cosine: genuine pairs are of one design, impostors of two."""
    designs, views, size = vectors.shape
    units = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    flat = units.reshape(-1, size)
    similarities = flat @ flat.T
    owner = np.repeat(np.arange(designs), views)
    upper = np.triu(np.ones_like(similarities, bool), 1)
    same = owner[:, None] == owner
    genuine, impostor = similarities[upper & same], similarities[upper & ~same]
    limit = float(np.quantile(impostor, 0.99))
    found = [(units[:, view] @ units[:, 0].T).argmax(axis=1) for view in range(1, views)]
    rank1 = float(np.mean(np.array(found) == np.arange(designs)))
    return Separation(limit, float(np.median(genuine)), float((genuine > limit).mean()), rank1)


def _inverse_root(matrix: Doubles) -> Doubles:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**-0.5) @ vectors.T)


def _write_card(
    path: Path, plan: EmbedderPlan, designs: int, plain: Separation, projected: Separation
) -> None:
    """Keep the operating point that is there: it is measured by another step, `calibrate`."""
    card = json.loads(path.read_text()) if path.exists() else {}
    card["fitted"] = {
        "provenance": "fitted on drawn designs only; no photograph was used",
        "plan": asdict(plan),
        "designs": designs,
        "held_out_centred": _rounded(plain),
        "held_out_projected": _rounded(projected),
    }
    path.write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["fitted"], indent=2))


def _rounded(separation: Separation) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(separation).items()}
