"""Fits the embedder's projection on drawn views of drawn designs.

Views of one design differ by light, skin, blur and angle: the directions of the backbone's vector in which
they differ are damped (within-class whitening, shrunk towards the identity), and of what remains the 512
directions in which designs differ most are kept. Source: Hatch and Stolcke, "Generalized linear kernels for
one-versus-all classification: application to speaker recognition" (2006).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.tattoo.networks import DIMENSION
from trainer.drawings.descriptions import describe_designs

__all__ = ["EmbedderPlan", "Separation", "fit_embedder", "fit_projection", "separation_of"]

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderPlan:
    """Everything that decides what comes out."""

    fitted_seed: int = 21
    fitted_designs: int = 1200
    fitted_views: int = 3
    held_out_seed: int = 22
    held_out_designs: int = 400
    held_out_views: int = 4
    shrinkage: float = 3.0
    """Of the within-class covariance, in multiples of its mean variance: unseen directions count as this."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How well pairs are told apart, measured on views of held-out designs."""

    impostor_p99: float
    genuine_median: float
    genuine_above: float
    """Share of genuine pairs above `impostor_p99`."""


def fit_embedder(plan: EmbedderPlan, *, backbone: Path, work: Path, out: Path, workers: int) -> None:
    """Draw, fit, write `embedder.npz` and the drawn part of `embedder.json` to `out`; goes on in `work`."""
    fitted = describe_designs(
        backbone,
        work,
        seed=plan.fitted_seed,
        designs=plan.fitted_designs,
        views=plan.fitted_views,
        workers=workers,
    )
    mean, projection = fit_projection(fitted, shrinkage=plan.shrinkage)
    held_out = describe_designs(
        backbone,
        work,
        seed=plan.held_out_seed,
        designs=plan.held_out_designs,
        views=plan.held_out_views,
        workers=workers,
    )
    out.mkdir(parents=True, exist_ok=True)
    half = projection.astype(np.float16)
    np.savez_compressed(out / "embedder.npz", mean=mean.astype(np.float32), projection=half)
    plain = separation_of(held_out - mean)
    projected = separation_of((held_out - mean) @ half.astype(np.float64))
    _write_card(out / "embedder.json", plan, plain, projected)


def fit_projection(views: NDArray[np.float32], *, shrinkage: float) -> tuple[Doubles, Doubles]:
    """Return the mean [d] and the projection [d, 512] for `views` [designs, views, d] of the backbone."""
    size = views.shape[-1]
    mean = views.reshape(-1, size).mean(axis=0, dtype=np.float64)
    centred = views.astype(np.float64) - mean
    own = (centred - centred.mean(axis=1, keepdims=True)).reshape(-1, size)
    within = own.T @ own / (len(views) * (views.shape[1] - 1))
    whitening = _inverse_root(within + shrinkage * np.trace(within) / size * np.eye(size))
    whitened = centred.reshape(-1, size) @ whitening
    _, directions = np.linalg.eigh(whitened.T @ whitened)
    projection = whitening @ directions[:, ::-1][:, :DIMENSION]
    return mean, projection * np.sqrt(DIMENSION) / np.linalg.norm(projection)


def separation_of(vectors: NDArray[np.floating]) -> Separation:
    """Compare all views [designs, views, d] by cosine: genuine pairs are of one design, impostors of two."""
    designs, views, size = vectors.shape
    units = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).reshape(-1, size)
    similarities = units @ units.T
    owner = np.repeat(np.arange(designs), views)
    upper = np.triu(np.ones_like(similarities, bool), 1)
    same = owner[:, None] == owner
    genuine, impostor = similarities[upper & same], similarities[upper & ~same]
    limit = float(np.quantile(impostor, 0.99))
    return Separation(limit, float(np.median(genuine)), float((genuine > limit).mean()))


def _inverse_root(matrix: Doubles) -> Doubles:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**-0.5) @ vectors.T)


def _write_card(path: Path, plan: EmbedderPlan, plain: Separation, projected: Separation) -> None:
    """Keep the operating point that is there: it is measured by another step, `calibrate`."""
    card = json.loads(path.read_text()) if path.exists() else {}
    card["fitted"] = {
        "provenance": "fitted on drawn designs only; no photograph was used",
        "plan": asdict(plan),
        "held_out_centred_1280": _rounded(plain),
        "held_out_projected_512": _rounded(projected),
    }
    path.write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["fitted"], indent=2))


def _rounded(separation: Separation) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(separation).items()}
