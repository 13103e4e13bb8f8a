"""What makes one adult body differ from another."""

from dataclasses import dataclass, fields

import numpy as np

from chassis.errors import InvalidInput, Refused

__all__ = ["ADULT_AGE", "Phenotype", "draw_phenotype"]

ADULT_AGE = 2 / 3
"""The model's age runs from newborn over child (1/3) to grown-up (2/3) and old (1). None is younger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phenotype:
    """An adult body in the terms of the body model, each 0..1. A younger one cannot be constructed."""

    gender: float
    """0 male, 1 female."""
    age: float
    """At least ADULT_AGE."""
    muscle: float
    weight: float
    height: float
    proportions: float

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise InvalidInput(f"{field.name} of a body must be within 0..1")
        if self.age < ADULT_AGE:
            raise Refused(f"bodies are adult only: age must be at least {ADULT_AGE:.3f}")


def draw_phenotype(rng: np.random.Generator) -> Phenotype:
    """Draw an adult: both genders and what lies between, lean to heavy, short to tall."""
    gender = float(rng.choice([rng.beta(1, 8), rng.beta(8, 1), rng.random()], p=[0.42, 0.5, 0.08]))
    return Phenotype(
        gender=gender,
        age=float(ADULT_AGE + (1 - ADULT_AGE) * rng.beta(1, 4)),
        muscle=float(rng.beta(3, 2.5)),
        weight=float(rng.beta(2.2, 2.6)),
        height=float(rng.beta(3, 3)),
        proportions=float(rng.beta(3, 2)),
    )
