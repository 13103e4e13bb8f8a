"""How much of each performer is wanted, and whether it is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.observations import Signal
from gateway.signals import FaceCounts

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Least faces, good faces among them, and bodies of each performer; 0 asks for none."""

    faces: int
    good_faces: int
    bodies: int

    @property
    def signals(self) -> frozenset[Signal]:
        """The signals that must answer before anybody can say that it is reached."""
        face = {Signal.FACE} if self.faces or self.good_faces else set()
        body = {Signal.BODY} if self.bodies else set()
        return frozenset(face | body)

    def is_missed(self, counts: Mapping[Signal, int], faces: FaceCounts) -> bool | None:
        """Whether something is missing; None when nothing is as far as anybody answered.

        `counts`: observations by signal that answered; `faces`: ignored without the face signal.
        """
        is_short_of_faces = Signal.FACE in counts and (
            counts[Signal.FACE] < self.faces or faces.good < self.good_faces
        )
        if is_short_of_faces or counts.get(Signal.BODY, self.bodies) < self.bodies:
            return True
        return None if self.signals - counts.keys() else False
