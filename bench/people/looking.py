"""Every picture through the services' finders and the gateway's grouping."""

from __future__ import annotations

from pathlib import Path

from bench.people.figures import Looked
from bench.people.finding import Found, open_finders
from bench.people.judging import judge
from bench.people.truth import TrueGroup, TruePerson, read_groups
from chassis.images import decode
from gateway.association import associate
from gateway.observations import TattooSeen
from marquee.common.v1 import common_pb2

__all__ = ["look_at_groups", "looked"]


async def look_at_groups(folder: Path) -> tuple[list[Looked], list[Looked]]:
    """Every picture of a folder, with the tattoos that are found, and with those that are there."""
    found, given = [], []
    async with open_finders() as finders:
        for truth in read_groups(folder):
            seen = await finders.find(decode(truth.path.read_bytes()))
            found.append(looked(truth, seen, seen.tattoos))
            given.append(looked(truth, seen, _true_tattoos(truth.people)))
    return found, given


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
