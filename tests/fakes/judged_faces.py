"""Faces that do not exist, as the enrolment policy sees them."""

from __future__ import annotations

import hashlib

import numpy as np

from chassis.signal.operating_point import OperatingPoint
from services.face.policy import JudgedFace

__all__ = ["POINT", "judged", "hash_of"]

POINT = OperatingPoint(
    impostor_p99=0.35, genuine_median=0.78, identification_confidence=0.5, provenance="a test"
)
"""Of an embedder whose vectors have 64 values. Nearly the same is a cosine of 0.956 and more."""

_DIMENSION = 64


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def judged(name: str, *, person: int = 0, quality: float = 0.8, alike: float = 0.8) -> JudgedFace:
    """A face of a person; `name` is its picture's.

    alike: cosine of two of the person's pictures; 0.99 makes them nearly the same.
    """
    rng = np.random.default_rng(int(hash_of(name)[:8], 16))
    middle = np.eye(_DIMENSION)[person]
    aside = rng.normal(size=_DIMENSION)
    aside -= aside @ middle * middle
    vector = np.sqrt(alike) * middle + np.sqrt(1 - alike) * aside / np.linalg.norm(aside)
    return JudgedFace(hash_of(name), quality, vector.astype(np.float32))
