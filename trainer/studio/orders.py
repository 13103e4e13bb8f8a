"""Which picture is to be taken under a number: the number alone decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.studio.framing import Shot
from trainer.studio.performers import TattooPlan, draw_tattoo, performer_names, performer_of
from trainer.studio.seeds import Split, generator

__all__ = ["Mode", "Order", "Orders"]

Mode = Literal["scenes", "designs"]
_PER_PERFORMER = 8
"""Pictures of one performer in a row; what they share is made once."""
_PER_DESIGN = 5
_DESIGN_SHOTS: tuple[Shot, ...] = ("close", "detail", "medium", "close", "medium")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One picture to take."""

    number: int
    seed: int
    mode: Mode
    split: Split
    performer_id: str
    tattoos: tuple[TattooPlan, ...] | None = None
    """To be worn instead of the performer's own."""
    subject: int | None = None
    """Number of the tattoo that close shots look at; None for any or for bare skin."""
    shot: Shot | None = None


class Orders:
    """The orders of one data set."""

    def __init__(self, *, mode: Mode, split: Split, seed: int, pictures: int) -> None:
        self._mode, self._split, self._seed = mode, split, seed
        self.count = pictures
        self.group = _PER_PERFORMER if mode == "scenes" else _PER_DESIGN
        """Pictures in a row that share a performer."""
        self._names = performer_names(split, seed=seed, count=-(-pictures // self.group))

    def order(self, number: int) -> Order:
        """The picture of a number, 0 <= number < count."""
        performer_id = self._names[number // self.group]
        common = {"number": number, "seed": self._seed, "mode": self._mode, "split": self._split}
        if self._mode == "scenes":
            return Order(**common, performer_id=performer_id)  # type: ignore[arg-type]  # a plain dict of the fields
        performer = performer_of(performer_id)
        rng = generator("design order", self._seed, self._split, number // self.group)
        plan = _only_tattoo(performer_id, performer.tattoos, self._split, int(rng.integers(2**31)))
        shot = _DESIGN_SHOTS[number % self.group]
        return Order(**common, performer_id=performer_id, tattoos=(plan,), subject=0, shot=shot)  # type: ignore[arg-type]  # as above


def _only_tattoo(performer_id: str, own: tuple[TattooPlan, ...], split: Split, seed: int) -> TattooPlan:
    """The first of somebody's tattoos, or one drawn for who has none."""
    return own[0] if own else draw_tattoo(generator("design tattoo", seed), f"{performer_id}/d", split)
