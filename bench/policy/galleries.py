"""Galleries with photographs of somebody else among them, decided by the policy. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.faces.observing import Look
from services.face.policy import FaceState, JudgedFace, decide
from services.face.table import EmbedderRow

__all__ = ["Tally", "Faces", "faces_of", "tally"]

_MOST = 20

Faces = Mapping[Path, JudgedFace]
"""The faces that are good enough to be enrolled, by photograph."""


@dataclass(slots=True)
class Tally:
    """What became of faces, over galleries."""

    galleries: int = 0
    undecided: int = 0
    """Galleries in which no group has the majority."""
    strangers: int = 0
    found: int = 0
    """Strangers that are quarantined."""
    own: int = 0
    own_quarantined: int = 0


def faces_of(look: Look, row: EmbedderRow, *, least_quality: float) -> Faces:
    """As one embedder describes them."""
    return {
        file: JudgedFace(_hash(file), seen.factors.quality, seen.vectors[row.key])
        for file, seen in look.seen.items()
        if seen is not None and seen.factors.quality >= least_quality
    }


def tally(
    faces: Faces,
    people: Mapping[str, Sequence[Path]],
    row: EmbedderRow,
    *,
    strangers: int,
    draws: int,
    seed: int,
) -> Tally:
    """Each person with all photographs and so many of one other person, fewer than their own, drawn anew."""
    rng = np.random.default_rng(seed)
    owned = {name: [file for file in files if file in faces] for name, files in people.items()}
    result = Tally()
    for _ in range(draws):
        for name, files in owned.items():
            other = str(rng.choice([one for one in owned if one != name]))
            if len(files) > strangers <= len(owned[other]):
                chosen = rng.choice(len(owned[other]), strangers, replace=False)
                _add(result, faces, files, [owned[other][one] for one in chosen], row)
    return result


def _add(
    result: Tally, faces: Faces, own: Sequence[Path], strangers: Sequence[Path], row: EmbedderRow
) -> None:
    decision = decide([faces[file] for file in (*own, *strangers)], row.operating_point, most=_MOST)
    verdicts = decision.verdicts
    quarantined = {one for one, verdict in verdicts.items() if verdict.state is FaceState.QUARANTINED}
    result.galleries += 1
    result.undecided += any(one.state is FaceState.ACTIVE and one.reason for one in verdicts.values())
    result.strangers += len(strangers)
    result.found += sum(faces[file].image_hash in quarantined for file in strangers)
    result.own += len(own)
    result.own_quarantined += sum(faces[file].image_hash in quarantined for file in own)


def _hash(file: Path) -> str:
    return hashlib.sha256(str(file).encode()).hexdigest()
