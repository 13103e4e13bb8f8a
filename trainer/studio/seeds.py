"""Every random choice hangs on a name: the same name, the same choice, on any machine and in any order."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import numpy as np

__all__ = ["Split", "split_of", "generator", "number_of"]


class Split(StrEnum):
    """What a picture is for. Designs, bodies and lights of one split are never seen in another."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def number_of(*names: object) -> int:
    """A number of 64 bits that depends on the names alone."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def generator(*names: object) -> np.random.Generator:
    """A random generator seeded by the names."""
    return np.random.default_rng(number_of(*names))


def split_of(kind: str, name: str) -> Split:
    """The split that owns a thing, by the hash of its name: 80% train, 8% validation, 12% test."""
    share = number_of("split", kind, name) % 100
    if share < 80:
        return Split.TRAIN
    return Split.VALIDATION if share < 88 else Split.TEST
