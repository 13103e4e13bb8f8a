"""Every picture through the services' finders and the gateway's grouping."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.people.figures import Looked
from bench.people.finding import Found, open_finders
from bench.people.judging import judge
from bench.people.sheet import drawn
from bench.people.truth import TrueGroup, TruePerson, read_groups
from chassis.images import decode
from gateway.association import associate
from gateway.observations import TattooSeen
from marquee.common.v1 import common_pb2

__all__ = ["Picture", "look_at_groups", "looked"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture, what is true of it, and what the finders saw."""

    truth: TrueGroup
    seen: Found

    @property
    def found(self) -> Looked:
        """With the tattoos that were found."""
        return looked(self.truth, self.seen, self.seen.tattoos)

    @property
    def given(self) -> Looked:
        """With the tattoos as they are."""
        return looked(self.truth, self.seen, _true_tattoos(self.truth.people))

    def drawn(self) -> NDArray[np.uint8]:
        """As the gateway groups what was found, BGR."""
        association = associate(self.seen.faces, self.seen.bodies, self.seen.tattoos)
        return drawn(decode(self.truth.path.read_bytes()), association)


async def look_at_groups(folder: Path) -> list[Picture]:
    """Every picture of a folder."""
    async with open_finders() as finders:
        return [
            Picture(truth, await finders.find(decode(truth.path.read_bytes())))
            for truth in read_groups(folder)
        ]


def looked(truth: TrueGroup, seen: Found, tattoos: tuple[TattooSeen, ...]) -> Looked:
    """How the gateway groups faces and bodies with these tattoos."""
    association = associate(seen.faces, seen.bodies, tattoos)
    people, grouped, boxes = judge(truth, association)
    return Looked(truth.path.stem, truth.kind, tuple(people), tuple(grouped), tuple(boxes))


def _true_tattoos(people: tuple[TruePerson, ...]) -> tuple[TattooSeen, ...]:
    template = common_pb2.Template(signal=common_pb2.SIGNAL_TATTOO)
    return tuple(
        TattooSeen(one.box, 1.0, 1.0, one.outline, template, ())
        for person in people
        for one in person.tattoos
    )
