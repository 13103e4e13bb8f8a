"""Virtual performers, and what a picture of one says of everybody whom a search would propose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.fusion.sources import CLEAR, Faces, Tattoos

__all__ = ["SLICES", "Probe", "Slice", "dressed", "probes_of", "tail_quantile"]

_TATTOOED = 0.5
_PROPOSED = 20
_REST = 10.0


@dataclass(frozen=True, slots=True)
class Slice:
    """A kind of picture."""

    has_face: bool
    is_spoilt: bool
    has_tattoo: bool


SLICES: Mapping[str, Slice] = {
    "clear face, no tattoo": Slice(True, False, False),
    "clear face + tattoo": Slice(True, False, True),
    "spoilt face + tattoo": Slice(True, True, True),
    "spoilt face, no tattoo": Slice(True, True, False),
    "no face + tattoo": Slice(False, False, True),
}
"""By name."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One picture: similarity by candidate in each signal that saw something and knows the candidate."""

    owner: int
    is_stranger: bool
    face: Mapping[str, float]
    face_quality: float
    tattoo: Mapping[str, float]
    tattoo_quality: float
    proposed: frozenset[str]
    """Whom the face's or the tattoo's search proposes: 20 each.

    Performers are z0, z1 ..., synthetic ones f and t: where nothing tells them apart, ties go to these.
    """


def dressed(rng: np.random.Generator, performers: int, designs: int) -> NDArray[np.int64]:
    """Design of each performer, minus 1 for none: half of them wear one, repeated by Zipf's law."""
    weights = 1 / (np.arange(designs) + _REST)
    chosen = rng.choice(designs, performers, p=weights / weights.sum())
    return np.where(rng.random(performers) < _TATTOOED, chosen, -1)


def probes_of(
    faces: Faces, tattoos: Tattoos, wearing: NDArray[np.int64], kind: Slice, *, gallery: int, seed: int
) -> Iterator[Probe]:
    """One picture of each probe of the faces that the slice can have, the gallery filled up to `gallery`.

    Performers of the slices with a tattoo are those who wear one, else those who wear none; strangers wear
    one that no performer has. Those who fill up are synthetic: their best similarities are drawn from other
    people's, and half of them are tattooed.
    """
    rng = np.random.default_rng(seed)
    performers = len(faces.performers)
    compared = faces.spoilt if kind.is_spoilt else faces.clear
    for index, owner in enumerate(faces.owners):
        is_stranger = bool(owner >= performers)
        if not is_stranger and kind.has_tattoo != bool(wearing[owner] >= 0):
            continue
        spoilt = faces.kinds[index] if kind.is_spoilt else CLEAR
        face: dict[str, float] = {}
        if kind.has_face and np.isfinite(compared.similarities[index]).any():
            face = {f"z{number}": float(value) for number, value in enumerate(compared.similarities[index])}
            face |= _synthetic(rng, compared.impostors, gallery - performers, "f")
        tattoo: dict[str, float] = {}
        view = _view(rng, tattoos, -1 if is_stranger else int(wearing[owner])) if kind.has_tattoo else -1
        if kind.has_tattoo:
            row = tattoos.similarities[spoilt][view]
            tattoo = {
                f"z{number}": float(row[design]) for number, design in enumerate(wearing) if design >= 0
            }
            tattoo |= _synthetic(rng, tattoos.impostors[spoilt], int((gallery - performers) * _TATTOOED), "t")
            # Of those whom the face proposes, half are tattooed.
            half = [one for one in face if one.startswith("f") and rng.random() < _TATTOOED]
            tattoo |= _ordinary(rng, half, tattoos.impostors[spoilt])
        if face:
            face |= _ordinary(rng, [one for one in tattoo if one.startswith("t")], compared.impostors)
        yield Probe(
            owner=int(owner),
            is_stranger=is_stranger,
            face=face,
            face_quality=float(compared.qualities[index]),
            tattoo=tattoo,
            tattoo_quality=float(tattoos.qualities[spoilt][view]) if view >= 0 else 0.0,
            proposed=frozenset([*_best(face), *_best(tattoo)]),
        )


def tail_quantile(ordered: NDArray[np.float64], above: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values that a share `above` of a sample [n], sorted, exceeds, and beyond it of its tail.

    The tail is the largest 0.2%, at least 50 values, as a generalised Pareto distribution fitted by moments
    (Hosking and Wallis 1987).
    """
    count = len(ordered)
    size = min(count, max(50, count // 500))
    start = ordered[count - size]
    over = ordered[count - size :] - start
    mean, variance = float(over.mean()), float(over.var()) + 1e-12
    shape = 0.5 * (1 - mean**2 / variance)
    scale = 0.5 * mean * (1 + mean**2 / variance)
    inside = np.quantile(ordered, np.clip(1 - above, 0, 1))
    share = np.clip(above * count / size, 1e-12, 1)
    beyond = start + (scale / shape * (share**-shape - 1) if abs(shape) > 1e-6 else -scale * np.log(share))
    return np.minimum(np.where(above * count >= 1, inside, beyond), 1.0)


def _synthetic(
    rng: np.random.Generator, impostors: NDArray[np.float64], count: int, prefix: str
) -> dict[str, float]:
    """The most alike of `count` others: uniform order statistics, by sums of exponentials."""
    most = min(_PROPOSED, max(0, count))
    above = np.cumsum(rng.exponential(size=most)) / max(count, 1)
    values = tail_quantile(impostors, np.minimum(above, 1.0))
    return {f"{prefix}{number}": float(value) for number, value in enumerate(values)}


def _ordinary(
    rng: np.random.Generator, names: Sequence[str], impostors: NDArray[np.float64]
) -> dict[str, float]:
    """Similarities of others whom the other signal proposes: nothing special."""
    return dict(zip(names, map(float, rng.choice(impostors, len(names))), strict=True))


def _view(rng: np.random.Generator, tattoos: Tattoos, design: int) -> int:
    """Another view of a design; minus 1: of one that no performer wears."""
    shown = tattoos.worn == design if design >= 0 else tattoos.worn >= tattoos.designs
    return int(rng.choice(np.flatnonzero(shown)))


def _best(similarities: Mapping[str, float]) -> list[str]:
    return sorted(similarities, key=lambda one: (-similarities[one], one))[:_PROPOSED]
